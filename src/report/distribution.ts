import type { Degrees } from '../pose/euler.ts'

/** Up to so many samples are drawn as points; beyond, the estimates are drawn as a density. */
const pointLimit = 2_000

const errorStep: Degrees = 0.05
const cellSize: Degrees = 3
const cellsAcross = 360 / cellSize
const estimateStep: Degrees = 3

/** A histogram over a symmetric range; what lies outside is only counted. */
export interface AngleHistogram {
  /** The range is [−limit, limit]. */
  readonly limit: Degrees
  readonly counts: readonly number[]
  readonly outside: number
}

/** A cell of the density of estimates over labels: its lower left corner, and how many samples lie in it. */
export interface DensityCell {
  readonly label: Degrees
  readonly estimate: Degrees
  readonly count: number
}

/** How the estimates of one angle lie, with and without labels, in memory that does not grow with the dataset. */
export class AngleDistribution {
  readonly #errors = new Float64Array(360 / errorStep)
  readonly #estimates = new Float64Array(360 / estimateStep)
  readonly #cells = new Float64Array(cellsAcross * cellsAcross)
  readonly #points: { label: Degrees; estimate: Degrees }[] = []
  #labelled = 0
  #unlabelled = 0
  #largest: Degrees = 0

  /** `error` is signed and wrapped to [−180, 180). */
  addLabelled(estimate: Degrees, label: Degrees, error: Degrees): void {
    this.#labelled++
    this.#largest = Math.max(this.#largest, Math.abs(estimate), Math.abs(label))
    count(this.#errors, (error + 180) / errorStep)
    const [column, row] = [cellOf(label), cellOf(estimate)]
    count(this.#cells, row * cellsAcross + column)
    if (this.#points.length < pointLimit) this.#points.push({ label, estimate })
  }

  addUnlabelled(estimate: Degrees): void {
    this.#unlabelled++
    count(this.#estimates, (estimate + 180) / estimateStep)
  }

  get labelled(): number {
    return this.#labelled
  }

  get unlabelled(): number {
    return this.#unlabelled
  }

  /** Largest |angle| among labels and estimates of labelled samples. */
  get largest(): Degrees {
    return this.#largest
  }

  /** Every labelled sample, or null when there are too many to draw one by one. */
  points(): readonly { label: Degrees; estimate: Degrees }[] | null {
    return this.#labelled <= pointLimit ? this.#points : null
  }

  /** Occupied cells of `cellSize` × `cellSize` degrees. */
  density(): { cellSize: Degrees; cells: DensityCell[] } {
    const cells: DensityCell[] = []
    for (const [index, samples] of this.#cells.entries()) {
      if (samples === 0) continue
      const column = index % cellsAcross
      const row = (index - column) / cellsAcross
      cells.push({ label: column * cellSize - 180, estimate: row * cellSize - 180, count: samples })
    }
    return { cellSize, cells }
  }

  /** Signed errors over the smallest of a few round ranges that holds 99 % of them, in 40 bins, or 20 for few samples. */
  errorHistogram(): AngleHistogram {
    const limits: readonly Degrees[] = [2, 5, 10, 15, 20, 30, 45, 60, 90, 120]
    const limit = limits.find((candidate) => this.#errorsWithin(candidate) >= 0.99 * this.#labelled) ?? 180
    return coarsen(this.#errors, errorStep, limit, this.#labelled < 200 ? 20 : 40)
  }

  /** Estimates of samples without a label, in bins of 3°. */
  estimateHistogram(): AngleHistogram {
    const limits: readonly Degrees[] = [30, 45, 60, 90]
    const held = (candidate: Degrees) => {
      const { outside } = coarsen(this.#estimates, estimateStep, candidate, (2 * candidate) / estimateStep)
      return outside === 0
    }
    const limit = limits.find(held) ?? 180
    return coarsen(this.#estimates, estimateStep, limit, (2 * limit) / estimateStep)
  }

  #errorsWithin(limit: Degrees): number {
    return this.#labelled - coarsen(this.#errors, errorStep, limit, 2).outside
  }
}

function cellOf(angle: Degrees): number {
  return Math.min(cellsAcross - 1, Math.max(0, Math.floor((angle + 180) / cellSize)))
}

function count(counters: Float64Array, index: number): void {
  const held = Math.min(counters.length - 1, Math.max(0, Math.floor(index)))
  counters[held] = (counters[held] ?? 0) + 1
}

/** Sums counters of `step` degrees over [−180, 180) into `bins` bins over [−limit, limit]. */
function coarsen(counters: Float64Array, step: Degrees, limit: Degrees, bins: number): AngleHistogram {
  const counts = Array.from({ length: bins }, () => 0)
  const perBin = (2 * limit) / step / bins
  const first = Math.round((180 - limit) / step)
  let outside = 0
  for (const [index, samples] of counters.entries()) {
    const bin = Math.floor((index - first) / perBin + 1e-9)
    if (bin >= 0 && bin < bins) counts[bin] = (counts[bin] ?? 0) + samples
    else outside += samples
  }
  return { limit, counts, outside }
}
