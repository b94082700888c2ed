import { angleNames, type AngleName, type Degrees } from '../../pose/euler.ts'
import type { ComparedRow } from './comparedRow.ts'
import { ownErrors } from './pairedErrors.ts'

/** Rows of one table, with their errors whether or not the other table has their images. */
export interface SideErrors {
  readonly n: number
  readonly failed: number
  /** Mean |error| and bias over the rows with a label within ±99°; null when there is none. */
  readonly errors: {
    readonly n: number
    readonly mae: { readonly [Key in AngleName | 'mean']?: Degrees }
    readonly bias: { readonly [Key in AngleName]?: Degrees }
  } | null
}

/** Sums of `SideErrors`. */
export class SideSums {
  readonly #absolute = { yaw: 0, pitch: 0, roll: 0 }
  readonly #signed = { yaw: 0, pitch: 0, roll: 0 }
  #angles: readonly AngleName[] = []
  #mean = 0
  #n = 0
  #failed = 0
  #labelled = 0

  add(row: ComparedRow): void {
    this.#n++
    if (row.status === 'failed') this.#failed++
    const own = ownErrors(row)
    if (own === null) return
    this.#labelled++
    this.#angles = own.angles
    this.#mean += own.errors.mean
    for (const angle of own.angles) {
      this.#absolute[angle] += Math.abs(own.errors.signed[angle])
      this.#signed[angle] += own.errors.signed[angle]
    }
  }

  finish(): SideErrors {
    const each = (sums: Readonly<Record<AngleName, Degrees>>) =>
      Object.fromEntries(
        angleNames
          .filter((angle) => this.#angles.includes(angle))
          .map((angle): [AngleName, Degrees] => [angle, sums[angle] / this.#labelled]),
      )
    return {
      n: this.#n,
      failed: this.#failed,
      errors:
        this.#labelled === 0
          ? null
          : {
              n: this.#labelled,
              mae: { ...each(this.#absolute), mean: this.#mean / this.#labelled },
              bias: each(this.#signed),
            },
    }
  }
}
