import { z } from 'zod'
import { pause } from '../base/backoff.ts'
import { InputError } from '../base/errors.ts'
import { hasEnded, isAlive, thisProcess, type ProcessIdentity } from '../base/processIdentity.ts'
import type { Logger } from '../base/telemetry.ts'
import type { Patience } from '../storage/patience.ts'
import { PatientStore } from '../storage/patientStore.ts'
import type { Store } from '../storage/store.ts'
import { getJson, printJson } from './jsonObject.ts'
import { isWrittenUnderHold, layout } from './layout.ts'

/** `lock.json`: the hold. One run at a time writes to a result set. */
const holdSchema = z.strictObject({
  run: z.string().nullable(),
  host: z.string(),
  bootId: z.string(),
  pid: z.int(),
  /** Start time of the process in clock ticks since boot (Linux), so that a reused pid is not taken for the owner. */
  processStart: z.string(),
  heartbeatAt: z.iso.datetime(),
})
export type HoldFile = z.infer<typeof holdSchema>

/**
 * The hold of a result set, however old its heartbeat, and the ETag that it is replaced by; undefined when nobody has it.
 * InputError `bad-layout` when `lock.json` is another's.
 */
export function readHold(output: Store, set: string): Promise<{ value: HoldFile; etag: string } | undefined> {
  return getJson(output, layout.hold(set), holdSchema)
}

/** Age of a heartbeat from which its owner counts as gone, and its hold may be taken over. */
const staleHoldMs = 30_000

export interface HoldOptions {
  readonly output: Store
  readonly set: string
  readonly signal: AbortSignal
  /** For taking and confirming; a heartbeat is sent anew anyway. */
  readonly patience: Patience
  /** Says whom is waited for. */
  readonly onWait: (message: string) => void
  readonly log: Logger
  readonly times?: HoldTimes
  /** Who takes the hold; this process unless a test says otherwise. */
  readonly identity?: ProcessIdentity
}

export interface HoldTimes {
  readonly heartbeatMs: number
  /** Age of a heartbeat from which its owner counts as gone. */
  readonly staleMs: number
}

const defaultTimes: HoldTimes = { heartbeatMs: 10_000, staleMs: staleHoldMs }

/**
 * The right to write to a result set: `lock.json` in it, renewed by a heartbeat. It lies in the output and not in Redis,
 * since two machines may have two Redis servers and one output.
 */
export class Hold {
  /** Aborts with an InputError `held` when another process took the hold: nothing may be written any more. */
  readonly lost: AbortSignal
  readonly #options: HoldOptions
  readonly #identity: ProcessIdentity
  readonly #conditional: boolean
  readonly #lost = new AbortController()
  readonly #stop = new AbortController()
  #etag: string
  #run: string | null = null
  #renewing: Promise<void> = Promise.resolve()
  readonly #beating: Promise<void>

  private constructor(options: HoldOptions, identity: ProcessIdentity, conditional: boolean, etag: string) {
    this.#options = options
    this.#identity = identity
    this.#conditional = conditional
    this.#etag = etag
    this.lost = this.#lost.signal
    this.#beating = this.#beat()
  }

  /**
   * Takes the hold. An owner of this machine whose process is gone is replaced at once; any other is waited for until
   * its heartbeat is 30 s old. InputError `held` when the owner lives.
   */
  static async take(options: HoldOptions): Promise<Hold> {
    const { set, signal, log } = options
    const output = new PatientStore(options.output, options.patience)
    const times = options.times ?? defaultTimes
    const identity = options.identity ?? (await thisProcess())
    const conditional = await output.conditionalPut()
    if (!conditional) {
      log.warn(
        `${output.uri} has no conditional PUT: two runs that start in the same moment may both write to ${set}; ` +
          'start only one at a time.',
      )
    }
    /** The heartbeat seen first and when, by this machine's clock. */
    let watched: { heartbeatAt: string; since: number } | undefined
    for (;;) {
      signal.throwIfAborted()
      const present = await readHold(output, set)
      const etag = await claim(output, set, identity, conditional, present, times, watched)
      if (etag !== false) {
        const hold = new Hold(options, identity, conditional, etag)
        await removeLeftovers(options)
        return hold
      }
      // Nobody to wait for: another was faster to take it from one that has ended.
      if (present === undefined || (await hasEnded(present.value, identity))) continue
      const owner = present.value
      if (watched !== undefined && watched.heartbeatAt !== owner.heartbeatAt) throw held(output, set, owner)
      const age = ageMs(owner)
      if (age < times.staleMs && (await isAlive(owner, identity))) throw held(output, set, owner)
      if (watched === undefined) {
        watched = { heartbeatAt: owner.heartbeatAt, since: performance.now() }
        const stillMs = Math.max(times.staleMs - age, times.heartbeatMs * 1.2)
        options.onWait(
          `waiting for ${named(owner)}, which holds ${set}: its last heartbeat is ${seconds(age)} old, ` +
            `and it counts as gone unless there is another within ${seconds(stillMs)}`,
        )
      }
      await pause(Math.min(1_000, times.heartbeatMs / 4), { signal })
    }
  }

  /** Writes into the hold which run it is for. */
  async setRun(run: string): Promise<void> {
    this.#run = run
    await this.confirm()
  }

  /** Renews now. Raises the InputError `held` when the hold is lost. */
  async confirm(): Promise<void> {
    const { output, patience } = this.#options
    await patience.call(output, () => this.#renewInTurn())
  }

  async #renewInTurn(): Promise<void> {
    this.#renewing = this.#renewing.catch(() => undefined).then(() => this.#renew())
    await this.#renewing
    this.lost.throwIfAborted()
  }

  /** Gives the hold back, unless it is another's by now. */
  async release(): Promise<void> {
    this.#stop.abort()
    await this.#beating
    await this.#renewing.catch(() => undefined)
    if (this.lost.aborted) return
    const { output, set } = this.#options
    const present = await readHold(output, set)
    if (present !== undefined && sameProcess(present.value, this.#identity)) await output.delete(layout.hold(set))
  }

  async #beat(): Promise<void> {
    const { heartbeatMs } = this.#options.times ?? defaultTimes
    for (;;) {
      // Unreferenced timers would do for a command, but a standing producer waits here as well.
      await pause(heartbeatMs, { signal: this.#stop.signal })
      if (this.#stop.signal.aborted || this.lost.aborted) return
      await this.#renewInTurn().catch((error: unknown) => {
        // A store that is away for a while loses no hold: the next renewal finds out whether someone took it.
        if (!this.lost.aborted) this.#options.log.warn({ err: error }, 'the hold could not be renewed; trying again')
      })
    }
  }

  async #renew(): Promise<void> {
    if (this.lost.aborted) return
    const { output, set } = this.#options
    const key = layout.hold(set)
    const text = printJson(holdFile(this.#identity, this.#run))
    if (this.#conditional) {
      const etag = await output.put(key, text, { ifMatch: this.#etag })
      if (etag !== false) {
        this.#etag = etag
        return
      }
    }
    // Without conditional PUT, or when the answer to an earlier renewal was lost: look who stands there.
    const present = await readHold(output, set)
    if (present === undefined || !sameProcess(present.value, this.#identity)) {
      const taker = present === undefined ? 'someone who removed lock.json' : named(present.value)
      const message = `the result set ${set} was taken over by ${taker}; this run stops, the other one goes on with it`
      this.#lost.abort(new InputError('held', message))
      return
    }
    const options = this.#conditional ? { ifMatch: present.etag } : {}
    const etag = await output.put(key, text, options)
    if (etag !== false) this.#etag = etag
  }
}

/** What those who had the hold, or computed for them, left behind when they were killed. No run fails for it. */
async function removeLeftovers({ output, set, log }: HoldOptions): Promise<void> {
  try {
    await output.removeLeftovers(`${set}/`, (key) => isWrittenUnderHold(set, key))
  } catch (error) {
    log.debug({ err: error }, 'what dead processes left behind could not be removed')
  }
}

/** Tries to write the own hold where that is allowed now; false when it is not, or another was faster. */
async function claim(
  output: Store,
  set: string,
  identity: ProcessIdentity,
  conditional: boolean,
  present: { value: HoldFile; etag: string } | undefined,
  times: HoldTimes,
  watched: { heartbeatAt: string; since: number } | undefined,
): Promise<string | false> {
  if (present !== undefined && !(await isGone(present.value, identity, times, watched))) return false
  const key = layout.hold(set)
  const text = printJson(holdFile(identity, null))
  if (conditional) return output.put(key, text, present === undefined ? { ifAbsent: true } : { ifMatch: present.etag })
  await output.put(key, text)
  // The best that such a store allows: whoever wrote last is seen by both.
  const written = await readHold(output, set)
  return written !== undefined && sameProcess(written.value, identity) ? written.etag : false
}

/**
 * Whether the owner counts as gone. The age of a heartbeat compares two machines' clocks, so an old one must also have
 * stood still for more than one beat by our own: else a clock that is a minute off would take over live runs.
 */
async function isGone(
  owner: HoldFile,
  here: ProcessIdentity,
  times: HoldTimes,
  watched: { heartbeatAt: string; since: number } | undefined,
): Promise<boolean> {
  if (await hasEnded(owner, here)) return true
  if (watched === undefined || watched.heartbeatAt !== owner.heartbeatAt) return false
  const still = performance.now() - watched.since
  return still >= times.staleMs || (ageMs(owner) >= times.staleMs && still >= times.heartbeatMs * 1.2)
}

function holdFile(identity: ProcessIdentity, run: string | null): HoldFile {
  return { run, ...identity, heartbeatAt: new Date().toISOString() }
}

function sameProcess(a: ProcessIdentity, b: ProcessIdentity): boolean {
  return a.host === b.host && a.bootId === b.bootId && a.pid === b.pid && a.processStart === b.processStart
}

function held(output: Store, set: string, owner: HoldFile): InputError {
  const message =
    `${output.uri}${set} is being written by ${named(owner)} (last heartbeat ${seconds(ageMs(owner))} ago); ` +
    'wait until it is done, or stop it first'
  return new InputError('held', message)
}

function named(owner: HoldFile): string {
  // Without a run: one that is about to begin, or `headlight report`.
  return `${owner.run === null ? '' : `run ${owner.run} of `}process ${owner.pid} on ${owner.host}`
}

function ageMs(owner: HoldFile, nowMs = Date.now()): number {
  return Math.max(0, nowMs - Date.parse(owner.heartbeatAt))
}

function seconds(ms: number): string {
  return `${Math.round(ms / 1000)} s`
}

/** Who writes to a result set now. */
export interface LiveHold {
  readonly hold: HoldFile
  readonly heartbeatSecondsAgo: number
}

/** The hold of a result set, unless its owner has been silent for so long that it counts as gone. */
export async function liveHold(output: Store, set: string, now: Date): Promise<LiveHold | undefined> {
  const found = await readHold(output, set)
  if (found === undefined) return undefined
  const age = ageMs(found.value, now.getTime())
  if (age > staleHoldMs) return undefined
  return { hold: found.value, heartbeatSecondsAgo: Math.round(age / 1000) }
}
