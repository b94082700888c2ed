import type { Degrees } from '../pose/euler.ts'

/** Up to so many samples the median is exact. */
export const exactMedianLimit = 65_536

/** Width of a histogram bin beyond that: the median is then right to half of this. */
const binWidth: Degrees = 0.01
const binCount = 18_001

/**
 * Mean and median of |error| over any number of samples in bounded memory. The median is exact up to
 * `exactMedianLimit` samples; beyond, samples are counted in bins of 0.01° and the centre of the middle sample's bin is
 * given.
 */
export class AbsoluteErrors {
  #exact: number[] | null = []
  readonly #bins = new Float64Array(binCount)
  #sum: Degrees = 0
  #n = 0

  get n(): number {
    return this.#n
  }

  /** `error` may be signed; it lies in [−180, 180]. */
  add(error: Degrees): void {
    const size = Math.abs(error)
    this.#sum += size
    this.#n++
    this.#count(size)
    if (this.#exact === null) return
    if (this.#exact.length === exactMedianLimit) this.#exact = null
    else this.#exact.push(size)
  }

  /** NaN when nothing was added. */
  mean(): Degrees {
    return this.#sum / this.#n
  }

  /** NaN when nothing was added. The mean of the two middle samples when their number is even. */
  median(): Degrees {
    if (this.#n === 0) return Number.NaN
    const [lower, upper] = [Math.floor((this.#n - 1) / 2), Math.floor(this.#n / 2)]
    const at = this.#exact === null ? (rank: number) => this.#binAt(rank) : sortedAt(this.#exact)
    return (at(lower) + at(upper)) / 2
  }

  #count(size: Degrees): void {
    const bin = Math.min(binCount - 1, Math.floor(size / binWidth))
    this.#bins[bin] = (this.#bins[bin] ?? 0) + 1
  }

  /** Centre of the bin that holds the sample of this rank (from 0) in ascending order. */
  #binAt(rank: number): Degrees {
    let below = 0
    for (const [bin, count] of this.#bins.entries()) {
      below += count
      if (below > rank) return (bin + 0.5) * binWidth
    }
    return 180
  }
}

function sortedAt(values: readonly number[]): (rank: number) => Degrees {
  const sorted = Float64Array.from(values).sort()
  return (rank) => sorted[rank] ?? Number.NaN
}
