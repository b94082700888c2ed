import type { Degrees } from '../../pose/euler.ts'
import type { ComparedRow } from './comparedRow.ts'

/** So many images are told. */
const largestShown = 50

/** Two rows of one image. */
export interface ChangedImage {
  readonly a: ComparedRow
  readonly b: ComparedRow
  /** Signed where it is an error's: mean |error| of B − that of A. Else the mean disagreement. */
  readonly change: Degrees
}

/** Keeps the images that changed most; of equal ones those that came first. */
export class LargestChanges {
  /** Most changed first. */
  readonly #kept: ChangedImage[] = []

  add(image: ChangedImage): void {
    const size = Math.abs(image.change)
    // What did not change at all is no change, however few have changed.
    if (size === 0) return
    const last = this.#kept.at(-1)
    if (this.#kept.length === largestShown && last !== undefined && Math.abs(last.change) >= size) return
    let [from, to] = [0, this.#kept.length]
    while (from < to) {
      const middle = (from + to) >> 1
      if (Math.abs(this.#kept[middle]?.change ?? 0) >= size) from = middle + 1
      else to = middle
    }
    this.#kept.splice(from, 0, image)
    this.#kept.length = Math.min(this.#kept.length, largestShown)
  }

  finish(): readonly ChangedImage[] {
    return this.#kept
  }
}
