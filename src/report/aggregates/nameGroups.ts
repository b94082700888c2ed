import type { Names } from '../../output/aggregates.ts'
import { compareKeys } from '../../storage/keyOrder.ts'
import type { ErrorSums } from './errorSums.ts'
import type { MeasuredRow } from './measuredRow.ts'

/** Names that are counted apart: 6 MB. Whichever of them come first in the order of keys. */
export const countedNames = 10_000
/** Names that are written. */
export const namedGroups = 500
/**
 * What the written ones may take, bytes of JSON: a name may be 800 bytes long, and a group with every bin full takes over
 * a kilobyte. With the grid's at most 400 KB the file stays below a megabyte.
 */
export const namedBytes = 280_000

/** Rows by a name that they have, such as their subject. */
export class NameGroups {
  readonly #sums: ErrorSums
  readonly #groups = new Map<string, number>()
  #unnamed: number | null = null
  #others: number | null = null
  #isMore = false

  constructor(sums: ErrorSums) {
    this.#sums = sums
  }

  add(name: string | null, row: MeasuredRow): void {
    this.#sums.add(this.#groupOf(name), row)
  }

  /** Call it once: it pools the names that are not written. */
  finish(): Names {
    const groups = [...this.#groups].sort(
      ([a, groupA], [b, groupB]) => this.#sums.rows(groupB) - this.#sums.rows(groupA) || compareKeys(a, b),
    )
    const named: Names['named'] = []
    let bytes = 0
    let names = 0
    for (const [name, group] of groups) {
      if (named.length < namedGroups) {
        const entry = { name, ...this.#sums.group(group) }
        const size = Buffer.byteLength(JSON.stringify(entry)) + 1
        if (bytes + size <= namedBytes) {
          bytes += size
          named.push(entry)
          continue
        }
      }
      names++
      this.#sums.pool(group, (this.#others ??= this.#sums.open()))
    }
    return {
      named,
      others: this.#others === null ? null : { names, isMore: this.#isMore, ...this.#sums.group(this.#others) },
      unnamed: this.#unnamed === null ? null : this.#sums.group(this.#unnamed),
    }
  }

  #groupOf(name: string | null): number {
    if (name === null) return (this.#unnamed ??= this.#sums.open())
    const known = this.#groups.get(name)
    if (known !== undefined) return known
    if (this.#groups.size === countedNames) {
      this.#isMore = true
      return (this.#others ??= this.#sums.open())
    }
    const opened = this.#sums.open()
    this.#groups.set(name, opened)
    return opened
  }
}
