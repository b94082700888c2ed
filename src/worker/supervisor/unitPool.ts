import { backoffMs, pause, type Backoff } from '../../base/backoff.ts'
import { InputError, PlaceError } from '../../base/errors.ts'
import type { Logger } from '../../base/telemetry.ts'
import { gpuEnvironment } from '../../machine/gpuMemory.ts'
import type { Measured } from '../measurements.ts'
import type { NetworkMemory, OpenedNetwork } from '../networkMemory.ts'
import type { UnitSettings } from '../unitMessages.ts'
import { UnitMemory, type UnitMemoryOptions } from './unitMemory.ts'
import { UnitProcess, type UnitProcessOptions } from './unitProcess.ts'

export interface UnitPoolOptions {
  readonly memory: Omit<UnitMemoryOptions, 'onUnits'>
  readonly settings: Omit<UnitSettings, 'gpuEnvironment'>
  /** Of the unit with this number; this process's own when absent. */
  readonly environment?: ((unit: number) => Readonly<Record<string, string | undefined>>) | undefined
  readonly silenceMs: number
  readonly startMs: number
  readonly log: Logger
  readonly onStart: (unit: { name: string; pid: number | undefined }) => void
  readonly onDeath: (unit: Pick<UnitProcess, 'name' | 'pid' | 'lastJob'>, why: string) => void
  readonly onMeasured: (measured: Measured) => void
  /** A unit has computed its first batch with a network. `isOnly`: it has compiled it, and opened no other before. */
  readonly onMemory: (network: OpenedNetwork, memory: NetworkMemory, isOnly: boolean) => void
  /** It was one too many for the memory that there is. */
  readonly onDismissed: (unit: { name: string; pid: number | undefined }) => void
  /** How many there are to be from now on. */
  readonly onUnits: (units: number) => void
}

/** One that is computed, and the one after it that is fetched and decoded meanwhile. */
export const shardsPerUnit = 2

interface Waiting {
  readonly alone: boolean
  readonly resolve: (unit: UnitProcess) => void
  readonly reject: (error: unknown) => void
}

/** What a unit that takes shards has. */
interface Load {
  shards: number
  /** It has a shard that must have it to itself. */
  isAlone: boolean
}

/** One unit after another under the same name. */
interface Keeper {
  /** Null until it is there, and while the next one is waited for. */
  unit: UnitProcess | null
  readonly dismissal: AbortController
}

const restarting: Backoff = { firstMs: 200, longestMs: 30_000 }
/** A unit that lived for so long did not die of its start. */
const provenMs = 30_000
/** After so many deaths in a row without a finished shard the machine, not a shard, is to blame. */
const deathsInARow = 5
const exitGraceMs = 2_000

/** Keeps as many units alive as there is memory for and hands out their places for shards. */
export class UnitPool {
  readonly #o: UnitPoolOptions
  readonly #memory: UnitMemory<UnitProcess>
  /** By the units' numbers. */
  readonly #keepers = new Map<number, Keeper>()
  /** Of all keepers, dismissed ones too, until they end. */
  readonly #kept = new Set<Promise<void>>()
  readonly #all = new Set<UnitProcess>()
  readonly #loads = new Map<UnitProcess, Load>()
  readonly #waiting: Waiting[] = []
  /** Called when a unit is left without anything to do. */
  onIdle: () => void = () => undefined
  readonly #closing = new AbortController()
  /** Deaths at the start since any unit last became ready. */
  #failedStarts = 0
  #lastDeath = ''
  /**
   * Resolves when the first unit can take shards; rejects with InputError `bad-engine` when units cannot run the engine
   * at all, with PlaceError when they keep dying.
   */
  readonly started: Promise<void>
  #start: { resolve: () => void; reject: (error: unknown) => void } = {
    resolve: () => undefined,
    reject: () => undefined,
  }

  constructor(options: UnitPoolOptions) {
    this.#o = options
    this.started = new Promise((resolve, reject) => (this.#start = { resolve, reject }))
    this.started.catch(() => undefined)
    this.#memory = new UnitMemory({ ...options.memory, onUnits: (units) => this.#resize(units) })
    this.#fill(options.memory.units)
  }

  /**
   * A place in a unit until `release`, in one without a shard if there is any; `alone` asks for a unit that has no other
   * shard and gets none. Waits in line; rejects with PlaceError when units keep dying at their start, or with the
   * signal's reason.
   */
  async acquire(alone: boolean, signal: AbortSignal): Promise<UnitProcess> {
    signal.throwIfAborted()
    // Past whoever waits to be alone there is no way, or places freed one by one would never make a unit free.
    const unit = this.#waiting.length === 0 ? this.#seat(alone) : undefined
    if (unit) return unit
    if (this.#isHopeless) throw this.#startFault()
    return new Promise((resolve, reject) => {
      const waiting: Waiting = {
        alone,
        resolve: (given) => {
          signal.removeEventListener('abort', giveUp)
          resolve(given)
        },
        reject: (error) => {
          signal.removeEventListener('abort', giveUp)
          reject(error)
        },
      }
      const giveUp = () => {
        this.#waiting.splice(this.#waiting.indexOf(waiting), 1)
        reject(signal.reason)
        this.#serve()
      }
      signal.addEventListener('abort', giveUp, { once: true })
      this.#waiting.push(waiting)
    })
  }

  release(unit: UnitProcess): void {
    const load = this.#loads.get(unit)
    if (!load) return
    load.shards--
    load.isAlone = false
    this.#serve()
  }

  /** Whether a unit has nothing to do and nobody waits for it. */
  get hasIdleUnit(): boolean {
    return this.#waiting.length === 0 && [...this.#loads].some(([unit, load]) => unit.isAlive && load.shards === 0)
  }

  /** Whether a unit has two shards. */
  isShared(unit: UnitProcess): boolean {
    return this.#loads.get(unit)?.shards === shardsPerUnit
  }

  #seat(alone: boolean): UnitProcess | undefined {
    let best: { unit: UnitProcess; load: Load } | undefined
    for (const [unit, load] of this.#loads) {
      const room = alone ? 1 : shardsPerUnit
      if (!unit.isAlive || load.isAlone || load.shards >= room) continue
      if (!best || load.shards < best.load.shards) best = { unit, load }
    }
    if (!best) return undefined
    best.load.shards++
    best.load.isAlone = alone
    return best.unit
  }

  #serve(): void {
    for (let next = this.#waiting[0]; next; next = this.#waiting[0]) {
      const unit = this.#seat(next.alone)
      if (!unit) return
      this.#waiting.shift()
      next.resolve(unit)
    }
    if (this.hasIdleUnit) this.onIdle()
  }

  /** Ends all units, by force where they do not go. */
  async close(): Promise<void> {
    this.#closing.abort()
    await Promise.all([...this.#all].map((unit) => unit.exit(exitGraceMs)))
    await Promise.all(this.#kept)
  }

  #resize(units: number): void {
    for (let surplus = this.#keepers.size - units; surplus > 0; surplus--) this.#dismissOne()
    this.#fill(units)
    this.#o.onUnits(units)
  }

  #fill(units: number): void {
    for (let index = 0; this.#keepers.size < units; index++) {
      if (this.#keepers.has(index)) continue
      const keeper: Keeper = { unit: null, dismissal: new AbortController() }
      this.#keepers.set(index, keeper)
      const kept = this.#keep(`unit-${index}`, keeper, this.#o.environment?.(index)).finally(() =>
        this.#kept.delete(kept),
      )
      this.#kept.add(kept)
    }
  }

  /** The one that loses least by it. Its shards go back by no fault of theirs. */
  #dismissOne(): void {
    const costs = [...this.#keepers].map(([index, keeper]) => ({ index, keeper, cost: this.#costOf(keeper.unit) }))
    const least = costs.reduce((best, other) => (other.cost <= best.cost ? other : best))
    const { unit, dismissal } = least.keeper
    this.#keepers.delete(least.index)
    dismissal.abort()
    if (!unit) return
    this.#loads.delete(unit)
    this.#memory.gone(unit)
    unit.kill('it was one too many for the memory that there is')
    this.#o.onDismissed(unit)
  }

  #costOf(unit: UnitProcess | null): number {
    if (!unit) return -1
    return (this.#memory.isHolding(unit) ? 1 + shardsPerUnit : 0) + (this.#loads.get(unit)?.shards ?? 0)
  }

  /** One unit after another under the same name, until it is dismissed or the pool closed. */
  async #keep(name: string, keeper: Keeper, environment: UnitProcessOptions['environment']): Promise<void> {
    const { settings, silenceMs, startMs, log, onStart, onDeath, onMeasured, onMemory } = this.#o
    const closing = AbortSignal.any([this.#closing.signal, keeper.dismissal.signal])
    const networks = new Map<string, OpenedNetwork>()
    let { largestBatch } = settings
    for (let early = 0; !closing.aborted;) {
      const unit: UnitProcess = new UnitProcess({
        name,
        settings: { ...settings, largestBatch, gpuEnvironment: gpuEnvironment(environment ?? {}) },
        environment,
        silenceMs,
        startMs,
        onMeasured,
        onMayOpen: (network) => {
          networks.set(network.key, network)
          log.debug({ unit: name, network: network.file }, 'a unit waits to open a network')
          this.#memory.ask(unit, network, () => {
            log.debug({ unit: name, network: network.file }, 'a unit opens a network')
            unit.open()
          })
        },
        onMemory: (key, memory, isOnly) => {
          const isNews = this.#memory.measured(key, memory.processBytes, isOnly)
          const network = networks.get(key)
          if (isNews && network) onMemory(network, memory, isOnly)
        },
        onClosed: (key) => this.#memory.closed(unit, key),
        log,
      })
      this.#all.add(unit)
      keeper.unit = unit
      const startedAt = performance.now()
      const became = unit.ready.then(
        () => {
          this.#failedStarts = 0
          this.#start.resolve()
          onStart(unit)
          this.#loads.set(unit, { shards: 0, isAlone: false })
          this.#serve()
        },
        (error: unknown) => {
          if (closing.aborted) return
          this.#failedStarts++
          if (error instanceof InputError) this.#start.reject(error)
        },
      )
      const why = await unit.death
      await became
      keeper.unit = null
      this.#all.delete(unit)
      this.#loads.delete(unit)
      this.#memory.gone(unit)
      if (closing.aborted) return
      this.#lastDeath = why
      if (unit.triedBatch !== null && unit.triedBatch <= largestBatch) largestBatch = unit.triedBatch / 2
      onDeath(unit, why)
      if (this.#isHopeless) {
        this.#start.reject(this.#startFault())
        for (const waiting of this.#waiting.splice(0)) waiting.reject(this.#startFault())
      }
      // A unit that worked for a while is replaced at once; one that dies again and again is not allowed to spin.
      early = performance.now() - startedAt < provenMs ? early + 1 : 1
      await pause(backoffMs(restarting, early), { signal: closing })
    }
  }

  /** Units keep dying at their start, and none is there. */
  get #isHopeless(): boolean {
    return this.#failedStarts >= deathsInARow && this.#loads.size === 0
  }

  #startFault(): PlaceError {
    return new PlaceError('engine-wrong', `computing units die while they start, last with ${this.#lastDeath}`)
  }
}
