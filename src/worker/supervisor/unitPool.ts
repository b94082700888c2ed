import { backoffMs, pause, type Backoff } from '../../base/backoff.ts'
import { InputError, PlaceError } from '../../base/errors.ts'
import type { Logger } from '../../base/telemetry.ts'
import type { Measured } from '../measurements.ts'
import type { UnitSettings } from '../unitMessages.ts'
import { UnitProcess, type UnitProcessOptions } from './unitProcess.ts'

export interface UnitPoolOptions {
  readonly units: number
  readonly settings: UnitSettings
  /** Of the unit with this number; this process's own when absent. */
  readonly environment?: ((unit: number) => Readonly<Record<string, string | undefined>>) | undefined
  readonly silenceMs: number
  readonly startMs: number
  readonly log: Logger
  readonly onStart: (unit: { name: string; pid: number | undefined }) => void
  readonly onDeath: (unit: { name: string; pid: number | undefined }, why: string) => void
  readonly onMeasured: (measured: Measured) => void
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

const restarting: Backoff = { firstMs: 200, longestMs: 30_000 }
/** A unit that lived for so long did not die of its start. */
const provenMs = 30_000
/** After so many deaths in a row without a finished shard the machine, not a shard, is to blame. */
const deathsInARow = 5
const exitGraceMs = 2_000

/** Keeps a fixed number of units alive and hands out their places for shards. */
export class UnitPool {
  readonly #o: UnitPoolOptions
  readonly #all = new Map<string, UnitProcess>()
  readonly #loads = new Map<UnitProcess, Load>()
  readonly #waiting: Waiting[] = []
  /** Called when a unit is left without anything to do. */
  onIdle: () => void = () => undefined
  readonly #closing = new AbortController()
  readonly #keepers: Promise<void>[]
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
    this.#keepers = Array.from({ length: options.units }, (_, index) =>
      this.#keep(`unit-${index}`, options.environment?.(index)),
    )
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
    await Promise.all([...this.#all.values()].map((unit) => unit.exit(exitGraceMs)))
    await Promise.all(this.#keepers)
  }

  /** One unit after another under the same name, until the pool is closed. */
  async #keep(name: string, environment: UnitProcessOptions['environment']): Promise<void> {
    const { settings, silenceMs, startMs, log, onStart, onDeath, onMeasured } = this.#o
    const closing = this.#closing.signal
    let { largestBatch } = settings
    for (let early = 0; !closing.aborted;) {
      const unit = new UnitProcess({
        name,
        settings: { ...settings, largestBatch },
        environment,
        silenceMs,
        startMs,
        onMeasured,
        log,
      })
      this.#all.set(name, unit)
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
          this.#failedStarts++
          if (error instanceof InputError) this.#start.reject(error)
        },
      )
      const why = await unit.death
      await became
      this.#all.delete(name)
      this.#loads.delete(unit)
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
