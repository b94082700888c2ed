import { numberTable } from '../../charts/numberTable.ts'
import { hundredth, trueSignedHundredth, whole } from '../../numberText.ts'
import { basisText } from '../basisText.ts'
import type { Comparison } from '../comparison.ts'
import { metrics, type Metric } from '../groupSums.ts'
import { drawIntervals } from './intervalPlot.ts'

/** The difference of the errors with its intervals, and how far the estimates lie apart. */
export function differenceSection(comparison: Comparison): string {
  const figures = comparison.all.errors === null ? estimatesFigure(comparison) : errorsFigures(comparison)
  return `${findingPart(comparison)}<div class="plots">${figures}</div>${readingNote(comparison)}`
}

function findingPart(comparison: Comparison): string {
  const { all, intervalBasis } = comparison
  if (all.errors === null) return '<p>No image that is compared has a label, so that no error can be told.</p>'
  const unit = all.disagreement === 0 ? '' : ` ${sentence(basisText(intervalBasis))}`
  const apart = apartText(comparison)
  const others =
    apart === ''
      ? ''
      : `<p><strong>${apart}</strong> They are in no pair, so nothing below is about them but the section on images.</p>`
  return `<p><strong>${findingText(comparison)}</strong>${unit}</p>${others}`
}

function errorsFigures(comparison: Comparison): string {
  const { all, intervals, disagreement } = comparison
  const { errors } = all
  if (errors === null) return ''
  const rows = metrics.flatMap((metric) => {
    const found = errors[metric]
    if (found === undefined) return []
    const interval = intervals[metric]
    const range = interval
      ? `${trueSignedHundredth(interval.low)}&nbsp;to&nbsp;${trueSignedHundredth(interval.high)}`
      : 'none'
    const bias = metric === 'mean' || metric === 'geodesic' ? undefined : errors[metric]
    return [
      [
        metric,
        hundredth(found.a),
        hundredth(found.b),
        `<strong>${trueSignedHundredth(found.delta)}</strong>`,
        range,
        bias === undefined ? '' : trueSignedHundredth(bias.biasA),
        bias === undefined ? '' : trueSignedHundredth(bias.biasB),
        disagreement?.mean[metric] === undefined ? '' : hundredth(disagreement.mean[metric]),
      ],
    ]
  })
  const columns = [
    'error of',
    'A, °',
    'B, °',
    'B − A, °',
    '95 % interval, °',
    'bias A, °',
    'bias B, °',
    'apart, °',
  ].map((name) => ({
    name,
  }))
  const name = `Mean absolute error over ${whole(errors.n)} labelled images`
  const plot =
    all.disagreement === 0
      ? ''
      : `<figure><h3>Difference of the mean errors, B − A</h3>${drawIntervals(comparison)}</figure>`
  return `${plot}<figure><h3>${name}</h3>${numberTable(columns, rows, { name })}<p class="quiet">Apart: mean |estimate of B − estimate of A|.</p></figure>`
}

/** What the figures say, and no more. */
function findingText({ all, intervals }: Comparison): string {
  const { errors, disagreement } = all
  if (errors === null) return ''
  if (disagreement === 0) return 'No estimate differs.'
  const interval = intervals.mean
  const delta = errors.mean.delta
  const how = delta > 0 ? 'larger' : 'smaller'
  const size = `The mean error of B is ${hundredth(Math.abs(delta))}° ${how} than that of A`
  if (interval === undefined || interval === null) return `${size}.`
  if (interval.low <= 0 && interval.high >= 0)
    return `${size}; the interval holds 0, so that chance alone may have made the difference.`
  return `${size}; the interval, ${trueSignedHundredth(interval.low)}° to ${trueSignedHundredth(interval.high)}°, does not hold 0.`
}

/** What a night has brought or changed, which no pair shows. */
function apartText({ apart, a }: Comparison): string {
  const { onlyB, changedA, changedB } = apart
  const added =
    onlyB.errors === null || a.all.errors === null
      ? []
      : [
          `Labelled images only in B (${whole(onlyB.errors.n)}) have a mean error of ${hundredth(onlyB.errors.mae.mean ?? NaN)}°, all of A ${hundredth(a.all.errors.mae.mean ?? NaN)}°.`,
        ]
  const changed =
    changedA.errors === null || changedB.errors === null
      ? []
      : [
          `Changed ones (${whole(changedB.errors.n)}) had a mean error of ${hundredth(changedA.errors.mae.mean ?? NaN)}° in A and have ${hundredth(changedB.errors.mae.mean ?? NaN)}° in B.`,
        ]
  return [...added, ...changed].join(' ')
}

function readingNote({ all, intervalBasis }: Comparison): string {
  if (intervalBasis === null || all.disagreement === 0) return ''
  const images =
    intervalBasis.unit === 'image'
      ? 'Nothing tells subjects or sequences apart here. If images are frames of a few videos, or a few people, the true uncertainty is several times larger.'
      : `Whole ${intervalBasis.unit}s are drawn, since images of one ${intervalBasis.unit} err alike.`
  return `<div class="note"><p>An interval is about other ${intervalBasis.unit}s like these, not about another dataset. ${images} It is for one look: of the many cells, bands, subjects and sequences below, some differ by chance alone.</p></div>`
}

function estimatesFigure({ disagreement }: Comparison): string {
  if (disagreement === null) return ''
  const { n, mean, shift } = disagreement
  if (mean.mean === 0) return ''
  const rows = metrics.flatMap((metric) => {
    const apart = mean[metric]
    return apart === undefined ? [] : [[metric, hundredth(apart), shiftOf(metric, shift)]]
  })
  const columns = ['estimate of', '|B − A|, °', 'B − A, °'].map((name) => ({ name }))
  const name = `How far the estimates lie apart, ${whole(n)} images`
  return `<figure><h3>${name}</h3>${numberTable(columns, rows, { name })}</figure>`
}

function shiftOf(metric: Metric, shift: NonNullable<Comparison['disagreement']>['shift']): string {
  if (metric === 'mean' || metric === 'geodesic') return ''
  const found = shift[metric]
  return found === undefined ? '' : trueSignedHundredth(found)
}

function sentence(text: string): string {
  return `${text.charAt(0).toUpperCase()}${text.slice(1)}.`
}
