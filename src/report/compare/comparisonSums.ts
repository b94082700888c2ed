import { beyondLabelLimit } from '../../output/rowErrors.ts'
import { rowPose } from '../../output/rowPose.ts'
import { angleNames, type AngleName, type Degrees } from '../../pose/euler.ts'
import { angleBand, poseCellCorner, poseCellSize } from '../../pose/poseCell.ts'
import { FailureExamples } from '../failureExamples.ts'
import type { ComparedRow } from './comparedRow.ts'
import type { Comparison, IntervalBasis } from './comparison.ts'
import { GroupSums, metrics, type Metric } from './groupSums.ts'
import { LargestChanges, type ChangedImage } from './largestChanges.ts'
import { NameGroups } from './nameGroups.ts'
import { disagreement, pairedErrors, type Disagreement, type PairedErrors } from './pairedErrors.ts'
import type { Interval } from './pairedInterval.ts'
import type { PairedRows } from './pairedRows.ts'
import { SideSums } from './sideErrors.ts'
import { UnitIntervals } from './unitIntervals.ts'

/** The parts of a comparison that come from the rows. */
export type RowComparison = Omit<Comparison, 'a' | 'b' | 'differences' | 'notes' | 'largestBy' | 'largest' | 'maps'> & {
  readonly allA: Comparison['a']['all']
  readonly allB: Comparison['b']['all']
}

/** Two rows that are compared, whose maps may be held against each other. */
export interface ComparedPair {
  readonly a: ComparedRow
  readonly b: ComparedRow
}

/** The images that changed most, and by what they were chosen. */
interface LargestBy {
  readonly by: 'error' | 'estimate'
  readonly images: readonly ChangedImage[]
}

/** Turns two merged tables into a comparison, in memory that does not grow with them. Feed the pairs in the order of the keys. */
export class ComparisonSums {
  readonly #allA = new SideSums()
  readonly #allB = new SideSums()
  readonly #onlyA = new SideSums()
  readonly #onlyB = new SideSums()
  readonly #changedA = new SideSums()
  readonly #changedB = new SideSums()
  readonly #failedOnlyA = new FailureExamples()
  readonly #failedOnlyB = new FailureExamples()
  readonly #images = {
    compared: 0,
    changed: 0,
    onlyA: 0,
    onlyB: 0,
    failedBoth: 0,
    failedOnlyA: 0,
    failedOnlyB: 0,
    otherLabel: 0,
    otherCrop: 0,
    beyondLabelLimit: 0,
  }
  readonly #all = new GroupSums()
  readonly #cells = new Map<number, GroupSums>()
  readonly #bands = new Map<number, GroupSums>()
  readonly #placedBy = { label: 0, estimate: 0, none: 0 }
  readonly #subjects = new NameGroups()
  readonly #sequences = new NameGroups()
  readonly #intervals = new UnitIntervals()
  readonly #apart = new DisagreementSums()
  readonly #byError = new LargestChanges()
  readonly #byEstimate = new LargestChanges()

  /** Null where the two are not compared. */
  add({ a, b }: PairedRows<ComparedRow>): ComparedPair | null {
    if (a !== undefined) this.#allA.add(a)
    if (b !== undefined) this.#allB.add(b)
    if (a === undefined || b === undefined) {
      if (a !== undefined) {
        this.#images.onlyA++
        this.#onlyA.add(a)
      }
      if (b !== undefined) {
        this.#images.onlyB++
        this.#onlyB.add(b)
      }
      return null
    }
    if (a.fingerprint !== b.fingerprint) {
      this.#images.changed++
      this.#changedA.add(a)
      this.#changedB.add(b)
      return null
    }
    if (a.status === 'failed' || b.status === 'failed') {
      this.#addFailed(a, b)
      return null
    }
    this.#compare(a, b)
    return { a, b }
  }

  #addFailed(a: ComparedRow, b: ComparedRow): void {
    if (a.status === b.status) this.#images.failedBoth++
    else if (a.status === 'failed') {
      this.#images.failedOnlyA++
      this.#failedOnlyA.add(a)
    } else {
      this.#images.failedOnlyB++
      this.#failedOnlyB.add(b)
    }
  }

  #compare(a: ComparedRow, b: ComparedRow): void {
    this.#images.compared++
    if (labelColumns.some((column) => a[column] !== b[column])) this.#images.otherLabel++
    if (cropColumns.some((column) => a[column] !== b[column])) this.#images.otherCrop++
    if (beyondLabelLimit(a) || beyondLabelLimit(b)) this.#images.beyondLabelLimit++
    const errors = pairedErrors(a, b)
    const apart = disagreement(a, b)
    this.#all.add(errors, apart)
    this.#subjects.add(a.subject, errors, apart)
    this.#sequences.add(a.sequence, errors, apart)
    this.#addPose(a, errors, apart)
    if (apart !== null) {
      this.#apart.add(apart)
      this.#byEstimate.add({ a, b, change: apart.mean })
    }
    if (errors !== null) {
      this.#intervals.add(a, errors)
      this.#byError.add({ a, b, change: errors.b.mean - errors.a.mean })
    }
  }

  #addPose(a: ComparedRow, errors: PairedErrors | null, apart: Disagreement | null): void {
    const placed = rowPose(a)
    this.#placedBy[placed?.by ?? 'none']++
    if (placed !== null) sumsOf(this.#cells, placed.cell).add(errors, apart)
    const yaw = a.labelYaw ?? a.yaw
    if (yaw === null) return
    sumsOf(this.#bands, angleBand(yaw)).add(errors, apart)
  }

  /**
   * The images that changed most: by their error where any error is another, else by their estimates. That images have
   * labels is not enough: where these are all unchanged, those without one may not be. Undefined where no estimate differs.
   */
  largest(): LargestBy | undefined {
    const byError = this.#byError.finish()
    if (byError.length > 0) return { by: 'error', images: byError }
    const byEstimate = this.#byEstimate.finish()
    return byEstimate.length > 0 ? { by: 'estimate', images: byEstimate } : undefined
  }

  finish(): RowComparison {
    const { intervals, basis } = this.#told()
    return {
      allA: this.#allA.finish(),
      allB: this.#allB.finish(),
      images: { ...this.#images },
      apart: {
        onlyA: this.#onlyA.finish(),
        onlyB: this.#onlyB.finish(),
        changedA: this.#changedA.finish(),
        changedB: this.#changedB.finish(),
      },
      all: this.#all.finish(),
      intervals,
      intervalBasis: basis,
      disagreement: this.#apart.finish(),
      placedBy: { ...this.#placedBy },
      cells: [...this.#cells]
        .sort(([a], [b]) => a - b)
        .map(([cell, sums]) => ({ ...poseCellCorner(cell), ...sums.finish() })),
      bands: [...this.#bands]
        .sort(([a], [b]) => a - b)
        .map(([band, sums]) => ({ from: band * poseCellSize, to: (band + 1) * poseCellSize, ...sums.finish() })),
      subjects: this.#subjects.finish(),
      sequences: this.#sequences.finish(),
      failures: { onlyA: this.#failedOnlyA.finish(), onlyB: this.#failedOnlyB.finish() },
    }
  }

  /** Intervals of the metrics that there are. */
  #told(): { intervals: Comparison['intervals']; basis: IntervalBasis | null } {
    const { errors } = this.#all.finish()
    const { intervals, basis } = this.#intervals.finish()
    const there = metrics.flatMap((metric, at): [Metric, Interval | null][] =>
      errors?.[metric] === undefined ? [] : [[metric, intervals[at] ?? null]],
    )
    return { intervals: Object.fromEntries(there), basis }
  }
}

const labelColumns = ['labelYaw', 'labelPitch', 'labelRoll'] as const
const cropColumns = ['cropX0', 'cropY0', 'cropX1', 'cropY1'] as const

function sumsOf(groups: Map<number, GroupSums>, at: number): GroupSums {
  const known = groups.get(at)
  if (known !== undefined) return known
  const made = new GroupSums()
  groups.set(at, made)
  return made
}

class DisagreementSums {
  readonly #absolute = { yaw: 0, pitch: 0, roll: 0 }
  readonly #signed = { yaw: 0, pitch: 0, roll: 0 }
  #angles: readonly AngleName[] = []
  #mean = 0
  #geodesic = 0
  #n = 0

  add({ angles, signed, mean, geodesic }: Disagreement): void {
    this.#n++
    this.#angles = angles
    this.#mean += mean
    this.#geodesic += geodesic
    for (const angle of angles) {
      this.#absolute[angle] += Math.abs(signed[angle])
      this.#signed[angle] += signed[angle]
    }
  }

  finish(): Comparison['disagreement'] {
    if (this.#n === 0) return null
    const each = (sums: Readonly<Record<AngleName, Degrees>>) =>
      Object.fromEntries(
        angleNames.filter((angle) => this.#angles.includes(angle)).map((angle) => [angle, sums[angle] / this.#n]),
      )
    const geodesic = this.#geodesic / this.#n
    return {
      n: this.#n,
      mean: { ...each(this.#absolute), mean: this.#mean / this.#n, ...(Number.isNaN(geodesic) ? {} : { geodesic }) },
      shift: each(this.#signed),
    }
  }
}
