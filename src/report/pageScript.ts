/**
 * The page's whole script: it draws the gallery out of the JSON beside it. Text reaches the document through
 * `textContent` alone, never as markup, since keys come from other people's datasets.
 */
export const pageScript = `
'use strict'
const data = JSON.parse(document.getElementById('samples').textContent)
const angles = ['yaw', 'pitch', 'roll']
const pageSize = 24
const state = { page: 0, shown: [], opened: -1 }
const find = (id) => document.getElementById(id)

function element(name, attributes, children) {
  const made = document.createElement(name)
  for (const [attribute, value] of Object.entries(attributes || {})) {
    if (attribute === 'text') made.textContent = value
    else if (attribute === 'onclick') made.addEventListener('click', value)
    else made.setAttribute(attribute, value)
  }
  made.append(...(children || []))
  return made
}

const degrees = (value) => (value === null ? '–' : (value < 0 ? '−' : '') + Math.abs(value).toFixed(1))
const signedDegrees = (value) => (value === null ? '–' : (value < 0 ? '−' : '+') + Math.abs(value).toFixed(1))

/** What a sample is sorted by; null sorts last either way. */
function measure(sample, by) {
  if (by === 'mean') return sample.mean
  if (by === 'top') return sample.top === null ? null : sample.top.probability
  const [kind, angle] = by.split(':')
  const index = angles.indexOf(angle)
  if (kind === 'error') return sample.error[index] === null ? null : Math.abs(sample.error[index])
  return (kind === 'label' ? sample.label : sample.estimate)[index]
}

function compare(by, sign) {
  if (by === 'key') return (a, b) => sign * (a.order - b.order)
  return (a, b) => {
    const x = measure(a, by), y = measure(b, by)
    if (x === null || y === null) return (x === null) - (y === null) || a.order - b.order
    return sign * (x - y) || a.order - b.order
  }
}

function select() {
  const which = find('which').value
  const text = find('search').value.toLowerCase()
  const sign = find('direction').value === 'down' ? -1 : 1
  state.shown = data.samples
    .filter((sample) => which === 'all' || (which === 'worst' ? sample.worst : sample.spaced))
    .filter((sample) => sample.key.toLowerCase().includes(text))
    .sort(compare(find('by').value, sign))
  state.page = 0
  draw()
}

/** What the network says of the image. A classifier gives no angle, and an old table not even the class. */
function answer(sample) {
  if (sample.top !== null) return [element('p', { class: 'answer', text: 'top class ' + sample.top.class + ', ' + sample.top.probability.toFixed(2) })]
  return sample.estimate.some((value) => value !== null) ? [angleTable(sample)] : []
}

function angleTable(sample) {
  const labelled = sample.label.some((value) => value !== null)
  const row = (angle, i) => element('tr', {}, [
    element('th', { scope: 'row', text: angle }),
    element('td', { text: degrees(sample.estimate[i]) }),
    ...(labelled ? [element('td', { text: degrees(sample.label[i]) }), element('td', { text: signedDegrees(sample.error[i]) })] : []),
  ])
  const names = ['estimate', ...(labelled ? ['label', 'error'] : [])].map((text) => element('th', { scope: 'col', text }))
  // No header cell: an empty one is read out as one.
  const head = [element('td'), ...names]
  return element('table', { class: 'angles' }, [
    element('thead', {}, [element('tr', {}, head)]),
    element('tbody', {}, angles.map(row).filter((_, i) => sample.estimate[i] !== null || sample.label[i] !== null)),
  ])
}

function tags(sample) {
  return [
    ...(sample.mean === null ? [] : [element('span', { class: 'tag', text: 'mean error ' + sample.mean.toFixed(1) + '°' })]),
    ...(sample.notes.map((text) => element('span', { class: 'tag caution', text }))),
  ]
}

function picture(sample) {
  return element('img', { src: sample.picture, width: data.width, height: data.height, alt: data.alt })
}

function card(sample, index) {
  const open = element('button', { class: 'open', type: 'button', 'aria-label': 'Enlarge ' + sample.key, onclick: () => show(index) }, [picture(sample)])
  return element('li', { class: 'card' }, [open, element('p', { class: 'key', text: sample.key }), ...answer(sample), ...tags(sample)])
}

function draw() {
  const pages = Math.max(1, Math.ceil(state.shown.length / pageSize))
  state.page = Math.min(Math.max(0, state.page), pages - 1)
  const first = state.page * pageSize
  find('cards').replaceChildren(...state.shown.slice(first, first + pageSize).map((sample, i) => card(sample, first + i)))
  find('none').hidden = state.shown.length > 0
  for (const at of ['', '-low']) {
    find('position' + at).textContent = 'page ' + (state.page + 1) + ' of ' + pages
    find('previous' + at).disabled = state.page === 0
    find('next' + at).disabled = state.page === pages - 1
  }
  find('found').textContent = state.shown.length + (state.shown.length === 1 ? ' image' : ' images')
}

function turn(by, scroll) {
  state.page += by
  draw()
  if (scroll) find('gallery').scrollIntoView()
}

/**
 * Put together here, since a key stands in the page once, not once for each objective. The file's name is as the output's
 * layout has it. Each part is encoded by itself: a key may hold #, ? and %, which would end or change the link.
 */
function storedMap({ objective, folder }, { key }) {
  const path = folder + '/' + (/\\.png$/i.test(key) ? key : key + '.png')
  return element('a', { href: '../' + path.split('/').map(encodeURIComponent).join('/'), text: 'stored map, objective ' + objective })
}

function show(index) {
  const sample = state.shown[index]
  if (!sample) return
  state.opened = index
  find('large-key').textContent = sample.key
  find('large').replaceChildren(
    picture(sample), ...answer(sample), ...tags(sample),
    element('div', { class: 'links' }, data.maps.map((map) => storedMap(map, sample))),
  )
  if (!find('sample').open) find('sample').showModal()
}

for (const id of ['which', 'by', 'direction']) find(id).addEventListener('change', select)
find('by').addEventListener('change', () => { find('direction').value = find('by').value === 'key' ? 'up' : 'down'; select() })
find('search').addEventListener('input', select)
find('previous').addEventListener('click', () => turn(-1, false))
find('next').addEventListener('click', () => turn(1, false))
find('previous-low').addEventListener('click', () => turn(-1, true))
find('next-low').addEventListener('click', () => turn(1, true))
find('sample-previous').addEventListener('click', () => show(state.opened - 1))
find('sample-next').addEventListener('click', () => show(state.opened + 1))
find('sample-close').addEventListener('click', () => find('sample').close())
find('sample').addEventListener('click', (event) => { if (event.target === find('sample')) find('sample').close() })
document.addEventListener('keydown', (event) => {
  const by = { ArrowLeft: -1, ArrowRight: 1 }[event.key]
  if (by === undefined || event.altKey || event.ctrlKey || event.metaKey || /^(INPUT|SELECT)$/.test(event.target.tagName)) return
  if (find('sample').open) show(state.opened + by)
  else turn(by, false)
})
select()
`
