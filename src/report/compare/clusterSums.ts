import { createHash } from 'node:crypto'

/** So many clusters are kept apart. */
export const clusterLimit = 10_000

/** Sums over clusters of images: what a resampling of clusters needs of them. */
export interface ClusterSums {
  /** Images of each cluster. */
  readonly n: Float64Array
  /** One for each metric: Σ of the paired differences of each cluster. */
  readonly sums: readonly Float64Array[]
  /** More clusters were met than are kept apart, so that some share a place. */
  readonly areShared: boolean
}

/**
 * Sums paired differences by cluster, a subject say. Clusters beyond the first 10,000 are put with others, by a digest of
 * their name: groups of independent clusters are independent as well, so intervals stay right. Dropping them, or calling
 * them one, would not.
 */
export class ClusterTally {
  readonly #metrics: number
  readonly #places = new Map<string | null, number>()
  readonly #n = new Float64Array(clusterLimit)
  readonly #sums: readonly Float64Array[]
  #areShared = false

  constructor(metrics: number) {
    this.#metrics = metrics
    this.#sums = Array.from({ length: metrics }, () => new Float64Array(clusterLimit))
  }

  /**
   * @param cluster null: the one of images that name none
   * @param differences one for each metric; NaN where the image has none, which then has none in any image
   */
  add(cluster: string | null, differences: readonly number[]): void {
    const place = this.#placeOf(cluster)
    this.#n[place] = (this.#n[place] ?? 0) + 1
    for (let metric = 0; metric < this.#metrics; metric++) {
      const sums = this.#sums[metric]
      if (sums !== undefined) sums[place] = (sums[place] ?? 0) + (differences[metric] ?? NaN)
    }
  }

  finish(): ClusterSums {
    const count = this.#places.size
    return {
      n: this.#n.subarray(0, count),
      sums: this.#sums.map((sums) => sums.subarray(0, count)),
      areShared: this.#areShared,
    }
  }

  #placeOf(cluster: string | null): number {
    const known = this.#places.get(cluster)
    if (known !== undefined) return known
    const next = this.#places.size
    if (next < clusterLimit) {
      this.#places.set(cluster, next)
      return next
    }
    this.#areShared = true
    return (
      createHash('sha256')
        .update(cluster ?? '')
        .digest()
        .readUInt32LE(0) % clusterLimit
    )
  }
}
