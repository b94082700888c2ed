import { fittingUnits, memoryText, reckonedBytes, type OpenedNetwork } from '../networkMemory.ts'

export interface UnitMemoryOptions {
  /** Free for all units together, as long as none is there. */
  readonly availableBytes: number
  /** With how many the worker begins. */
  readonly units: number
  /** There are never more, however little a unit takes. */
  readonly mostUnits: number
  /** Their number was asked for and is not changed; what does not fit is only told of. */
  readonly isGiven: boolean
  /** Bytes of a unit by the network's key, from earlier runs. */
  readonly remembered: ReadonlyMap<string, number>
  /** The number has changed. Called before any unit that waits is let on. */
  readonly onUnits: (units: number) => void
  /** To people, once for each change and each network that does not fit. */
  readonly say: (level: 'info' | 'warn', sentence: string) => void
}

interface Asking<Unit> {
  readonly unit: Unit
  readonly network: OpenedNetwork
  readonly open: () => void
}

/** Units of one network differ by this much without meaning anything. */
const tolerance = 1.05

/**
 * Keeps units from opening more than the machine's memory holds. Where what a network is reckoned to take would not fit
 * that often, one unit opens it first, alone, and is measured; then there are as many units as fit.
 */
export class UnitMemory<Unit extends object> {
  readonly #o: UnitMemoryOptions
  readonly #known: Map<string, number>
  /** Measured by this worker itself, not in an earlier run. */
  readonly #measured = new Set<string>()
  /** What each unit has open, or is opening: one network twice where it serves two result sets. */
  readonly #held = new Map<Unit, OpenedNetwork[]>()
  #asking: Asking<Unit>[] = []
  #units: number
  #isReviewing = false
  readonly #warned = new Set<string>()

  constructor(options: UnitMemoryOptions) {
    this.#o = options
    this.#known = new Map(options.remembered)
    this.#units = options.units
  }

  /** Calls `open` once the unit may open the network, perhaps at once, unless it is gone by then. */
  ask(unit: Unit, network: OpenedNetwork, open: () => void): void {
    this.#asking.push({ unit, network, open })
    this.#review()
  }

  /**
   * A unit has computed its first batch with the network. `isOnly`: it has compiled it and opened no other before, so that
   * all that it takes is this one's; else it is more than that, and counts only where nothing better is known. Returns
   * whether that is news.
   */
  measured(key: string, bytes: number, isOnly: boolean): boolean {
    if (!isOnly && this.#known.has(key)) return false
    const isNews = !this.#measured.has(key) || bytes > (this.#known.get(key) ?? 0) * tolerance
    if (isNews) this.#known.set(key, bytes)
    if (isOnly) this.#measured.add(key)
    this.#review()
    return isNews
  }

  /** The unit could not open the network, or has given it back. */
  closed(unit: Unit, key: string): void {
    const held = this.#held.get(unit) ?? []
    const index = held.findIndex((network) => network.key === key)
    if (index !== -1) held.splice(index, 1)
    this.#review()
  }

  /** The unit is dead, or about to be. */
  gone(unit: Unit): void {
    this.#held.delete(unit)
    this.#asking = this.#asking.filter((asking) => asking.unit !== unit)
    this.#review()
  }

  /** Whether it has any network open, or is opening one. */
  isHolding(unit: Unit): boolean {
    return (this.#held.get(unit)?.length ?? 0) > 0
  }

  #review(): void {
    // Units that are dismissed for what is being found out say so in the middle of it.
    if (this.#isReviewing) return
    this.#isReviewing = true
    this.#count()
    this.#serve()
    this.#isReviewing = false
  }

  #serve(): void {
    for (let next = this.#next(); next; next = this.#next()) {
      const { unit, network, open } = next
      this.#asking = this.#asking.filter((asking) => asking !== next)
      this.#held.set(unit, [...(this.#held.get(unit) ?? []), network])
      open()
    }
  }

  /** By the largest network in use of those that are known. */
  #count(): void {
    const { availableBytes, mostUnits, isGiven, onUnits, say } = this.#o
    let largest: { file: string; key: string; bytes: number } | undefined
    for (const { key, file } of [...this.#allHeld(), ...this.#asking.map(({ network }) => network)]) {
      const bytes = this.#known.get(key)
      if (bytes !== undefined && bytes > (largest?.bytes ?? 0)) largest = { file, key, bytes }
    }
    if (!largest) return
    const { file, key, bytes } = largest
    const sentence = (what: string) =>
      `a unit takes ${memoryText(bytes)} for ${file}: ${what}, since ${memoryText(availableBytes)} are free`
    if ((isGiven ? this.#units : 1) * bytes > availableBytes && !this.#warned.has(key)) {
      this.#warned.add(key)
      say('warn', sentence(isGiven ? `--units ${this.#units} is more than fits` : 'even one is more than fits'))
    }
    const units = isGiven ? this.#units : fittingUnits(availableBytes, bytes, mostUnits)
    if (units === this.#units) return
    const change = `${units} ${units === 1 ? 'unit' : 'units'} instead of ${this.#units}`
    say(units < this.#units ? 'warn' : 'info', sentence(change))
    this.#units = units
    onUnits(units)
  }

  #next(): Asking<Unit> | undefined {
    const onTrial = [...this.#held].filter(([, held]) => held.some((network) => !this.#fits(network)))
    return this.#asking.find(
      ({ unit, network }) =>
        this.#fits(network) ||
        // One that is on trial may take all there is, but not from itself: its first batch may have to wait for another of
        // its shards, which asks for a network of its own.
        onTrial.every(([holder]) => holder === unit),
    )
  }

  /** Whether all units could have it open. */
  #fits({ key, fileBytes }: OpenedNetwork): boolean {
    const { availableBytes, isGiven } = this.#o
    return isGiven || this.#known.has(key) || this.#units * reckonedBytes(fileBytes) <= availableBytes
  }

  #allHeld(): OpenedNetwork[] {
    return [...this.#held.values()].flat()
  }
}
