import type { AngleErrors, Group } from '../../output/aggregates.ts'
import type { Degrees } from '../../pose/euler.ts'
import { errorBinEdges, percentile } from '../aggregates/errorBins.ts'
import { tenth } from '../numberText.ts'
import { short } from '../plotFrame.ts'
import { angleLegend, dashOf, type MarkedAngle } from './angleMarks.ts'
import { ChartFrame, roundTicks } from './chartFrame.ts'
import { anglesOf } from './groupErrors.ts'
import { numberTable } from './numberTable.ts'

/** Edges of bins, so that the shares in the table are exact. */
const told: readonly Degrees[] = [2, 5, 10, 15, 30]

/** The share of images of which the error is not above x, by angle, and how large it is for half and 95 % of them. */
export function drawCumulativeErrors(group: Group): string {
  const kinds: readonly MarkedAngle[] = [
    ...anglesOf(group),
    ...(group.errors.geodesic === undefined ? [] : ['geodesic' as const]),
  ]
  const curves = kinds.map((kind) => ({ kind, histogram: group.errors[kind]?.histogram ?? [] }))
  const ticks = roundTicks(Math.max(...curves.map(({ histogram }) => percentile(histogram, 0.98))))
  const end = ticks.at(-1) ?? 1
  const frame = new ChartFrame({ width: 340, height: 190, x: [0, end], top: 1 })
  const lines = curves.map(({ kind, histogram }) => {
    const points = errorBinEdges.filter((edge) => edge < end).concat(end)
    const path = points.map(
      (edge, i) => `${i === 0 ? 'M' : 'L'}${short(frame.x(edge))} ${short(frame.y(shareWithin(histogram, edge)))}`,
    )
    return `<path class="line ${kind}"${dashOf(kind)} d="${path.join('')}"/>`
  })
  const halves = curves.map(({ kind, histogram }) => `${kind} ${tenth(percentile(histogram, 0.5))}°`)
  const svg = frame.svg(`Share of images within an error; half of them are within ${halves.join(', ')}`, [
    frame.gridAcross([0, 0.25, 0.5, 0.75, 1], percent),
    ...lines,
    ...ticks.map((tick) => frame.tickBelow(tick, String(tick))),
    angleLegend(kinds, frame.left, 10),
    frame.nameBelow('error, °'),
    frame.nameBeside('share of images'),
  ])
  const rows = curves.map(({ kind, histogram }) => [
    kind,
    ...told.map((within) => percent(shareWithin(histogram, within))),
    tenth(percentile(histogram, 0.5)),
    tenth(percentile(histogram, 0.95)),
  ])
  const columns = [
    { name: 'within', isText: true },
    ...told.map((within) => ({ name: `${within}°` })),
    { name: 'p50, °' },
    { name: 'p95, °' },
  ]
  return `<div class="plots"><div>${svg}</div><div>${numberTable(columns, rows, { name: 'Share of images within an error' })}</div></div>`
}

/** Exact at an edge of a bin, in between by the share of the bin. NaN when there is none. */
export function shareWithin(histogram: AngleErrors['histogram'], limit: Degrees): number {
  let [within, all] = [0, 0]
  for (const [bin, count] of histogram) {
    const [from = 0, to = 180] = [errorBinEdges[bin], errorBinEdges[bin + 1]]
    within += count * Math.min(1, Math.max(0, (limit - from) / (to - from)))
    all += count
  }
  return within / all
}

function percent(share: number): string {
  const value = 100 * share
  // What is not all is not to read as if it were.
  return `${value > 99 && value < 100 ? (Math.floor(value * 10) / 10).toFixed(1) : Math.round(value)} %`
}
