import { createHash } from 'node:crypto'
import type { ResultSet } from '../contract/resultSet.ts'
import type { Summary } from '../contract/run.ts'
import { describeAdapter } from '../dataset/describe.ts'
import { errorCodes } from '../errors.ts'
import { angleNames } from '../pose/euler.ts'
import type { AngleName, Degrees } from '../pose/euler.ts'
import { descriptionSchema } from '../saliency/networks/description.ts'
import type { Head } from '../saliency/networks/description.ts'
import { withoutPassword } from '../telemetry.ts'
import type { AngleDistribution } from './distribution.ts'
import { escapeHtml, jsonForScript } from './escaping.ts'
import type { FailureGroup } from './failureExamples.ts'
import { drawErrorHistogram, drawEstimateHistogram } from './histogram.ts'
import { pageScript } from './pageScript.ts'
import { pageStyle } from './pageStyle.ts'
import { drawScatter } from './scatter.ts'
import type { ThumbnailLayout } from './thumbnail.ts'

/** One sample of the gallery, as the page's script reads it. Angles are in the order yaw, pitch, roll. */
export interface GallerySample {
  readonly key: string
  /** Place in the table, which is sorted by the bytes of the key. */
  readonly order: number
  readonly estimate: readonly (Degrees | null)[]
  readonly label: readonly (Degrees | null)[]
  readonly error: readonly (Degrees | null)[]
  readonly mean: Degrees | null
  readonly worst: boolean
  readonly spaced: boolean
  /** Data URI. */
  readonly picture: string
  readonly maps: readonly { readonly objective: string; readonly href: string }[]
  /** What a reader should know about this sample, e.g. that its image is gone. */
  readonly notes: readonly string[]
}

export interface PageContent {
  readonly set: ResultSet
  readonly summary: Summary
  readonly failures: readonly FailureGroup[]
  readonly distributions: Readonly<Record<AngleName, AngleDistribution>>
  readonly samples: readonly GallerySample[]
  /** The objectives that the thumbnails show; at most as many as the result set has. */
  readonly objectives: readonly string[]
  readonly layout: ThumbnailLayout
}

/**
 * The whole page as one HTML text: style, script, pictures and data inside. Its content security policy allows only
 * these, so that no text from a dataset could run or fetch anything even if the escaping failed.
 */
export function renderPage(content: PageContent): string {
  const { set, summary } = content
  const policy = [
    "default-src 'none'",
    'img-src data:',
    `style-src '${sha256(pageStyle)}'`,
    `script-src '${sha256(pageScript)}'`,
    "base-uri 'none'",
    "form-action 'none'",
  ]
  const title = `${set.network.file} on ${withoutPassword(set.dataset.uri)}`
  const sections = [
    { id: 'errors', name: 'Angles', html: anglesSection(content) },
    { id: 'gallery', name: 'Gallery', html: gallerySection(content) },
    { id: 'correlation', name: 'Likeness of maps', html: correlationSection(content) },
    { id: 'failed', name: 'Failed samples', html: failuresSection(content) },
    { id: 'limits', name: 'What the maps can tell', html: limitsSection(set) },
    { id: 'made', name: 'How this was made', html: factsSection(set, summary) },
  ].filter((section) => section.html !== '')
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${policy.join('; ')}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="referrer" content="no-referrer">
<title>headlight: ${escapeHtml(title)}</title>
<style>${pageStyle}</style>
</head>
<body>
<header>
<p class="kicker">headlight report</p>
<h1>${escapeHtml(title)}</h1>
<p class="under">run ${escapeHtml(summary.run)}, ${escapeHtml(summary.state)} ${escapeHtml(minute(summary.closedAt))}${leftText(summary.counts.left)}</p>
<nav class="sections" aria-label="Sections">${sections.map(({ id, name }) => `<a href="#${id}">${name}</a>`).join('')}</nav>
${figures(summary)}
</header>
<main>
${sections.map(({ id, name, html }) => `<section id="${id}" aria-labelledby="${id}-name"><h2 id="${id}-name">${name}</h2>\n${html}\n</section>`).join('\n')}
</main>
<footer>Written by headlight ${escapeHtml(summary.headlightVersion)}. This page asks nothing of the network.</footer>
${sampleDialog}
<script type="application/json" id="samples">${jsonForScript(scriptData(content))}</script>
<script>${pageScript}</script>
</body>
</html>
`
}

function figures(summary: Summary): string {
  const { total, computed, unchanged, failed, gone } = summary.counts
  const entries: [string, string][] = [
    ['samples', whole(total)],
    ['computed in this run', whole(computed)],
    ['unchanged', whole(unchanged)],
    ['failed', whole(failed)],
  ]
  if (gone > 0) entries.push(['gone from the dataset', whole(gone)])
  if (summary.mae !== null) entries.push(['mean absolute error', `${tenth(summary.mae.mean)}°`])
  if (summary.imagesPerSecond !== null) entries.push(['images per second', tenth(summary.imagesPerSecond)])
  return `<dl class="figures">${entries.map(([name, value]) => `<div><dt>${name}</dt><dd>${value}</dd></div>`).join('')}</dl>`
}

function anglesSection({ summary, distributions }: PageContent): string {
  const charts = angleNames.map((angle) => angleCharts(angle, distributions[angle])).join('')
  return `${errorTable(summary)}<div class="charts">${charts}</div>`
}

function errorTable({ mae, errors }: Summary): string {
  if (mae === null || errors === null) {
    return `<p>No sample has both a true pose and an estimate of all three angles, so there is no angle error to report.</p>`
  }
  const columns = [...angleNames, 'mean'] as const
  const row = (name: string, values: Readonly<Record<(typeof columns)[number], Degrees>>) =>
    `<tr><th scope="row">${name}</th>${columns.map((column) => `<td class="number">${hundredth(values[column])}°</td>`).join('')}</tr>`
  const excluded =
    errors.excluded === 0
      ? 'None was excluded'
      : `${whole(errors.excluded)} more ${errors.excluded === 1 ? 'is' : 'are'} excluded by convention, a true angle lying beyond ±99°`
  return `<div class="scroll"><table><thead><tr><th></th>${columns.map((column) => `<th scope="col" class="number">${column}</th>`).join('')}</tr></thead>
<tbody>${row('mean absolute error', mae)}${row('median absolute error', errors.median)}</tbody></table></div>
<p class="quiet">Over n = ${whole(errors.n)} samples. ${excluded}. Mean geodesic error, the angle of the one rotation from the true to the estimated pose: ${hundredth(errors.geodesicMean)}°. The median under “mean” is that of the samples’ own mean errors.</p>`
}

function angleCharts(angle: AngleName, distribution: AngleDistribution): string {
  if (distribution.labelled > 0) {
    return `<figure><h3>${angle}</h3>${drawScatter(angle, distribution)}${drawErrorHistogram(angle, distribution)}</figure>`
  }
  if (distribution.unlabelled > 0) {
    return `<figure><h3>${angle}</h3>${drawEstimateHistogram(angle, distribution)}</figure>`
  }
  return ''
}

function gallerySection({ set, summary, samples, objectives }: PageContent): string {
  const worst = samples.filter((sample) => sample.worst).length
  const spaced = samples.filter((sample) => sample.spaced).length
  const labelled = worst > 0
  const shown = objectives.map((objective) => `<code>${escapeHtml(objective)}</code>`).join(', ')
  const order =
    objectives.length === 1
      ? `Side by side: the image as the network saw it, the map of objective ${shown}, and the map’s magnitude as colour over the image.`
      : `Left: the image as the network saw it. Then one column each for the objectives ${shown}: the map above, its magnitude as colour over the image below.`
  const left = set.options.objectives.length - objectives.length
  const options = (entries: readonly (readonly [string, string])[]) =>
    entries.map(([value, text]) => `<option value="${value}">${text}</option>`).join('')
  const which = [
    ['all', 'all that are here'],
    ...(labelled ? [['worst', 'the worst'] as const] : []),
    ['spaced', 'evenly spaced'],
  ] as const
  const by = [
    ...(labelled ? [['mean', 'mean error'] as const] : []),
    ['key', 'key'],
    ...(labelled ? angleNames.map((angle) => [`error:${angle}`, `error in ${angle}`] as const) : []),
    ...angleNames.map((angle) => [`estimate:${angle}`, `estimated ${angle}`] as const),
    ...(labelled ? angleNames.map((angle) => [`label:${angle}`, `true ${angle}`] as const) : []),
  ] as const
  const all = samples.length === summary.counts.total - summary.counts.failed
  const chosenHere = labelled
    ? `The ${whole(worst)} samples with the largest mean angle error and ${whole(spaced)} evenly spaced over the dataset`
    : `${whole(spaced)} samples evenly spaced over the dataset`
  const chosen = all ? 'All samples that did not fail' : `${chosenHere}; every sample is in <code>angles.parquet</code>`
  const pager = (suffix: string) =>
    `<div class="pager${suffix === '' ? '' : ' low'}"><button type="button" id="previous${suffix}">Previous</button><span id="position${suffix}" aria-live="polite"></span><button type="button" id="next${suffix}">Next</button></div>`
  return `<p>${chosen}. ${order}${left > 0 ? ` ${whole(left)} more objectives are in the store but not shown here.` : ''}</p>
<p>The colours are means over 28 × 28 cells, scaled by the largest of each picture: compare places within a picture, not brightness between pictures.</p>
<p class="legend"><span>weak</span><i></i><span>strong</span></p>
<div class="note"><p>A sharp map is no proof that the network used what it shows: read <a href="#limits">what the maps can tell</a> first.</p></div>
<noscript><p>The gallery needs the script inside this page; your browser has scripts switched off.</p></noscript>
<div class="controls">
<label${labelled && !all ? '' : ' hidden'}>show<select id="which">${options(which)}</select></label>
<label>sort by<select id="by">${options(by)}</select></label>
<label>order<select id="direction">${labelled ? '' : '<option value="up">smallest first</option>'}<option value="down">largest first</option>${labelled ? '<option value="up">smallest first</option>' : ''}</select></label>
<label>key contains<input id="search" type="search" autocomplete="off" spellcheck="false"></label>
${pager('')}
</div>
<p class="under" id="found" aria-live="polite"></p>
<ul class="cards${objectives.length > 1 ? ' wide' : ''}" id="cards"></ul>
<p class="empty" id="none" hidden>No sample here matches.</p>
${pager('-low')}`
}

function correlationSection({ summary }: PageContent): string {
  const pairs = Object.entries(summary.mapCorrelations)
  if (pairs.length === 0) return ''
  const rows = pairs.map(([pair, correlation]) => {
    const [a = '', b = ''] = pair.split('~')
    return `<tr><td><code>${escapeHtml(a)}</code></td><td><code>${escapeHtml(b)}</code></td><td class="number">${hundredth(correlation)}</td></tr>`
  })
  return `<p>Mean over the computed samples of the Pearson correlation between the magnitude maps (28 × 28) of two objectives.</p>
<div class="scroll"><table><thead><tr><th scope="col">objective</th><th scope="col">objective</th><th scope="col" class="number">correlation</th></tr></thead><tbody>${rows.join('')}</tbody></table></div>
<div class="note"><p>Guided maps of yaw, pitch and roll are near-copies of one another: on a real head-pose network they correlate at about 0.93, and the map of +yaw correlates at 0.88 with that of −yaw, which asks for the opposite. A region that lights up under yaw is therefore no evidence that it serves yaw rather than pitch or roll, nor that it pushes the angle one way: read no direction into these maps.</p></div>`
}

function failuresSection({ failures }: PageContent): string {
  if (failures.length === 0) return '<p>No sample failed.</p>'
  const meanings: Readonly<Record<string, string>> = errorCodes
  const rows = failures.map(({ code, count, examples }) => {
    const shown = examples.map(
      ({ key, message }) =>
        `<div><span class="key">${escapeHtml(key)}</span> <span class="quiet">${escapeHtml(message)}</span></div>`,
    )
    return `<tr><td><code>${escapeHtml(code)}</code><br><span class="quiet">${escapeHtml(meanings[code] ?? '')}</span></td><td class="number">${whole(count)}</td><td>${shown.join('')}</td></tr>`
  })
  return `<p>Their records stand in the table too, with code and message.</p>
<div class="scroll"><table><thead><tr><th scope="col">code</th><th scope="col" class="number">samples</th><th scope="col">first of them</th></tr></thead><tbody>${rows.join('')}</tbody></table></div>`
}

function limitsSection(set: ResultSet): string {
  const { scope } = set.options
  const method = {
    all: 'These are guided-backpropagation maps (Springenberg et al. 2014): the objective is propagated back to the image as if to form its derivative, but every rectifier on the way passes only what is positive, so the result is no derivative of anything.',
    stem: 'These maps are guided at the first rectifier only; everything behind it is plain backpropagation.',
    none: 'These maps are plain gradients of the objective with respect to the image, with no guidance.',
  }[scope]
  const guided =
    scope === 'none'
      ? '<p>A plain gradient says how the angle would react to a very small change of each pixel, nothing about larger changes; it is noisy, and its brightest spots need not be where the evidence lies.</p>'
      : `<p>They can show whether the network reacts to the head at all or to background, frame or collar, and they put a fine outline on it. They cannot show why an angle came out as it did. The same rule that makes them sharp makes them resemble the image: they hardly change when the upper layers are replaced by random numbers (Adebayo et al. 2018), theory finds them close to a reconstruction of the image (Nie et al. 2018), and rules of this kind lose what the later layers say (Sixt et al. 2020).</p>
<p>So compare maps between images or networks, and treat a single sharp map as a picture of edges that the first layers respond to until another method, such as covering a region and looking at the angle, agrees.</p>`
  return `<p>${method}</p>${guided}<p class="quiet">More on this, with references and headlight’s own assumptions, in docs/limits.md of its source.</p>`
}

function factsSection(set: ResultSet, summary: Summary): string {
  const { options, network, dataset } = set
  const description = descriptionSchema.safeParse(network.description)
  const code = (text: string) => `<code>${escapeHtml(text)}</code>`
  const facts: [string, string][] = [
    ['network', code(network.file)],
    ['SHA-256', code(network.digest)],
  ]
  if (description.success) {
    const { input, heads } = description.data
    facts.push(['heads', heads.map((head) => escapeHtml(headText(head))).join('<br>')])
    facts.push([
      'input',
      escapeHtml(`${input.width} × ${input.height}, ${resizeText(input.resize)}, ${input.channels.toUpperCase()}`),
    ])
  }
  facts.push(
    ['objectives', options.objectives.map(code).join(', ')],
    ['guided rectifiers', { all: 'all', stem: 'the first only (stem)', none: 'none: plain gradient' }[options.scope]],
    ['map style', styleText(options.style)],
    [
      'engine',
      summary.engine.length === 0 ? 'none: nothing was computed in this run' : escapeHtml(summary.engine.join(', ')),
    ],
    [
      'dataset',
      `${code(withoutPassword(dataset.uri))}, read as ${escapeHtml(withoutPassword(describeAdapter(options.adapter)))}`,
    ],
    ['result set', code(withoutPassword(summary.output))],
    [
      'run',
      `${code(summary.run)}, ${escapeHtml(minute(summary.startedAt))} to ${escapeHtml(minute(summary.closedAt))}`,
    ],
  )
  return `<dl class="facts">${facts.map(([name, value]) => `<dt>${name}</dt><dd>${value}</dd>`).join('')}</dl>`
}

function headText(head: Head): string {
  if (head.kind === 'classes') return `${head.output}: ${head.classes} classes`
  const sign = head.sign === -1 ? ', sign reversed' : ''
  if (head.kind === 'value') return `${head.angle}: one value in ${head.unit} (${head.output})${sign}`
  const offset = `${head.offset < 0 ? '−' : '+'} ${Math.abs(head.offset)}°`
  return `${head.angle}: ${head.bins} bins × ${head.step}° ${offset} (${head.output})${sign}`
}

function resizeText(resize: 'shorter-side' | 'stretch'): string {
  return resize === 'stretch' ? 'stretched to the input' : 'shorter side to the input, then the centre'
}

function styleText(style: ResultSet['options']['style']): string {
  return style === 'origin'
    ? 'origin: (g − mean) / std · 0.1 + 0.5, RGB; mid-grey means no gradient'
    : 'magnitude: largest |g| of the channels, clipped at its 99.5th percentile, grey'
}

const sampleDialog = `<dialog id="sample" aria-labelledby="large-key">
<div class="bar"><p class="key" id="large-key"></p><div><button type="button" id="sample-previous" aria-label="Previous sample">←</button><button type="button" id="sample-next" aria-label="Next sample">→</button><button type="button" id="sample-close">Close</button></div></div>
<div id="large"></div>
</dialog>`

function scriptData({ samples, layout, objectives }: PageContent): unknown {
  const alt =
    objectives.length === 1
      ? 'image, map and overlay'
      : `image, and per objective (${objectives.join(', ')}) map and overlay`
  return { samples, width: layout.width, height: layout.height, alt }
}

function sha256(text: string): string {
  return `sha256-${createHash('sha256').update(text).digest('base64')}`
}

function whole(value: number): string {
  return value.toLocaleString('en-US')
}

function tenth(value: number): string {
  return value.toFixed(1)
}

function hundredth(value: number): string {
  return value.toFixed(2)
}

/** `2026-11-24T17:00:00.000Z` → `2026-11-24 17:00 UTC`. */
function minute(instant: string): string {
  return `${instant.slice(0, 10)} ${instant.slice(11, 16)} UTC`
}

function leftText(left: number | undefined): string {
  return left === undefined ? '' : `: <strong>${left} listed samples were not computed</strong>`
}
