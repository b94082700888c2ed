import { angleNames, type AngleName, type Degrees } from '../../pose/euler.ts'
import type { Disagreement, PairedErrors } from './pairedErrors.ts'

/** What is compared: the three angles, their mean, and the geodesic error. */
export const metrics = [...angleNames, 'mean', 'geodesic'] as const
export type Metric = (typeof metrics)[number]

/** Mean |error| of A and of B over the same images, and B − A. */
export interface ErrorDifference {
  readonly a: Degrees
  readonly b: Degrees
  readonly delta: Degrees
}

/** Besides, the means of the signed errors, estimate − label. */
export interface AngleDifference extends ErrorDifference {
  readonly biasA: Degrees
  readonly biasB: Degrees
}

/** Errors over the images of one group that have a label; only angles, and a geodesic error, that both tables have. */
export interface GroupErrors {
  readonly n: number
  readonly yaw?: AngleDifference
  readonly pitch?: AngleDifference
  readonly roll?: AngleDifference
  /** Over the angles that there are. */
  readonly mean: ErrorDifference
  readonly geodesic?: ErrorDifference
}

/** Images that have something in common. */
export interface ComparedGroup {
  /** Images that are compared. */
  readonly n: number
  /** Null where no image has a label. */
  readonly errors: GroupErrors | null
  /** Mean over images and angles of |estimate of B − estimate of A|; null where the networks give no angle. */
  readonly disagreement: Degrees | null
}

/** One after the other: Σ|error| of A by metric, the same of B, Σerror of A by angle, the same of B. */
const sumsOfB = metrics.length
const signedOfA = 2 * metrics.length
const signedOfB = signedOfA + angleNames.length

/** Sums over the images of one group. */
export class GroupSums {
  readonly #sums = new Float64Array(signedOfB + angleNames.length)
  #angles: readonly AngleName[] = []
  #n = 0
  #labelled = 0
  #apart = 0
  #estimated = 0

  add(errors: PairedErrors | null, apart: Disagreement | null): void {
    this.#n++
    if (apart !== null) {
      this.#estimated++
      this.#apart += apart.mean
    }
    if (errors === null) return
    this.#labelled++
    this.#angles = errors.angles
    for (const angle of errors.angles) {
      const at = angleNames.indexOf(angle)
      const [a, b] = [errors.a.signed[angle], errors.b.signed[angle]]
      this.#add(at, Math.abs(a))
      this.#add(sumsOfB + at, Math.abs(b))
      this.#add(signedOfA + at, a)
      this.#add(signedOfB + at, b)
    }
    for (const metric of ['mean', 'geodesic'] as const) {
      const at = metrics.indexOf(metric)
      this.#add(at, errors.a[metric])
      this.#add(sumsOfB + at, errors.b[metric])
    }
  }

  get n(): number {
    return this.#n
  }

  /** Several groups as one. */
  static together(groups: readonly GroupSums[]): ComparedGroup {
    const all = new GroupSums()
    for (const group of groups) {
      for (const [at, sum] of group.#sums.entries()) all.#add(at, sum)
      if (group.#labelled > 0) all.#angles = group.#angles
      all.#n += group.#n
      all.#labelled += group.#labelled
      all.#apart += group.#apart
      all.#estimated += group.#estimated
    }
    return all.finish()
  }

  finish(): ComparedGroup {
    return {
      n: this.#n,
      errors: this.#labelled === 0 ? null : this.#errors(),
      disagreement: this.#estimated === 0 ? null : this.#apart / this.#estimated,
    }
  }

  #errors(): GroupErrors {
    const mean = (at: number): Degrees => (this.#sums[at] ?? NaN) / this.#labelled
    const difference = (metric: Metric): ErrorDifference => {
      const at = metrics.indexOf(metric)
      const [a, b] = [mean(at), mean(sumsOfB + at)]
      return { a, b, delta: b - a }
    }
    const geodesic = difference('geodesic')
    const angles = this.#angles.map((angle): [AngleName, AngleDifference] => {
      const at = angleNames.indexOf(angle)
      return [angle, { ...difference(angle), biasA: mean(signedOfA + at), biasB: mean(signedOfB + at) }]
    })
    return {
      n: this.#labelled,
      ...Object.fromEntries(angles),
      mean: difference('mean'),
      ...(Number.isNaN(geodesic.delta) ? {} : { geodesic }),
    }
  }

  #add(at: number, value: Degrees): void {
    this.#sums[at] = (this.#sums[at] ?? 0) + value
  }
}
