/** One shard's place in the order in which a unit's shards use its engine. */
export interface EngineTurn {
  /** Resolves when the shard before has handed its last batch over, or is gone. Never rejects. */
  readonly come: Promise<void>
  /** Lets the next shard on. Must be called in the end, however the shard ends; may be called again. */
  readonly pass: () => void
}

/**
 * A unit has its next shard while it still computes one, so that listing, fetching and decoding the one and putting the
 * other's last maps overlap. They take turns at the engine instead of mixing: both would then be lost when the unit
 * dies, and each would take twice as long.
 */
export class EngineTurns {
  #last: Promise<void> = Promise.resolve()

  /** Turns come in the order in which they are taken. */
  take(): EngineTurn {
    const come = this.#last
    let pass = (): void => undefined
    const passed = new Promise<void>((resolve) => (pass = resolve))
    this.#last = come.then(() => passed)
    return { come, pass }
  }
}
