import { float16Values } from '../../base/float16.ts'
import { mapPixels } from '../../output/poseMaps.ts'

/** Width of a bin of correlations, over [−1, 1]. */
const binWidth = 0.001
const bins = 2_000

/** How alike the small maps of two tables are, by objective. */
export interface ObjectiveLikeness {
  /** Images whose two maps have a correlation: none of them is constant. */
  readonly n: number
  readonly mean: number
  /** The fifth percentile, to half a thousandth. */
  readonly p5: number
}

/** Pearson correlations of pairs of maps as they come. */
export class Likeness {
  readonly #histogram = new Float64Array(bins)
  #sum = 0
  #n = 0

  add(correlation: number): void {
    this.#n++
    this.#sum += correlation
    const bin = Math.min(bins - 1, Math.max(0, Math.floor((correlation + 1) / binWidth)))
    this.#histogram[bin] = (this.#histogram[bin] ?? 0) + 1
  }

  /** Null when no pair had a correlation. */
  finish(): ObjectiveLikeness | null {
    if (this.#n === 0) return null
    let below = 0
    let p5 = 1
    for (const [bin, count] of this.#histogram.entries()) {
      below += count
      if (below < 0.05 * this.#n) continue
      // Sums of two bins' widths are not exact; the bins themselves are told to four digits.
      p5 = Math.round(((bin + 0.5) * binWidth - 1) * 1e4) / 1e4
      break
    }
    return { n: this.#n, mean: this.#sum / this.#n, p5 }
  }
}

/**
 * Of two maps of 28 × 28 as bit patterns of float16, within longer arrays that begin with other objectives' maps. Null where
 * one of the two is constant, or holds no number.
 */
export function correlationOf(a: Uint16Array, startA: number, b: Uint16Array, startB: number): number | null {
  const values = float16Values()
  let [sumA, sumB] = [0, 0]
  for (let i = 0; i < mapPixels; i++) {
    sumA += values[a[startA + i] ?? 0] ?? 0
    sumB += values[b[startB + i] ?? 0] ?? 0
  }
  const [meanA, meanB] = [sumA / mapPixels, sumB / mapPixels]
  let [squaresA, squaresB, products] = [0, 0, 0]
  for (let i = 0; i < mapPixels; i++) {
    const x = (values[a[startA + i] ?? 0] ?? 0) - meanA
    const y = (values[b[startB + i] ?? 0] ?? 0) - meanB
    squaresA += x * x
    squaresB += y * y
    products += x * y
  }
  const isConstant = (squares: number, mean: number): boolean =>
    Math.sqrt(squares) <= 1e-12 * Math.abs(mean) * mapPixels
  if (isConstant(squaresA, meanA) || isConstant(squaresB, meanB)) return null
  const correlation = products / Math.sqrt(squaresA * squaresB)
  return Number.isFinite(correlation) ? correlation : null
}
