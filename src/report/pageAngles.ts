import type { Summary } from '../output/summary.ts'
import { angleNames, type AngleName, type Degrees } from '../pose/euler.ts'
import type { AngleDistribution } from './distribution.ts'
import { escapeHtml } from './escaping.ts'
import { drawErrorHistogram, drawEstimateHistogram } from './histogram.ts'
import { hundredth, signedHundredth, whole } from './numberText.ts'
import type { PageContent } from './pageContent.ts'
import { drawScatter } from './scatter.ts'

/** Errors as a table, and per angle how estimates lie to the labels. */
export function anglesSection(content: PageContent): string {
  const { summary, distributions, unusableLabels } = content
  const charts = angleNames.map((angle) => angleCharts(angle, distributions[angle])).join('')
  return `${errorTable(summary, unusableLabels?.count ?? 0)}${labelNotes(content)}<div class="charts">${charts}</div>`
}

/** What is to be known of labels before the figures are believed. */
function labelNotes({ unusableLabels, radianHint }: PageContent): string {
  let notes = ''
  if (unusableLabels !== null) {
    const { count, example } = unusableLabels
    const labels = count === 1 ? '1 label' : `${whole(count)} labels`
    notes += `<p>${labels} cannot be used, so that such images have a map and no error; for example <span class="key">${escapeHtml(example.key)}</span>: ${escapeHtml(example.message)}</p>`
  }
  if (radianHint !== null) notes += `<p>Mind that ${escapeHtml(radianHint)}.</p>`
  return notes === '' ? '' : `<div class="note">${notes}</div>`
}

function errorTable({ mae, bias, errors }: Summary, unusable: number): string {
  if (mae === null || errors === null) {
    return `<p>No image has both a label and an estimate of all three angles, so there is no angle error to report.</p>`
  }
  const columns = [...angleNames, 'mean'] as const
  const row = (name: string, cells: readonly string[]) =>
    `<tr><th scope="row">${name}</th>${cells.map((cell) => `<td class="number">${cell}</td>`).join('')}</tr>`
  const absolute = (values: Readonly<Record<(typeof columns)[number], Degrees>>) =>
    columns.map((column) => `${hundredth(values[column])}°`)
  // Summaries of earlier versions have no bias. A mean of the three would let yaw's make up for roll's.
  const signed = bias
    ? row('bias', [...angleNames.map((angle) => `${signedHundredth(bias[angle]).replace('-', '−')}°`), ''])
    : ''
  const excluded =
    errors.excluded === 0
      ? 'None was excluded'
      : `${whole(errors.excluded)} more ${errors.excluded === 1 ? 'is' : 'are'} excluded by convention, a label lying beyond ±99°`
  const unlabelled =
    unusable === 0
      ? ''
      : `; ${whole(unusable)} more ${unusable === 1 ? 'has a label' : 'have labels'} that cannot be used`
  return `<div class="scroll"><table><thead><tr><th></th>${columns.map((column) => `<th scope="col" class="number">${column}</th>`).join('')}</tr></thead>
<tbody>${row('mean absolute error', absolute(mae))}${row('median absolute error', absolute(errors.median))}${signed}</tbody></table></div>
<p class="quiet">Over n = ${whole(errors.n)} images. ${excluded}${unlabelled}. Mean geodesic error, the angle of the one rotation from the labelled to the estimated pose: ${hundredth(errors.geodesicMean)}°. The median under “mean” is that of the images’ own mean errors. The bias is the mean of estimate − label, with its sign.</p>`
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
