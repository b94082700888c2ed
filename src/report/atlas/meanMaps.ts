import { mapPixels, unplaced, type CellMaps, type PoseMaps } from '../../output/poseMaps.ts'
import { fewImages } from '../fewImages.ts'

/** The mean of `n` small maps: 28 × 28, row-major. */
export interface MeanMap {
  readonly n: number
  readonly values: Float64Array
}

/** The means of one channel by cell, and over all rows, those that no pose places among them. */
export interface MeanMaps {
  readonly cells: ReadonlyMap<number, MeanMap>
  readonly overall: MeanMap
}

/**
 * What one step of a sum is worth. A map of magnitudes sums to 1 in steps of 2⁻²⁴; in multiples of the even share, 1/784,
 * its numbers are about 1 and can be read.
 */
export const evenShares = mapPixels * 2 ** -24
export const greyLevels = 1

/** As in an overlay: one extreme pixel would darken all the others. */
const percentile = 0.995

/** Undefined when the sums hold no row. */
export function meanMaps(maps: PoseMaps, channel: number, step: number): MeanMaps | undefined {
  const cells = new Map<number, MeanMap>()
  const total = { n: 0, sums: new Float64Array(mapPixels) }
  for (const [cell, { n, sums }] of maps.cells) {
    if (n === 0) continue
    const own = { n, sums: sums.subarray(channel * mapPixels, (channel + 1) * mapPixels) }
    total.n += n
    for (const [pixel, sum] of own.sums.entries()) total.sums[pixel] = (total.sums[pixel] ?? 0) + sum
    if (cell !== unplaced) cells.set(cell, mean(own, step))
  }
  return total.n === 0 ? undefined : { cells, overall: mean(total, step) }
}

function mean({ n, sums }: CellMaps, step: number): MeanMap {
  return { n, values: sums.map((sum) => (sum / n) * step) }
}

/** Each cell's mean less the mean over all rows. */
export function differences({ cells, overall }: MeanMaps): ReadonlyMap<number, MeanMap> {
  const less = ({ n, values }: MeanMap): MeanMap => ({
    n,
    values: values.map((value, pixel) => value - (overall.values[pixel] ?? 0)),
  })
  return new Map([...cells].map(([cell, map]) => [cell, less(map)]))
}

/**
 * The two values between which all but the lowest and the highest 0.5 % of the pixels lie, over all cells: the ends of a
 * common scale. Cells of few images are left out where others are there: their noise would darken all that can be trusted.
 */
export function commonRange(maps: readonly MeanMap[]): { readonly low: number; readonly high: number } {
  const trusted = maps.filter(({ n }) => n >= fewImages)
  const used = trusted.length > 0 ? trusted : maps
  const sorted = new Float64Array(used.reduce((sum, { values }) => sum + values.length, 0))
  let end = 0
  for (const { values } of used) {
    sorted.set(values, end)
    end += values.length
  }
  sorted.sort()
  const at = (share: number) => sorted[Math.round(share * (sorted.length - 1))] ?? 0
  return { low: at(1 - percentile), high: at(percentile) }
}
