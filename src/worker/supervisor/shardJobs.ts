import type { Job } from 'bullmq'
import { PlaceError, RefusalError, TransientError } from '../../base/errors.ts'
import type { Logger } from '../../base/telemetry.ts'
import { runInLog, shardJobSchema, type ShardJob, type ShardResult } from '../../queue/jobs.ts'
import { asidePriority } from '../../queue/shardPriority.ts'
import { asPlaceFault, isFaultOfRun } from '../storeCall.ts'
import { ShardSuspicion } from '../suspicion.ts'
import type { ShardDone } from '../unitMessages.ts'
import { toDelayed, toWaiting } from './handBack.ts'
import type { RunFaults } from './runFaults.ts'
import type { UnitPool } from './unitPool.ts'
import { UnitDeath, type UnitProcess } from './unitProcess.ts'
import type { WorkedRun, WorkedRuns } from './workedRuns.ts'

export interface ShardJobsOptions {
  readonly pool: UnitPool
  readonly runs: WorkedRuns
  readonly host: string
  readonly flagsIntervalMs: number
  readonly pausedDelayMs: number
  readonly log: Logger
  /** False while a fault of the place is waited out. */
  readonly isPulling: () => boolean
  readonly onPlaceFault: (error: PlaceError, job: ShardJob) => void
  readonly onRefused: (error: RefusalError, job: ShardJob) => void
  readonly runFaults: Pick<RunFaults, 'asideMs' | 'report' | 'succeeded'>
  readonly onDone: (jobId: string, result: ShardResult, job: ShardJob) => void
}

type QueuedJob = Job<ShardJob, ShardResult>
/** Why a shard at work is broken off by this worker itself. */
type StopReason = 'lock-lost' | 'paused' | 'cancelled' | 'handed-back'

interface ActiveShard {
  readonly id: string
  readonly job: ShardJob
  /** When it was pulled; from its turn at the engine on, that. */
  startedAt: number
  readonly stop: AbortController
  /** Known once the run has been opened. */
  run: WorkedRun | undefined
  /** Where the shard is fetched and decoded ahead; an abort takes it away from that unit. Unset once it is computed. */
  ahead: { readonly unit: UnitProcess; readonly move: AbortController } | undefined
}

const progressIntervalMs = 1_000
/** Before a shard that met a bad place may be pulled again, by another worker or by this one once it is well. */
const placeFaultDelayMs = 1_000
const afterDeathDelayMs = 500
/** In delays: by then each shard that was put aside has been here again. */
const latestReturn = 1.25
/** By then the queue has sent the next shard, if there is one. */
const idleUntilMoveMs = 100

/** What happens to one pulled job: computed by a unit, broken off, handed back or failed. The queue's view of a shard. */
export class ShardJobs {
  readonly #o: ShardJobsOptions
  /** The same job can be here twice for a moment: lost, and pulled again before its unit had stopped. */
  readonly #active = new Set<ActiveShard>()
  readonly #flagsTimer: NodeJS.Timeout
  #isRefusing = false
  /** When a shard of a paused run was last put aside. */
  #pausedAt = -Infinity
  #onIdle: () => void = () => undefined

  constructor(options: ShardJobsOptions) {
    this.#o = options
    options.pool.onIdle = () => setTimeout(() => this.#moveOne(), idleUntilMoveMs)
    this.#flagsTimer = setInterval(() => void this.#followFlags(), options.flagsIntervalMs)
  }

  /** Whether a shard is at work; if none is, whether those that are there were put aside because their run is paused. */
  get activity(): 'computing' | 'idle' | 'paused' {
    for (const { run, stop } of this.#active) if (run !== undefined && !stop.signal.aborted) return 'computing'
    return performance.now() - this.#pausedAt < this.#o.pausedDelayMs * latestReturn ? 'paused' : 'idle'
  }

  /** BullMQ's processor. A rejection with DelayedError or WaitingError means that the job was handed back unharmed. */
  async process(queued: QueuedJob, token: string | undefined): Promise<ShardResult> {
    // A worker that pauses may still receive the job that it was waiting for at that moment.
    if (this.#isRefusing || !this.#o.isPulling()) return toWaiting(queued, token)
    const job = shardJobSchema.parse(queued.data)
    const asideMs = this.#o.runFaults.asideMs(job)
    if (asideMs > 0) return toDelayed(queued, token, asideMs)
    const shard: ActiveShard = {
      id: queued.id ?? '',
      job,
      startedAt: performance.now(),
      stop: new AbortController(),
      run: undefined,
      ahead: undefined,
    }
    this.#active.add(shard)
    try {
      const result = await this.#work(shard, queued)
      this.#o.runFaults.succeeded(job)
      this.#o.onDone(shard.id, result, shard.job)
      return result
    } catch (error) {
      return await this.#afterFailure(error, shard, queued, token)
    } finally {
      this.#active.delete(shard)
      if (this.#active.size === 0) this.#onIdle()
    }
  }

  /** Another worker may have these jobs now: their units stop putting at once. */
  lockLost(jobIds: readonly string[]): void {
    for (const shard of this.#active) if (jobIds.includes(shard.id)) this.#stop(shard, 'lock-lost')
  }

  /** From now on jobs that still arrive are handed back untouched, as are those that were only looked at ahead. */
  refuseNew(): void {
    this.#isRefusing = true
    for (const shard of this.#active) if (shard.ahead) this.#stop(shard, 'handed-back')
  }

  handAllBack(): void {
    for (const shard of this.#active) this.#stop(shard, 'handed-back')
  }

  /** Resolves when no shard is at work. */
  async idle(): Promise<void> {
    if (this.#active.size > 0) await new Promise<void>((resolve) => (this.#onIdle = resolve))
  }

  close(): void {
    clearInterval(this.#flagsTimer)
  }

  async #work(shard: ActiveShard, queued: QueuedJob): Promise<ShardResult> {
    const { runs, flagsIntervalMs, pool } = this.#o
    const run = await runs.of(shard.job)
    shard.run = run
    const flags = await run.flags(flagsIntervalMs)
    if (flags.cancelled) this.#stop(shard, 'cancelled')
    else if (flags.paused) this.#stop(shard, 'paused')
    const suspicion = new ShardSuspicion(shard.job.suspicion)
    for (;;) {
      const unit = await pool.acquire(suspicion.alone !== null, shard.stop.signal)
      const move = new AbortController()
      shard.ahead = { unit, move }
      // It was on its way to a unit when the worker was told to drain.
      if (this.#isRefusing) this.#stop(shard, 'handed-back')
      try {
        shard.stop.signal.throwIfAborted()
        return this.#result(shard, unit.name, await this.#compute(shard, run, unit, queued, suspicion, move.signal))
      } catch (error) {
        // An engine that gave rubbish may be well again in a fresh process, but hardly in this one. Not at another
        // shard's cost, though: that may be of a run whose network is right.
        if (error instanceof PlaceError && error.code === 'engine-wrong' && !pool.isShared(unit)) {
          unit.kill(error.message)
        }
        if (!move.signal.aborted || shard.stop.signal.aborted) throw error
      } finally {
        shard.ahead = undefined
        pool.release(unit)
      }
    }
  }

  async #compute(
    shard: ActiveShard,
    run: WorkedRun,
    unit: UnitProcess,
    queued: QueuedJob,
    suspicion: ShardSuspicion,
    move: AbortSignal,
  ): Promise<ShardDone> {
    const { job } = shard
    const note = () => queued.updateData({ ...job, suspicion: suspicion.known })
    let lastProgressAt = -Infinity
    let lastProgress = ''
    const lastAttempt = queued.attemptsMade + 1 >= (queued.opts.attempts ?? 1)
    try {
      return await unit.compute(
        { job, set: run.set, lastAttempt, alone: suspicion.alone },
        {
          onTurn: () => {
            shard.ahead = undefined
            shard.startedAt = performance.now()
          },
          onProgress: (done) => {
            const said = JSON.stringify(done)
            const now = performance.now()
            if (said === lastProgress || now - lastProgressAt < progressIntervalMs) return
            lastProgress = said
            lastProgressAt = now
            queued
              .updateProgress(done)
              .catch((error: unknown) => this.#o.log.debug({ ...runInLog(job), err: error }, 'progress was not noted'))
          },
          onAlone: async (key) => {
            suspicion.touch(key)
            await note()
          },
          // Not worth a note: who was being computed counts only while this process looks on.
          onAloneDone: () => suspicion.touch(null),
        },
        { stop: shard.stop.signal, move },
      )
    } catch (error) {
      if (!(error instanceof UnitDeath) || shard.stop.signal.aborted) throw error
      if (error.manner === 'dismissed') throw new NoFailedAttempt(error.message, { cause: error })
      const wasAhead = shard.ahead !== undefined && suspicion.alone === null
      const isNearer = suspicion.died(error.manner)
      await note()
      // An attempt that narrowed the search is none that failed; each image can take only two of them. Nor is one that
      // had not begun: most likely the unit died of the shard before. The death counts, in case it did not.
      throw isNearer || wasAhead ? new NoFailedAttempt(error.message, { cause: error }) : error
    }
  }

  /** A unit with nothing to do takes a shard that another unit would come to later. */
  #moveOne(): void {
    const { pool } = this.#o
    if (!pool.hasIdleUnit) return
    for (const { ahead } of this.#active) if (ahead && pool.isShared(ahead.unit)) return ahead.move.abort()
  }

  async #afterFailure(
    error: unknown,
    shard: ActiveShard,
    queued: QueuedJob,
    token: string | undefined,
  ): Promise<ShardResult> {
    if (shard.stop.signal.aborted) return this.#afterStop(shard, queued, token)
    const fault = asPlaceFault(error)
    if (isFaultOfRun(fault)) return toDelayed(queued, token, this.#o.runFaults.report(fault, shard.job))
    if (fault instanceof PlaceError) {
      this.#o.onPlaceFault(fault, shard.job)
      return toDelayed(queued, token, placeFaultDelayMs)
    }
    if (fault instanceof RefusalError) {
      this.#o.onRefused(fault, shard.job)
      // Not failed: other workers may be allowed to do it. They get it from among those that are put aside by and by.
      return this.#putAside(queued, token)
    }
    if (fault instanceof NoFailedAttempt) return toDelayed(queued, token, afterDeathDelayMs)
    this.#o.log.warn({ shard: shard.id, ...runInLog(shard.job), err: fault }, 'a shard failed and is tried again')
    throw fault
  }

  async #afterStop(shard: ActiveShard, queued: QueuedJob, token: string | undefined): Promise<ShardResult> {
    switch (stopReason(shard)) {
      case 'cancelled': {
        const none = { outcome: 'cancelled', computed: 0, failed: 0, engine: '', engineMs: 0 } as const
        const result = this.#result(shard, '', none)
        this.#o.onDone(shard.id, result, shard.job)
        return result
      }
      case 'paused':
        this.#pausedAt = performance.now()
        // Not those of an older producer, which would give it no place again.
        if (queued.priority > 0) await queued.changePriority({ priority: asidePriority })
        return this.#putAside(queued, token)
      case 'handed-back':
        return toWaiting(queued, token)
      case 'lock-lost':
        throw new TransientError('lock-lost', `the lock of ${shard.id} was lost; another worker takes the shard over`)
    }
  }

  /** Spread out, or all the jobs of a run would come back in the same second. */
  #putAside(queued: QueuedJob, token: string | undefined): Promise<never> {
    return toDelayed(queued, token, this.#o.pausedDelayMs * (0.75 + Math.random() * (latestReturn - 0.75)))
  }

  #result(shard: ActiveShard, unit: string, done: Omit<ShardResult, 'host' | 'unit' | 'wallMs'>): ShardResult {
    return { ...done, host: this.#o.host, unit, wallMs: Math.round(performance.now() - shard.startedAt) }
  }

  #stop(shard: ActiveShard, reason: StopReason): void {
    shard.stop.abort(reason)
  }

  async #followFlags(): Promise<void> {
    for (const shard of this.#active) {
      const flags = await shard.run?.flags(this.#o.flagsIntervalMs / 2)
      if (flags?.cancelled) this.#stop(shard, 'cancelled')
      else if (flags?.paused) this.#stop(shard, 'paused')
    }
  }
}

/** The shard goes back without an attempt being counted: a unit died on one image alone, or for another shard's sake. */
class NoFailedAttempt extends Error {}

function stopReason(shard: ActiveShard): StopReason {
  const reason: unknown = shard.stop.signal.reason
  return reason === 'cancelled' || reason === 'paused' || reason === 'handed-back' ? reason : 'lock-lost'
}
