import { hostname } from 'node:os'
import type { Worker } from 'bullmq'
import type { ShardJob, ShardResult } from '../contract/job.ts'
import { type HeadlightError, PlaceError } from '../errors.ts'
import { openWorker, type QueueConnection } from '../queue/connection.ts'
import type { Logger } from '../telemetry.ts'
import { PlaceFaults } from './placeFaults.ts'
import { WorkedRuns } from './runs.ts'
import { ShardJobs } from './shardJobs.ts'
import { asPlaceFault } from './storeCall.ts'
import { shardsPerUnit, UnitPool } from './unitPool.ts'

/** What a worker tells its owner besides its log. */
export type WorkerEvent =
  | { readonly type: 'unit-started'; readonly unit: string; readonly pid: number | undefined }
  | { readonly type: 'unit-died'; readonly unit: string; readonly pid: number | undefined; readonly why: string }
  /** Nothing is pulled any more, until `place-retry`. */
  | {
      readonly type: 'place-fault'
      readonly code: HeadlightError['code']
      readonly message: string
      /** Faults in a row, this one included. */
      readonly attempt: number
      readonly retryInMs: number
    }
  | { readonly type: 'place-retry' }
  | { readonly type: 'shard'; readonly job: string; readonly result: ShardResult }

export interface WorkerOptions {
  readonly connection: QueueConnection
  readonly queueName: string
  /** Child processes, one device each. Minimum 1. */
  readonly units: number
  readonly engine: string
  /** Images per engine call. Minimum 1. */
  readonly batch: number
  /** Takes the place of the S3 endpoints that stand in jobs and result sets. */
  readonly endpointOverride?: string
  /** Networks are kept here between runs. */
  readonly cacheFolder: string
  /** A unit at work that gets nothing done for so long is killed and replaced. */
  readonly unitSilenceMs: number
  /** Objects that a unit fetches at a time; chosen by the kind of store when absent. */
  readonly fetchConcurrency?: number | undefined
  readonly log: Logger
  readonly onEvent?: (event: WorkerEvent) => void
  readonly times?: Partial<WorkerTimes>
}

export interface WorkerTimes {
  /** How often the flags of the runs at work are read. */
  readonly flagsIntervalMs: number
  /** Before a job of a paused run is looked at again. */
  readonly pausedDelayMs: number
  readonly firstFaultDelayMs: number
  readonly longestFaultDelayMs: number
}

const defaultTimes: WorkerTimes = {
  flagsIntervalMs: 5_000,
  pausedDelayMs: 30_000,
  firstFaultDelayMs: 5_000,
  longestFaultDelayMs: 300_000,
}

export interface RunningWorker {
  /**
   * Pulls nothing more, waits up to `graceMs` for the shards at work, hands the rest back, ends the units and closes.
   * Takes a few seconds longer than `graceMs` at most, also when Redis is away.
   */
  drain(graceMs: number): Promise<void>
}

/** How long units and Redis may take to hand shards back once the grace is over. */
const handBackMs = 8_000
const closeMs = 3_000

/**
 * Starts a worker: this process holds the jobs' locks and stays idle otherwise, so that renewing them never waits for
 * compute; child processes compute. Resolves when the first unit can take shards. Raises InputError `bad-engine`.
 */
export async function startWorker(options: WorkerOptions): Promise<RunningWorker> {
  const { log, units, endpointOverride, onEvent = () => undefined } = options
  const times = { ...defaultTimes, ...options.times }
  const runs = new WorkedRuns(endpointOverride, log)
  const pool = new UnitPool({
    units,
    settings: {
      cacheFolder: options.cacheFolder,
      engine: options.engine,
      batch: options.batch,
      intraOpThreads: 1,
      endpointOverride: endpointOverride ?? null,
      fetchConcurrency: options.fetchConcurrency ?? null,
    },
    silenceMs: options.unitSilenceMs,
    log,
    onStart: ({ name, pid }) => onEvent({ type: 'unit-started', unit: name, pid }),
    onDeath: ({ name, pid }, why) => {
      log.warn({ unit: name }, `a computing unit died (${why}); it is replaced and its shard goes back`)
      onEvent({ type: 'unit-died', unit: name, pid, why })
    },
  })
  try {
    await pool.started
  } catch (error) {
    await pool.close()
    throw error
  }

  const faults = new PlaceFaults({
    pause: () => void worker.pause(true),
    resume: () => void worker.resume(),
    onFault: (error, attempt, retryInMs) => {
      log.error({ code: error.code, retryInMs }, `no more shards are pulled: ${error.message}`)
      onEvent({ type: 'place-fault', code: error.code, message: error.message, attempt, retryInMs })
    },
    onRetry: () => {
      log.info('pulling shards again')
      onEvent({ type: 'place-retry' })
    },
    firstDelayMs: times.firstFaultDelayMs,
    longestDelayMs: times.longestFaultDelayMs,
  })
  const jobs = new ShardJobs({
    pool,
    runs,
    host: hostname(),
    flagsIntervalMs: times.flagsIntervalMs,
    pausedDelayMs: times.pausedDelayMs,
    log,
    isPulling: () => !faults.isActive,
    onPlaceFault: (error, job) => faults.report(error, () => remainingFault(runs, job)),
    onDone: (job, result) => {
      if (result.outcome === 'computed') faults.succeeded()
      onEvent({ type: 'shard', job, result })
    },
  })
  const worker = openWorker<ShardJob, ShardResult>(
    options.connection,
    options.queueName,
    (job, token) => jobs.process(job, token),
    { concurrency: units * shardsPerUnit },
    log,
  )
  worker.on('lockRenewalFailed', (ids) => jobs.lockLost(ids))

  let draining: Promise<void> | undefined
  return {
    drain: (graceMs) => (draining ??= drain(graceMs)),
  }

  async function drain(graceMs: number): Promise<void> {
    faults.close()
    jobs.refuseNew()
    await worker.pause(true)
    if (!(await settles(jobs.idle(), graceMs))) {
      jobs.handAllBack()
      await settles(jobs.idle(), handBackMs)
    }
    await Promise.all([pool.close(), close(worker)])
    jobs.close()
    runs.close()
  }
}

/** What still stands against pulling again. A TransientError is no fault of the place: jobs meet it with their retries. */
async function remainingFault(runs: WorkedRuns, job: ShardJob): Promise<PlaceError | undefined> {
  try {
    await runs.recheck(job)
    return undefined
  } catch (error) {
    const fault = asPlaceFault(error)
    return fault instanceof PlaceError ? fault : undefined
  }
}

/** BullMQ waits for Redis when it closes; a worker must be able to end without. */
async function close(worker: Worker<ShardJob, ShardResult>): Promise<void> {
  if (await settles(worker.close(), closeMs)) return
  await settles(worker.disconnect(), closeMs)
}

/** Whether `promise` settles in time, however it does. */
async function settles(promise: Promise<unknown>, withinMs: number): Promise<boolean> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<false>((resolve) => (timer = setTimeout(() => resolve(false), withinMs)))
  const settled = promise.then(
    () => true,
    () => true,
  )
  const inTime = await Promise.race([settled, late])
  clearTimeout(timer)
  return inTime
}
