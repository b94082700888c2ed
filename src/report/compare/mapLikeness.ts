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
