import { Place } from './place.ts'
import { disturbedRun, quietRun, type Quiet, type Round } from './round.ts'

/** Plays rounds, each kind of store with one dataset and one quiet run that all its rounds are held against. */
export class Rounds {
  readonly #seed: number
  readonly #places = new Map<Round['store'], { place: Place; quiet: Quiet }>()

  constructor(seed: number) {
    this.#seed = seed
  }

  /** Returns what happened in the round; raises an error with the round's seed when it fails. */
  async play(round: Round): Promise<string[]> {
    const { place, quiet } = await this.#at(round.store)
    return disturbedRun(place, round, quiet)
  }

  async close(): Promise<void> {
    for (const { place } of this.#places.values()) await place.close()
  }

  async #at(store: Round['store']): Promise<{ place: Place; quiet: Quiet }> {
    const known = this.#places.get(store)
    if (known !== undefined) return known
    const place = await Place.make(store, this.#seed)
    try {
      const at = { place, quiet: await quietRun(place) }
      this.#places.set(store, at)
      return at
    } catch (error) {
      await place.close()
      throw error
    }
  }
}
