import { hostname } from 'node:os'
import type { Backoff } from '../../base/backoff.ts'
import { PlaceError } from '../../base/errors.ts'
import { OnceSaid } from '../../base/onceSaid.ts'
import { settles } from '../../base/settles.ts'
import type { Logger } from '../../base/telemetry.ts'
import { closeWithin } from '../../queue/closing.ts'
import { openWorker } from '../../queue/connection.ts'
import { HeartbeatSender } from '../../queue/heartbeat.ts'
import { runInLog, type ShardJob, type ShardResult } from '../../queue/jobs.ts'
import type { QueueConnection } from '../../queue/redisUrl.ts'
import { keptModelsIn } from '../../saliency/engines/keptModels.ts'
import type { AllowedPlaces } from '../../storage/allowedPlaces.ts'
import type { EndpointOverrides } from '../endpoints.ts'
import { MemoryFile } from '../memoryFile.ts'
import { memoryText } from '../networkMemory.ts'
import { asPlaceFault } from '../storeCall.ts'
import { largestBatch } from '../unitMessages.ts'
import { PlaceFaults } from './placeFaults.ts'
import { RunFaults } from './runFaults.ts'
import { ShardJobs } from './shardJobs.ts'
import { shardsPerUnit, UnitPool } from './unitPool.ts'
import { WorkedRuns } from './workedRuns.ts'
import type { WorkerEvent } from './workerEvent.ts'
import { WorkerState } from './workerState.ts'

export interface WorkerOptions {
  readonly connection: QueueConnection
  readonly queueName: string
  /** Child processes, one device each. Minimum 1. */
  readonly units: number
  /** Within which their number follows what they are found to take; absent, it stays. */
  readonly memory?: MemoryLimits
  readonly engine: string
  /** Where engines are installed; without it those cannot be used. */
  readonly enginesFolder?: string | undefined
  /** Images per engine call, minimum 1; null: one on a CPU, on a GPU what its memory holds. */
  readonly batch: number | null
  /** Why this engine; goes into the shards' results. */
  readonly engineReason?: string
  /** The environment of the unit with this number; this process's own when absent. */
  readonly unitEnvironment?: (unit: number) => Readonly<Record<string, string | undefined>>
  readonly endpoints?: EndpointOverrides
  /** What jobs and result sets may name; everything when absent. */
  readonly allowed?: AllowedPlaces | undefined
  /** Networks are kept here between runs. */
  readonly cacheFolder: string
  /** A unit at work that gets nothing done for so long is killed and replaced. */
  readonly unitSilenceMs: number
  /** The same for one that starts or opens a network, in which a GPU's library may compile for long. */
  readonly unitStartMs: number
  /** Objects that a unit fetches at a time; chosen by the kind of store when absent. */
  readonly fetchConcurrency?: number | undefined
  /** For the heartbeat. */
  readonly headlightVersion: string
  readonly log: Logger
  readonly onEvent?: (event: WorkerEvent) => void
  readonly times?: Partial<WorkerTimes>
}

export interface MemoryLimits {
  /** Free for all units together. */
  readonly availableBytes: number
  readonly mostUnits: number
  /** The number of units was asked for: it is not changed, but what does not fit is told of. */
  readonly isGiven: boolean
}

export interface WorkerTimes {
  /** How often the flags of the runs at work are read. */
  readonly flagsIntervalMs: number
  /** Before a job of a paused run is looked at again. */
  readonly pausedDelayMs: number
  /** Before a place that was bad is looked at again, and a run that was put aside. */
  readonly placeRetrying: Backoff
}

const defaultTimes: WorkerTimes = {
  flagsIntervalMs: 5_000,
  pausedDelayMs: 30_000,
  placeRetrying: { firstMs: 5_000, longestMs: 300_000 },
}

export interface RunningWorker {
  /**
   * Pulls nothing more, waits up to `graceMs` for the shards at work, hands the rest back, ends the units and closes.
   * Takes a few seconds longer than `graceMs` at most, also when Redis is away.
   */
  drain(graceMs: number): Promise<void>
  readonly state: WorkerState
}

/** How long units and Redis may take to hand shards back once the grace is over. */
const handBackMs = 8_000
const closeMs = 3_000

/**
 * Starts a worker: this process holds the jobs' locks and stays idle otherwise, so that renewing them never waits for
 * compute; child processes compute. Resolves when the first unit can take shards. Raises InputError `bad-engine`.
 */
export async function startWorker(options: WorkerOptions): Promise<RunningWorker> {
  const { log, units, endpoints = { dataset: null, output: null } } = options
  const state = new WorkerState(options.headlightVersion, options.engine)
  const onEvent = (event: WorkerEvent): void => {
    state.heard(event)
    options.onEvent?.(event)
  }
  const times = { ...defaultTimes, ...options.times }
  const runs = new WorkedRuns(endpoints, log, options.allowed)
  const refusals = new OnceSaid()
  const file = new MemoryFile(options.cacheFolder)
  const remembered = [...(await file.read())].map(([key, { processBytes }]) => [key, processBytes] as const)
  const pool = new UnitPool({
    memory: {
      ...(options.memory ?? { availableBytes: Infinity, mostUnits: units, isGiven: true }),
      units,
      remembered: new Map(remembered),
      say: (level, sentence) => log[level](sentence),
    },
    environment: options.unitEnvironment,
    settings: {
      cacheFolder: options.cacheFolder,
      modelsFolder: keptModelsIn(options.cacheFolder),
      engine: options.engine,
      engineReason: options.engineReason,
      enginesFolder: options.enginesFolder,
      batch: options.batch,
      largestBatch,
      intraOpThreads: 1,
      endpoints,
      fetchConcurrency: options.fetchConcurrency ?? null,
    },
    silenceMs: options.unitSilenceMs,
    startMs: options.unitStartMs,
    log,
    onStart: ({ name, pid }) => onEvent({ type: 'unit-started', unit: name, pid }),
    onDeath: ({ name, pid, lastJob }, why) => {
      log.warn(
        { unit: name, ...(lastJob && runInLog(lastJob)) },
        `a computing unit died (${why}); it is replaced and its shard goes back`,
      )
      onEvent({ type: 'unit-died', unit: name, pid, why })
    },
    onMeasured: (measured) => onEvent({ type: 'measured', measured }),
    onMemory: ({ key, file: network }, memory, isOnly) => {
      const { processBytes, deviceBytes } = memory
      const onDevice = deviceBytes === null ? '' : ` and ${memoryText(deviceBytes)} on its GPU`
      log.info(
        { network, processBytes, deviceBytes },
        `a unit takes ${memoryText(processBytes)}${onDevice} for ${network}`,
      )
      // With another network beside it, the process says too much of this one.
      if (isOnly) void file.remember(key, memory)
    },
    onDismissed: ({ name, pid }) => onEvent({ type: 'unit-dismissed', unit: name, pid }),
    onUnits: (count) => (worker.concurrency = count * shardsPerUnit),
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
    retrying: times.placeRetrying,
  })
  const runFaults = new RunFaults({
    onFault: (error, job, attempt, retryInMs) => {
      const { code, message } = error
      log.error({ ...runInLog(job), code, retryInMs }, `a run is put aside, others go on: ${message}`)
      onEvent({ type: 'run-fault', run: job.run, code, message, attempt, retryInMs })
    },
    retrying: times.placeRetrying,
  })
  const jobs = new ShardJobs({
    pool,
    runs,
    host: hostname(),
    flagsIntervalMs: times.flagsIntervalMs,
    pausedDelayMs: times.pausedDelayMs,
    log,
    isPulling: () => !faults.isActive,
    runFaults,
    onPlaceFault: (error, job) => faults.report(error, () => remainingFault(runs, job)),
    onRefused: ({ code, message }, job) => {
      const { run } = job
      if (refusals.isNew(`${run} ${message}`)) {
        log.warn({ code, ...runInLog(job) }, `the shards of run ${run} are left to other workers: ${message}`)
      }
      onEvent({ type: 'refused', run, code, message })
    },
    onDone: (job, result, shard) => {
      if (result.outcome === 'computed') faults.succeeded()
      onEvent({ type: 'shard', job, shard, result })
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
  worker.on('failed', (job) => {
    if (job?.id === undefined) return
    onEvent({ type: 'shard-failed', job: job.id, isLastAttempt: job.attemptsMade >= (job.opts.attempts ?? 1) })
  })
  const heartbeat = new HeartbeatSender(
    options.connection,
    () => ({ ...state.heartbeat, activity: jobs.activity }),
    log,
  )

  let draining: Promise<void> | undefined
  return {
    drain: (graceMs) => (draining ??= drain(graceMs)),
    state,
  }

  async function drain(graceMs: number): Promise<void> {
    state.stopping()
    faults.close()
    jobs.refuseNew()
    // It asks Redis, which may be away.
    await settles(worker.pause(true), closeMs)
    if (!(await settles(jobs.idle(), graceMs))) {
      jobs.handAllBack()
      await settles(jobs.idle(), handBackMs)
    }
    await Promise.all([pool.close(), closeWithin(worker, closeMs), heartbeat.close()])
    await file.settled()
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
