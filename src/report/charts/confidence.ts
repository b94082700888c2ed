import type { Aggregates } from '../../output/aggregates.ts'
import { angleNames, type AngleName } from '../../pose/euler.ts'
import { fewImages } from '../fewImages.ts'
import { hundredth, tenth, whole } from '../numberText.ts'
import type { PageContent } from '../pageContent.ts'
import { short } from '../plotFrame.ts'
import { dashOf, markPath } from './angleMarks.ts'
import { ChartFrame, roundTicks } from './chartFrame.ts'
import { meanAbsolute } from './groupErrors.ts'
import { foldedTable } from './numberTable.ts'

type Tenths = NonNullable<Aggregates['confidence'][AngleName]>

const width = 290
const errorHeight = 120
const shareHeight = 60
const gap = 34

/** Error by the probability of the likeliest bin; nothing of heads without bins, or without labels. */
export function confidenceSection({ aggregates }: Pick<PageContent, 'aggregates'>): string {
  if (aggregates === null) return ''
  const angles = angleNames.flatMap((angle) => {
    const tenths = aggregates.confidence[angle]
    return tenths !== undefined && tenths.some(({ n }) => n > 0) ? [{ angle, tenths }] : []
  })
  if (angles.length === 0) return ''
  const findings = angles.map(({ angle, tenths }) => findingText(angle, tenths)).filter((text) => text !== '')
  const charts = angles.map(({ angle, tenths }) => `<figure><h3>${angle}</h3>${drawConfidence(angle, tenths)}</figure>`)
  return `<p>How large the error is where a binned head is sure of itself, and where it is not. Images are sorted into tenths of the probability of the likeliest bin. Hollow marks rest on fewer than ${fewImages} images.${findings.length === 0 ? '' : ` <strong>${findings.join(' ')}</strong>`}</p>
<div class="charts">${charts.join('')}</div>${confidenceTable(angles)}`
}

/** The least and the surest tenth that hold enough images. */
function findingText(angle: AngleName, tenths: Tenths): string {
  const enough = tenths.flatMap((errors, i) => (errors.n >= fewImages ? [{ i, mean: meanAbsolute(errors) ?? 0 }] : []))
  const [least, most] = [enough[0], enough.at(-1)]
  if (least === undefined || most === undefined || least === most) return ''
  return `Error in ${angle}: ${tenth(least.mean)}° at a probability of ${rangeOf(least.i)}, ${tenth(most.mean)}° at ${rangeOf(most.i)}.`
}

/** Mean errors above, shares of the images below, over the same axis: two scales on one plot would invent crossings. */
function drawConfidence(angle: AngleName, tenths: Tenths): string {
  const all = tenths.reduce((sum, { n }) => sum + n, 0)
  const points = tenths.flatMap((errors, i) =>
    errors.n > 0 ? [{ i, n: errors.n, mean: meanAbsolute(errors) ?? 0 }] : [],
  )
  const ticks = roundTicks(Math.max(...points.map(({ mean }) => mean)))
  const frame = new ChartFrame({ width, height: errorHeight, x: [0, 1], top: ticks.at(-1) ?? 1, above: 20 })
  const most = Math.max(...points.map(({ n }) => n / all))
  const shares = new ChartFrame({ width, height: shareHeight, x: [0, 1], top: most, above: frame.base + gap })
  const centre = (i: number) => frame.x((i + 0.5) / 10)
  const line = points.map(({ i, mean }, at) => `${at === 0 ? 'M' : 'L'}${short(centre(i))} ${short(frame.y(mean))}`)
  const marks = (isFew: boolean) =>
    points
      .filter(({ n }) => n < fewImages === isFew)
      .map(({ i, mean }) => markPath(angle, centre(i), frame.y(mean), 3.4))
  const numbers = points.map(
    ({ i, mean }) =>
      `<text class="value" x="${short(centre(i))}" y="${short(frame.y(mean) - 7)}" text-anchor="middle">${tenth(mean)}</text>`,
  )
  const bars = points.map(({ i, n }) => {
    const top = shares.y(n / all)
    return `<rect class="bar" x="${short(shares.x(i / 10) + 1)}" y="${short(top)}" width="${short(width / 10 - 2)}" height="${short(shares.base - top)}"><title>${rangeOf(i)}: n ${whole(n)}</title></rect><text x="${short(centre(i))}" y="${short(top - 3)}" text-anchor="middle">${percent(n / all)}</text>`
  })
  const finding = findingText(angle, tenths)
  return shares.svg(`Error in ${angle} by probability of the likeliest bin. ${finding}`, [
    frame.gridAcross(ticks),
    `<path class="line ${angle}"${dashOf(angle)} d="${line.join('')}"/><path class="${angle}" d="${marks(false).join('')}"/><path class="${angle} hollow" d="${marks(true).join('')}"/>`,
    ...numbers,
    frame.nameBeside('mean error, °'),
    ...bars,
    `<path class="axis" d="M${shares.left} ${shares.base}h${shares.width}"/>`,
    ...[0, 0.2, 0.4, 0.6, 0.8, 1].map((tick) => shares.tickBelow(tick, String(tick))),
    shares.nameBelow(`probability of the likeliest bin, ${angle}`),
    shares.nameBeside('images, %'),
  ])
}

function percent(share: number): string {
  const value = 100 * share
  return value < 0.5 ? '<1' : String(Math.round(value))
}

function rangeOf(i: number): string {
  return `${(i / 10).toFixed(1)} to ${((i + 1) / 10).toFixed(1)}`
}

function confidenceTable(angles: readonly { readonly angle: AngleName; readonly tenths: Tenths }[]): string {
  const columns = [
    { name: 'probability' },
    ...angles.flatMap(({ angle }) => [{ name: `${angle} images` }, { name: `${angle} error` }]),
  ]
  const rows = Array.from({ length: 10 }, (_, i) => [
    rangeOf(i),
    ...angles.flatMap(({ tenths }) => {
      const errors = tenths[i]
      const mean = meanAbsolute(errors)
      return [whole(errors?.n ?? 0), mean === undefined ? '–' : hundredth(mean)]
    }),
  ])
  return foldedTable(columns, rows, 'Error by probability as a table, degrees')
}
