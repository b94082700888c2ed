import type { ClusterSums } from './clusterSums.ts'
import { expandedTail, normalQuantile } from './expandedLevel.ts'
import { RandomDraws } from './randomDraws.ts'

export interface Interval {
  readonly low: number
  readonly high: number
}

const resamples = 2_000

/**
 * A 95 % interval for each metric's mean paired difference, by resampling whole clusters (the cluster bootstrap): of as
 * many clusters, drawn with replacement, the sum of differences over the number of images, 2,000 times; of
 * these the interval leaves out 2.5 % at each end, or less where clusters are few (`expandedTail`). A ratio of sums, not a mean of the clusters' means, so that
 * each image counts alike. All metrics see the same draws.
 *
 * Null for a metric without numbers, and for all where there is one cluster only, which says nothing of others.
 */
export function clusterIntervals({ n, sums }: ClusterSums, seed: number): (Interval | null)[] {
  const clusters = n.length
  if (clusters < 2) return sums.map(() => null)
  const draws = new RandomDraws(seed)
  const ratios = sums.map(() => new Float64Array(resamples))
  const totals = new Float64Array(sums.length)
  for (let resample = 0; resample < resamples; resample++) {
    totals.fill(0)
    let images = 0
    for (let draw = 0; draw < clusters; draw++) {
      const cluster = draws.below(clusters)
      images += n[cluster] ?? 0
      for (let metric = 0; metric < sums.length; metric++) {
        totals[metric] = (totals[metric] ?? 0) + (sums[metric]?.[cluster] ?? NaN)
      }
    }
    for (const [metric, of] of ratios.entries()) of[resample] = (totals[metric] ?? NaN) / images
  }
  const tail = expandedTail(clusters)
  return ratios.map((of) => {
    const sorted = of.sort()
    return Number.isNaN(sorted.at(-1)) ? null : { low: percentile(sorted, tail), high: percentile(sorted, 1 - tail) }
  })
}

/** Interpolated between ranks, as NumPy's `percentile` is. */
function percentile(sorted: Float64Array, share: number): number {
  const rank = share * (sorted.length - 1)
  const below = Math.floor(rank)
  const [low, high] = [sorted[below] ?? NaN, sorted[Math.min(below + 1, sorted.length - 1)] ?? NaN]
  return low + (high - low) * (rank - below)
}

/** Mean and spread of numbers as they come (Welford 1962): sums of squares would lose the digits that matter. */
export class RunningSpread {
  #n = 0
  #mean = 0
  #squares = 0

  add(value: number): void {
    this.#n++
    const before = value - this.#mean
    this.#mean += before / this.#n
    this.#squares += before * (value - this.#mean)
  }

  /** The 95 % interval of the mean by the normal distribution, for many independent values. Null where there is none. */
  interval(): Interval | null {
    if (this.#n < 2 || Number.isNaN(this.#mean)) return null
    const half = normalQuantile * Math.sqrt(this.#squares / (this.#n - 1) / this.#n)
    return { low: this.#mean - half, high: this.#mean + half }
  }
}
