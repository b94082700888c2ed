/** Which time a unit has. `asking`: it waits for this process, which takes as long as it takes. */
type Phase = 'starting' | 'running' | 'asking' | 'opening'

export interface UnitWatchOptions {
  /** For whatever a unit does but starting and opening. */
  readonly silenceMs: number
  /** From the fork until the unit is ready, and for opening a network, which may compile for a new GPU. */
  readonly startMs: number
  /** `phase` says what took too long; `complaint` says it to people. */
  readonly onLate: (phase: 'starting' | 'running' | 'opening', complaint: string) => void
}

/**
 * When a unit counts as hung. All that it reports is a sign of life, but not of each of its shards: one that hangs would
 * be kept alive by the reports of those that come after it, so a shard is watched by itself from its turn on.
 */
export class UnitWatch {
  readonly #o: UnitWatchOptions
  readonly #turns = new Map<number, NodeJS.Timeout | undefined>()
  #timer: NodeJS.Timeout | undefined
  #phase: Phase = 'starting'
  #isBusy = false

  constructor(options: UnitWatchOptions) {
    this.#o = options
    this.#arm()
  }

  enter(phase: Phase): void {
    const before = this.#phase
    this.#phase = phase
    this.#arm()
    // Whatever is at the engine waits for an opening, so no shard's own watch may run meanwhile.
    if (phase !== 'opening' && before !== 'opening') return
    for (const shard of this.#turns.keys()) this.turn(shard)
  }

  /** Whether the unit has anything to do. */
  busy(isBusy: boolean): void {
    this.#isBusy = isBusy
    // A shard that comes while a network is opened gives the opening no more time.
    if (this.#phase === 'running') this.#arm()
  }

  /** The unit has reported something. An opening is over when it is over, whatever else goes on beside it. */
  alive(): void {
    if (this.#phase === 'running') this.#timer?.refresh()
  }

  /** The shard uses the engine from now on, or has got something done there. */
  turn(shard: number): void {
    clearTimeout(this.#turns.get(shard))
    this.#turns.set(shard, this.#phase === 'opening' ? undefined : this.#silence())
  }

  /** Of a shard whose turn it is, a sign of life; of any other, nothing. */
  progress(shard: number): void {
    if (this.#turns.has(shard)) this.turn(shard)
  }

  forget(shard: number): void {
    clearTimeout(this.#turns.get(shard))
    this.#turns.delete(shard)
  }

  end(): void {
    clearTimeout(this.#timer)
    for (const shard of this.#turns.keys()) this.forget(shard)
  }

  #arm(): void {
    clearTimeout(this.#timer)
    this.#timer = this.#newTimer()
  }

  #newTimer(): NodeJS.Timeout | undefined {
    switch (this.#phase) {
      case 'starting':
        return this.#start('starting', 'it did not start')
      case 'opening':
        return this.#start('opening', 'it did not open its network')
      case 'asking':
        return undefined
      case 'running':
        return this.#isBusy ? this.#silence() : undefined
    }
  }

  #start(phase: 'starting' | 'opening', what: string): NodeJS.Timeout {
    const { startMs, onLate } = this.#o
    const complaint = `${what} within ${startMs / 1000} s: give it more with --unit-start-seconds`
    return setTimeout(() => onLate(phase, complaint), startMs)
  }

  #silence(): NodeJS.Timeout {
    const { silenceMs, onLate } = this.#o
    return setTimeout(() => onLate('running', `no sign of life for ${silenceMs / 1000} s`), silenceMs)
  }
}
