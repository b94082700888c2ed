import { clusterLimit, ClusterTally } from './clusterSums.ts'
import type { ComparedRow } from './comparedRow.ts'
import type { IntervalBasis } from './comparison.ts'
import { metrics } from './groupSums.ts'
import type { PairedErrors } from './pairedErrors.ts'
import { clusterIntervals, RunningSpread, type Interval } from './pairedInterval.ts'

/** Fewer units than this say little of others. */
const fewUnits = 10
/** The same draws each time. */
const seed = 1

/**
 * Intervals of the mean paired differences. Subjects are resampled where any is known, since images of one subject err
 * alike; else sequences, whose frames do; else single images. Taking images for independent that are not would give
 * intervals several times too narrow.
 */
export class UnitIntervals {
  readonly #subjects = new ClusterTally(metrics.length)
  readonly #sequences = new ClusterTally(metrics.length)
  readonly #single = new ClusterTally(metrics.length)
  readonly #spreads = metrics.map(() => new RunningSpread())
  /** Images that have errors. */
  #images = 0
  #withSubject = 0
  #withSequence = 0

  add({ key, subject, sequence }: ComparedRow, { angles, a, b }: PairedErrors): void {
    const differences = metrics.map((metric) => {
      if (metric === 'mean' || metric === 'geodesic') return b[metric] - a[metric]
      return angles.includes(metric) ? Math.abs(b.signed[metric]) - Math.abs(a.signed[metric]) : NaN
    })
    this.#images++
    if (subject !== null) this.#withSubject++
    if (sequence !== null) this.#withSequence++
    this.#subjects.add(subject, differences)
    this.#sequences.add(sequence, differences)
    if (this.#images <= clusterLimit) this.#single.add(key, differences)
    for (const [at, spread] of this.#spreads.entries()) spread.add(differences[at] ?? NaN)
  }

  finish(): { intervals: (Interval | null)[]; basis: IntervalBasis | null } {
    if (this.#images === 0) return { intervals: metrics.map(() => null), basis: null }
    if (this.#withSubject > 0) return this.#resampled('subject', this.#subjects, this.#images - this.#withSubject)
    if (this.#withSequence > 0) return this.#resampled('sequence', this.#sequences, this.#images - this.#withSequence)
    if (this.#images <= clusterLimit) return this.#resampled('image', this.#single, 0)
    const basis = {
      unit: 'image',
      units: this.#images,
      areShared: false,
      unnamed: 0,
      method: 'normal',
      isFew: false,
    } as const
    return { intervals: this.#spreads.map((spread) => spread.interval()), basis }
  }

  #resampled(unit: IntervalBasis['unit'], tally: ClusterTally, unnamed: number) {
    const sums = tally.finish()
    const units = sums.n.length
    const basis = {
      unit,
      units,
      areShared: sums.areShared,
      unnamed,
      method: 'bootstrap',
      isFew: units < fewUnits,
    } as const
    return { intervals: clusterIntervals(sums, seed), basis }
  }
}
