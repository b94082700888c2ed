/**
 * Looks through the atlas: which objective, which view, which cell. Stands behind the page's own script and uses its `data`,
 * `find` and `element`; does nothing on a page without a grid.
 */
export const atlasScript = `
function startAtlas({ cells, pictures, counts, countTexts, rows, few }) {
  const grid = find('atlas-grid')
  const tiles = [...grid.querySelectorAll('.cell')]
  const objectives = [...new Set(pictures.map(({ objective }) => objective))]
  const chosen = { objective: 0, view: 'mean', cell: 0, timer: null }
  const blink = find('atlas-blink')

  const pictureOf = (view) =>
    pictures.findIndex((one) => one.view === view && (view === 'input' || one.objective === objectives[chosen.objective]))
  const place = (id, index, column, row) => {
    find(id).setAttribute('viewBox', [column * 64 + 0.5, row * 64 + 0.5, 59, 59].join(' '))
    find(id).firstElementChild.setAttribute('href', '#atlas-picture-' + index)
  }

  const ofView = ({ maps, inputs }, { view }) => (view === 'input' ? inputs : maps)
  const countsOf = (picture) => ofView(counts, picture)

  function draw() {
    const index = pictureOf(chosen.view)
    const shown = pictures[index]
    find('atlas-tiles').setAttribute('href', '#atlas-picture-' + index)
    find('atlas-title').textContent = shown.title
    find('atlas-low').textContent = shown.low
    find('atlas-high').textContent = shown.high
    find('atlas-unit').textContent = shown.unit
    find('atlas-svg').setAttribute('data-view', shown.view)
    tiles.forEach((tile, at) => {
      const n = countsOf(shown)[at]
      tile.classList.toggle('sparse', n > 0 && n < few)
      tile.querySelector('.n').textContent = n > 0 ? ofView(countTexts, shown)[at] : ''
    })
    // The mean that a difference is from says more than its difference from itself.
    const whole = shown.view === 'difference' ? pictureOf('mean') : index
    place('atlas-overall', whole, 0, rows)
    find('atlas-overall').setAttribute('aria-label', pictures[whole].title + ', all images')
    find('atlas-overall-name').textContent = pictures[whole].title + ', ' + images(shown.n)
    for (const input of document.querySelectorAll('[name=atlas-view]')) input.checked = input.value === chosen.view
    drawCell(index)
  }

  const images = (n) => n.toLocaleString('en-US') + (n === 1 ? ' image' : ' images')

  function drawCell(index) {
    const { name, at: [column, row], errors } = cells[chosen.cell]
    tiles.forEach((tile, at) => {
      tile.classList.toggle('chosen', at === chosen.cell)
      tile.setAttribute('tabindex', at === chosen.cell ? '0' : '-1')
    })
    place('atlas-large', index, column, row)
    find('atlas-large').setAttribute('aria-label', pictures[index].title + ', ' + name)
    find('atlas-cell').textContent = name
    const count = element('span', { text: images(countsOf(pictures[index])[chosen.cell]) })
    const line = ([angle, mean, bias]) => element('tr', {}, [
      element('th', { scope: 'row', text: angle }), element('td', { text: degrees(mean) + '°' }), element('td', { text: signedDegrees(bias) + '°' }),
    ])
    const head = ['angle', 'mean error', 'bias'].map((text) => element('th', { scope: 'col', text }))
    const table = element('table', {}, [element('thead', {}, [element('tr', {}, head)]), element('tbody', {}, errors.map(line))])
    find('atlas-numbers').replaceChildren(count, ...(errors.length > 0 ? [table] : []))
  }

  function choose(at, focus) {
    chosen.cell = at
    drawCell(pictureOf(chosen.view))
    if (focus) tiles[at].focus()
  }

  /** The next occupied cell along an axis (0: column, 1: row), past gaps. */
  function neighbour(axis, sign) {
    const here = cells[chosen.cell].at
    const ahead = cells
      .map(({ at }, index) => ({ index, step: sign * (at[axis] - here[axis]), beside: at[1 - axis] === here[1 - axis] }))
      .filter(({ step, beside }) => beside && step > 0)
      .sort((a, b) => a.step - b.step)
    return ahead.length > 0 ? ahead[0].index : chosen.cell
  }

  const inRow = () => [...cells.keys()].filter((index) => cells[index].at[1] === cells[chosen.cell].at[1])
  const moves = {
    ArrowLeft: () => neighbour(0, -1), ArrowRight: () => neighbour(0, 1), ArrowUp: () => neighbour(1, -1), ArrowDown: () => neighbour(1, 1),
    Home: (all) => (all ? 0 : inRow()[0]), End: (all) => (all ? cells.length - 1 : inRow().at(-1)),
  }
  grid.addEventListener('keydown', (event) => {
    const move = moves[event.key]
    if (!move || event.altKey || event.metaKey) return
    event.preventDefault()
    // The arrows turn the gallery's pages everywhere else.
    event.stopPropagation()
    choose(move(event.ctrlKey), true)
  })
  tiles.forEach((tile, at) => {
    tile.addEventListener('click', () => choose(at, true))
    tile.addEventListener('focus', () => { if (chosen.cell !== at) choose(at, false) })
  })

  function swap() {
    chosen.view = chosen.view === 'input' ? 'mean' : 'input'
    draw()
  }

  function stop() {
    clearInterval(chosen.timer)
    chosen.timer = null
    if (blink) blink.setAttribute('aria-pressed', 'false')
  }

  function toggle() {
    // Who wants no motion swaps by hand, once for each press.
    if (matchMedia('(prefers-reduced-motion: reduce)').matches) return swap()
    if (chosen.timer !== null) return stop()
    blink.setAttribute('aria-pressed', 'true')
    swap()
    chosen.timer = setInterval(swap, 700)
  }

  if (blink) {
    if (matchMedia('(prefers-reduced-motion: reduce)').matches) {
      blink.textContent = 'Swap map and input (b)'
      blink.removeAttribute('aria-pressed')
    }
    blink.addEventListener('click', toggle)
    find('atlas-figure').addEventListener('keydown', (event) => {
      if (event.key === 'b' && !event.altKey && !event.ctrlKey && !event.metaKey) toggle()
    })
  }
  for (const input of document.querySelectorAll('[name=atlas-view]')) {
    input.addEventListener('change', () => { stop(); chosen.view = input.value; draw() })
  }
  for (const input of document.querySelectorAll('[name=atlas-objective]')) {
    input.addEventListener('change', () => {
      chosen.objective = Number(input.value)
      if (chosen.view === 'input') chosen.view = 'mean'
      draw()
    })
  }
  find('atlas-save').addEventListener('click', () => savePicture(pictures[pictureOf(chosen.view)]))

  // The fullest cell is the surest one to begin with.
  chosen.cell = counts.maps.indexOf(Math.max(...counts.maps))
  find('atlas-controls').hidden = false
  find('atlas-one').hidden = false
  draw()
}

/** The figure as it is seen, with the mean over all images beside it, twice as large: for a slide. */
async function savePicture({ title }) {
  const figure = find('atlas-svg')
  const [width, height] = [figure.viewBox.baseVal.width, figure.viewBox.baseVal.height]
  const copy = figure.cloneNode(true)
  const made = (name, attributes, children) => {
    const node = document.createElementNS('http://www.w3.org/2000/svg', name)
    for (const [attribute, value] of Object.entries(attributes)) node.setAttribute(attribute, value)
    node.append(...(children || []))
    return node
  }
  // Outside the page no style sheet applies.
  const originals = figure.querySelectorAll('text, path, rect, g, use')
  copy.querySelectorAll('text, path, rect, g, use').forEach((node, at) => {
    // What is drawn by reference has its style from there.
    if (node.closest('defs')) return
    const style = getComputedStyle(originals[at])
    for (const name of ['fill', 'stroke', 'stroke-width', 'stroke-opacity', 'paint-order', 'font-size', 'font-weight', 'font-family', 'display']) {
      node.setAttribute(name, style.getPropertyValue(name))
    }
  })
  copy.querySelectorAll('.chosen .frame').forEach((frame) => frame.remove())
  const overall = find('atlas-overall').cloneNode(true)
  const used = [copy.querySelector('#atlas-tiles'), overall.firstElementChild].map((use) => use.getAttribute('href').slice(1))
  copy.querySelectorAll('defs image').forEach((image) => { if (!used.includes(image.id)) image.remove() })
  for (const [name, value] of Object.entries({ x: width + 16, y: 30, width: 232, height: 232 })) overall.setAttribute(name, value)
  const text = getComputedStyle(find('atlas-title'))
  const name = made('text', { x: width + 16, y: 18, fill: text.fill, 'font-size': '14px', 'font-family': text.fontFamily }, ['all images'])
  const [fullWidth, fullHeight] = [width + 16 + 232 + 16, Math.max(height, 280)]
  const ground = made('rect', { width: fullWidth, height: fullHeight, fill: getComputedStyle(find('atlas-figure')).backgroundColor })
  const whole = made('svg', { width: 2 * fullWidth, height: 2 * fullHeight, viewBox: [0, 0, fullWidth, fullHeight].join(' ') }, [ground, copy, overall, name])
  const image = new Image()
  image.src = 'data:image/svg+xml,' + encodeURIComponent(new XMLSerializer().serializeToString(whole))
  await image.decode()
  const canvas = element('canvas', { width: 2 * fullWidth, height: 2 * fullHeight })
  canvas.getContext('2d').drawImage(image, 0, 0)
  const link = element('a', { href: canvas.toDataURL('image/png'), download: ('atlas-' + title).toLowerCase().replace(/[^a-z0-9]+/g, '-') + '.png' })
  link.click()
}

if (data.atlas) startAtlas(data.atlas)
`
