import { Place } from './place.ts'
import { disturbedRun, quietRun, type Quiet, type Round } from './round.ts'

/** Plays rounds; those over a dataset that stays are held against one quiet run at each kind of store. */
export class Rounds {
  readonly #seed: number
  readonly #places = new Map<Round['store'], Place>()
  readonly #quiet = new Map<Round['store'], Quiet>()

  constructor(seed: number) {
    this.#seed = seed
  }

  /** Returns what happened in the round; raises an error with the round's seed when it fails. */
  async play(round: Round): Promise<string[]> {
    const place = this.#places.get(round.store) ?? (await Place.make(round.store, this.#seed))
    this.#places.set(round.store, place)
    return disturbedRun(place, round, round.isChanging ? null : await this.#quietAt(place))
  }

  async close(): Promise<void> {
    for (const place of this.#places.values()) await place.close()
  }

  async #quietAt(place: Place): Promise<Quiet> {
    const quiet = this.#quiet.get(place.kind) ?? (await quietRun(place))
    this.#quiet.set(place.kind, quiet)
    return quiet
  }
}
