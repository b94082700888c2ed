import { float16Values } from '../../base/float16.ts'
import { mapPixels } from '../../output/poseMaps.ts'

/**
 * Of each float16 pattern its number in steps of 2⁻²⁴, of which all finite ones are multiples. Others, which no worker
 * writes, count nothing: one NaN from a damaged file would stay in its sum for good.
 */
const steps = Float64Array.from(float16Values(), (value) => (Number.isFinite(value) ? value * 2 ** 24 : 0))

/** One small map as whole numbers, with what its correlations need. One object for all rows, which is filled anew. */
export class WholeMap {
  readonly values = new Float64Array(mapPixels)
  sum = 0
  /** Σ(value − mean)². */
  squares = 0

  /**
   * Reads the map that begins at `start` of some float16 patterns. With `sums` it is added there, from `start` as well, or
   * with a sign of −1 subtracted: in one pass, since this is where the time of an atlas goes.
   */
  read(patterns: Uint16Array, start: number, sums?: Float64Array, sign: 1 | -1 = 1): void {
    const { values } = this
    let sum = 0
    let squares = 0
    for (let i = 0; i < mapPixels; i++) {
      const value = steps[patterns[start + i] ?? 0] ?? 0
      values[i] = value
      sum += value
      squares += value * value
      if (sums !== undefined) sums[start + i] = (sums[start + i] ?? 0) + sign * value
    }
    this.sum = sum
    this.squares = squares - (sum * sum) / mapPixels
  }
}

/** Pearson's. Null when one of them is constant, and has none with any. Exact: the sums of a constant map are whole. */
export function mapCorrelation(a: WholeMap, b: WholeMap): number | null {
  if (!(a.squares > 0) || !(b.squares > 0)) return null
  let dot = 0
  for (let i = 0; i < mapPixels; i++) dot += (a.values[i] ?? 0) * (b.values[i] ?? 0)
  return (dot - (a.sum * b.sum) / mapPixels) / Math.sqrt(a.squares * b.squares)
}
