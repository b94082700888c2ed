import { sortKeys } from '../../storage/keyOrder.ts'
import { countedNames } from '../aggregates/nameGroups.ts'
import { GroupSums, type ComparedGroup } from './groupSums.ts'
import type { Disagreement, PairedErrors } from './pairedErrors.ts'

/** So many of them are told: those with the most images. */
const namedGroups = 200

/** Groups by a name, of subjects say. */
export interface NamedGroups {
  /** The largest by n, those first whose error, or without labels whose estimate, changed most. */
  readonly named: readonly (ComparedGroup & { readonly name: string })[]
  /** All others together; null when there is none. `isMore`: there are more names than the 10,000 that are counted. */
  readonly others: (ComparedGroup & { readonly names: number; readonly isMore: boolean }) | null
  /** Images without a name; null when there is none. */
  readonly unnamed: ComparedGroup | null
}

/** Sums by name in memory that does not grow with the dataset. */
export class NameGroups {
  readonly #named = new Map<string, GroupSums>()
  readonly #later = new GroupSums()
  readonly #unnamed = new GroupSums()

  add(name: string | null, errors: PairedErrors | null, apart: Disagreement | null): void {
    this.#groupOf(name).add(errors, apart)
  }

  get names(): number {
    return this.#named.size
  }

  finish(): NamedGroups {
    // By name within equal n, so that which are told does not depend on which came first.
    const order = new Map(sortKeys([...this.#named.keys()]).map((name, at) => [name, at]))
    const rank = (name: string): number => order.get(name) ?? 0
    const bySize = [...this.#named].sort(([a, sumsA], [b, sumsB]) => sumsB.n - sumsA.n || rank(a) - rank(b))
    const told = bySize.slice(0, namedGroups).map(([name, sums]) => ({ name, ...sums.finish() }))
    const rest = bySize.slice(namedGroups).map(([, sums]) => sums)
    if (this.#later.n > 0) rest.push(this.#later)
    const isMore = this.#later.n > 0
    const others =
      rest.length === 0 ? null : { names: rest.length - (isMore ? 1 : 0), isMore, ...GroupSums.together(rest) }
    return {
      named: told.sort((a, b) => change(b) - change(a) || rank(a.name) - rank(b.name)),
      others,
      unnamed: this.#unnamed.n === 0 ? null : this.#unnamed.finish(),
    }
  }

  #groupOf(name: string | null): GroupSums {
    if (name === null) return this.#unnamed
    const known = this.#named.get(name)
    if (known !== undefined) return known
    if (this.#named.size === countedNames) return this.#later
    const made = new GroupSums()
    this.#named.set(name, made)
    return made
  }
}

/** How much a group changed: its error where it has one, else its estimates. */
export function change({ errors, disagreement }: ComparedGroup): number {
  return errors === null ? (disagreement ?? 0) : Math.abs(errors.mean.delta)
}
