import type { Aggregates, AngleErrors } from '../../output/aggregates.ts'
import type { AngleName, Degrees } from '../../pose/euler.ts'
import { poseCellSize } from '../../pose/poseCell.ts'
import { percentile } from '../aggregates/errorBins.ts'
import { fewImages } from '../fewImages.ts'
import { tenth, whole } from '../numberText.ts'
import { short } from '../plotFrame.ts'
import { angleLegend, dashOf, markPath } from './angleMarks.ts'
import { ChartFrame, roundTicks } from './chartFrame.ts'
import { meanAbsolute } from './groupErrors.ts'
import { foldedTable } from './numberTable.ts'

/** The cells of one band of |yaw|, taken together. */
export interface YawBand {
  /** The least |yaw|. */
  readonly from: Degrees
  readonly errors: { readonly [K in AngleName]?: AngleErrors }
}

/** Bands of 15° of |yaw| that hold an error, from the front on: sums and histograms of their cells add up exactly. */
export function yawBands(cells: Aggregates['cells'], angles: readonly AngleName[]): YawBand[] {
  const bands = new Map<Degrees, { [K in AngleName]?: AngleErrors }>()
  for (const { yaw, errors } of cells) {
    const from = yaw >= 0 ? yaw : -yaw - poseCellSize
    const band = bands.get(from) ?? {}
    bands.set(from, band)
    for (const angle of angles) {
      const added = errors[angle]
      if (added !== undefined && added.n > 0) band[angle] = sumOf(band[angle], added)
    }
  }
  return [...bands]
    .filter(([, errors]) => Object.keys(errors).length > 0)
    .sort(([a], [b]) => a - b)
    .map(([from, errors]) => ({ from, errors }))
}

function sumOf(a: AngleErrors | undefined, b: AngleErrors): AngleErrors {
  if (a === undefined) return b
  const counts = new Map(a.histogram)
  for (const [bin, count] of b.histogram) counts.set(bin, (counts.get(bin) ?? 0) + count)
  return {
    n: a.n + b.n,
    absoluteSum: a.absoluteSum + b.absoluteSum,
    signedSum: a.signedSum + b.signedSum,
    histogram: [...counts].sort(([left], [right]) => left - right),
  }
}

/** Mean error by |yaw|, with a line from each mean up to the 95th percentile, and the same as a table. */
export function drawYawBands(cells: Aggregates['cells'], angles: readonly AngleName[]): string {
  const bands = yawBands(cells, angles)
  const points = bands.flatMap(({ from, errors }) =>
    angles.flatMap((angle) => {
      const of = errors[angle]
      return of === undefined
        ? []
        : [{ from, angle, n: of.n, mean: meanAbsolute(of) ?? 0, high: percentile(of.histogram, 0.95) }]
    }),
  )
  const end = Math.max(...bands.map(({ from }) => from)) + poseCellSize
  const ticks = roundTicks(Math.max(...points.map(({ n, mean, high }) => (n < fewImages ? mean : high))))
  const frame = new ChartFrame({ width: 360, height: 300, x: [0, end], top: ticks.at(-1) ?? 1 })
  const place = (from: Degrees, angle: AngleName) =>
    frame.x(from + poseCellSize / 2) +
    (angles.indexOf(angle) - (angles.length - 1) / 2) * Math.min(9, frame.width / (end / poseCellSize) / 5)
  const series = angles.map((angle) => {
    const own = points.filter((point) => point.angle === angle)
    const line = own.map(
      ({ from, mean }, i) => `${i === 0 ? 'M' : 'L'}${short(place(from, angle))} ${short(frame.y(mean))}`,
    )
    // Of a handful of images the 95th percentile is but the largest error.
    const reach = own
      .filter(({ n }) => n >= fewImages)
      .map(({ from, mean, high }) => {
        const [x, y] = [place(from, angle), frame.y(high)]
        return `M${short(x)} ${short(frame.y(mean))}V${short(y)}M${short(x - 3)} ${short(y)}h6`
      })
    const marks = (isFew: boolean) =>
      own
        .filter(({ n }) => n < fewImages === isFew)
        .map(({ from, mean }) => markPath(angle, place(from, angle), frame.y(mean)))
    return `<path class="line faint ${angle}" d="${reach.join('')}"/><path class="line ${angle}"${dashOf(angle)} d="${line.join('')}"/><path class="${angle}" d="${marks(false).join('')}"/><path class="${angle} hollow" d="${marks(true).join('')}"/>`
  })
  const worst = points.reduce((most, point) => (point.mean > most.mean ? point : most))
  const edges = Array.from({ length: end / poseCellSize + 1 }, (_, i) => i * poseCellSize)
  const svg = frame.svg(
    `Mean error by the size of yaw in bands of ${poseCellSize}°; largest mean ${tenth(worst.mean)}° in ${worst.angle} from ${worst.from}° on`,
    [
      frame.gridAcross(ticks),
      ...series,
      ...edges.map((edge) => frame.tickBelow(edge, String(edge))),
      angleLegend(angles, frame.left, 10),
      frame.nameBelow('|yaw|, °'),
      frame.nameBeside('error, °'),
    ],
  )
  const rows = bands.map(({ from, errors }) => [
    `${from} to ${from + poseCellSize}`,
    whole(Math.max(...angles.map((angle) => errors[angle]?.n ?? 0))),
    ...angles.map((angle) => tenth(meanAbsolute(errors[angle]) ?? Number.NaN)),
    ...angles.map((angle) => tenth(percentile(errors[angle]?.histogram ?? [], 0.95))),
  ])
  const columns = [
    { name: '|yaw|' },
    { name: 'images' },
    ...angles.map((angle) => ({ name: `${angle}, mean` })),
    ...angles.map((angle) => ({ name: `${angle}, p95` })),
  ]
  return `${svg}<p class="under">Marks are means; the line above each ends at the 95th percentile. Hollow marks rest on fewer than ${fewImages} images.</p>${foldedTable(columns, rows, 'Errors by |yaw| as a table, degrees')}`
}
