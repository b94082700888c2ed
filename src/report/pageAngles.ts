import { angleNames, type AngleName, type Degrees } from '../pose/euler.ts'
import type { AngleDistribution } from './distribution.ts'
import { errorFigures, missingAngles, type ErrorFigures } from './errorFigures.ts'
import { escapeHtml } from './escaping.ts'
import { drawErrorHistogram, drawEstimateHistogram } from './histogram.ts'
import { hundredth, trueSignedHundredth, whole } from './numberText.ts'
import type { PageContent } from './pageContent.ts'
import { drawScatter } from './scatter.ts'

/** Errors as a table, and per angle how estimates lie to the labels; nothing of a network that gives no angle. */
export function anglesSection(content: PageContent): string {
  const { summary, distributions, unusableLabels, hasAngles } = content
  if (!hasAngles) return ''
  const charts = angleNames.map((angle) => angleCharts(angle, distributions[angle])).join('')
  return `${errorTable(errorFigures(summary), unusableLabels?.count ?? 0)}${labelNotes(content)}<div class="charts">${charts}</div>`
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

function errorTable(figures: ErrorFigures | undefined, unusable: number): string {
  if (figures === undefined) {
    return `<p>No image has both a label and an estimate of an angle, so there is no angle error to report.</p>`
  }
  const { columns, mae, median, bias, n, excluded, geodesicMean } = figures
  const row = (name: string, values: ErrorFigures['mae'], text: (value: Degrees) => string) => {
    const cells = columns.map((column) => (values[column] === undefined ? '' : `${text(values[column])}°`))
    return `<tr><th scope="row">${name}</th>${cells.map((cell) => `<td class="number">${cell}</td>`).join('')}</tr>`
  }
  const signed = bias ? row('bias', bias, (value) => trueSignedHundredth(value)) : ''
  const beyond =
    excluded === 0
      ? 'None was excluded'
      : `${whole(excluded)} more ${excluded === 1 ? 'is' : 'are'} excluded by convention, a label lying beyond ±99°`
  const unlabelled =
    unusable === 0
      ? ''
      : `; ${whole(unusable)} more ${unusable === 1 ? 'has a label' : 'have labels'} that cannot be used`
  const geodesic =
    geodesicMean === undefined
      ? `The network gives no ${missingAngles(figures)}, so there is no geodesic error.`
      : `Mean geodesic error, the angle of the one rotation from the labelled to the estimated pose: ${hundredth(geodesicMean)}°. The median under “mean” is that of the images’ own mean errors.`
  return `<div class="scroll"><table><thead><tr><td></td>${columns.map((column) => `<th scope="col" class="number">${column}</th>`).join('')}</tr></thead>
<tbody>${row('mean absolute error', mae, hundredth)}${row('median absolute error', median, hundredth)}${signed}</tbody></table></div>
<p class="quiet">Over n = ${whole(n)} images. ${beyond}${unlabelled}. ${geodesic} The bias is the mean of estimate − label, with its sign.</p>`
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
