import { beyondLabelLimit } from '../output/rowErrors.ts'
import type { Degrees } from '../pose/euler.ts'
import type { SummaryRow } from './summary.ts'

/** The columns of a table row that the report needs; a row of `angles.parquet` has them all. */
export interface ReportRow extends SummaryRow {
  readonly key: string
  readonly message: string | null
  /** Rectangle of the image that the network's input shows, image pixels; null when the sample failed. */
  readonly cropX0: number | null
  readonly cropY0: number | null
  readonly cropX1: number | null
  readonly cropY1: number | null
  /** The index of its class, where an objective reads it. */
  readonly class?: number | null
  /** The likeliest class and its probability, where an objective is of the top class or the image's own. */
  readonly topClass?: number | null
  readonly topClassProbability?: number | null
}

/** Those that every table has. */
export const reportColumns = [
  'key',
  'status',
  'code',
  'message',
  'yaw',
  'pitch',
  'roll',
  'labelYaw',
  'labelPitch',
  'labelRoll',
  'errorYaw',
  'errorPitch',
  'errorRoll',
  'cropX0',
  'cropY0',
  'cropX1',
  'cropY1',
] as const

/** A sample that the gallery shows, and why it was chosen. */
export interface ChosenSample {
  readonly row: ReportRow
  /** Place among the rows that did not fail, from 0. */
  readonly order: number
  /** Mean over the angles of |error|; null without a label, or with one beyond ±99°. */
  readonly meanError: Degrees | null
  readonly worst: boolean
  readonly spaced: boolean
}

/**
 * Chooses the samples of the gallery while the table streams by: the worst by mean absolute angle error, and as many
 * evenly spaced ones. Holds no more rows than it hands out.
 */
export class Selection {
  readonly #each: number
  readonly #okTotal: number
  /** Worst first; never longer than `#each`. */
  readonly #worst: { row: ReportRow; order: number; meanError: Degrees }[] = []
  readonly #spaced: { row: ReportRow; order: number }[] = []
  #seen = 0

  /** `okTotal`: how many rows that did not fail will come; evenly spaced samples are counted off from it. */
  constructor(options: { each: number; okTotal: number }) {
    this.#each = options.each
    this.#okTotal = Math.max(1, options.okTotal)
  }

  add(row: ReportRow): void {
    if (row.status !== 'ok') return
    const meanError = meanAbsoluteError(row)
    if (meanError !== null) this.#offer(row, this.#seen, meanError)
    if (this.#stepOf(this.#seen + 1) > this.#stepOf(this.#seen) && this.#spaced.length < this.#each) {
      this.#spaced.push({ row, order: this.#seen })
    }
    this.#seen++
  }

  /** Worst first, then the evenly spaced ones in the table's order; a sample chosen twice comes once. */
  finish(): ChosenSample[] {
    const spacedOrders = new Set(this.#spaced.map(({ order }) => order))
    const worstOrders = new Set(this.#worst.map(({ order }) => order))
    return [
      ...this.#worst.map((chosen) => ({ ...chosen, worst: true, spaced: spacedOrders.has(chosen.order) })),
      ...this.#spaced
        .filter(({ order }) => !worstOrders.has(order))
        .map(({ row, order }) => ({ row, order, meanError: meanAbsoluteError(row), worst: false, spaced: true })),
    ]
  }

  #stepOf(index: number): number {
    return Math.floor((index * this.#each) / Math.max(this.#each, this.#okTotal))
  }

  #offer(row: ReportRow, order: number, meanError: Degrees): void {
    const last = this.#worst.at(-1)
    if (this.#worst.length === this.#each && last !== undefined && last.meanError >= meanError) return
    // A binary search and one splice in a few hundred entries: a heap would gain nothing and still need sorting.
    let [from, to] = [0, this.#worst.length]
    while (from < to) {
      const middle = (from + to) >> 1
      if ((this.#worst[middle]?.meanError ?? 0) >= meanError) from = middle + 1
      else to = middle
    }
    this.#worst.splice(from, 0, { row, order, meanError })
    this.#worst.length = Math.min(this.#worst.length, this.#each)
  }
}

/** Over the angles that have an error, so that a network with only one head still has worst samples. */
function meanAbsoluteError(row: ReportRow): Degrees | null {
  if (beyondLabelLimit(row)) return null
  const errors = [row.errorYaw, row.errorPitch, row.errorRoll].filter((error) => error !== null)
  return errors.length === 0 ? null : errors.reduce((sum, error) => sum + Math.abs(error), 0) / errors.length
}
