import { DelayedError, UnrecoverableError, type Job } from 'bullmq'
import { pause } from '../base/backoff.ts'
import { HeadlightError, InputError, RefusalError } from '../base/errors.ts'
import { OnceSaid } from '../base/onceSaid.ts'
import { settles } from '../base/settles.ts'
import type { Logger } from '../base/telemetry.ts'
import { liveHold, readHold } from '../output/hold.ts'
import { readResultSet, type ResultSet } from '../output/resultSet.ts'
import { readRun } from '../output/runs.ts'
import { readSummary, type Summary } from '../output/summary.ts'
import { closeWithin } from '../queue/closing.ts'
import { openWorker } from '../queue/connection.ts'
import { runInLog, runJobSchema, runsQueue, standInName, type RunJob } from '../queue/jobs.ts'
import type { QueueConnection } from '../queue/redisUrl.ts'
import type { ScheduleOutcome } from '../queue/schedule.ts'
import type { Store } from '../storage/store.ts'
import { followedIn, type FollowOptions } from './followedSet.ts'
import type { RunProgress } from './progress.ts'
import { QueueMemory } from './queueMemory.ts'
import { Schedules } from './schedules.ts'
import { serveRun } from './serveRun.ts'
import { sendWebhook, type WebhookMessage } from './webhook.ts'

/** What happens to the runs that a standing producer serves. */
export type ServeEvent =
  /** Runs are taken from now on. */
  | { readonly type: 'serving'; readonly schedules: Pick<Schedules, 'statuses'> }
  | { readonly type: 'run-started'; readonly job: RunJob }
  | {
      readonly type: 'run-ended'
      readonly job: RunJob
      /** `handed-back`: to another producer, or until the result set is free. `retried`: it failed, and not for the last time. */
      readonly outcome: ScheduleOutcome['outcome'] | 'handed-back' | 'retried'
      readonly seconds: number
    }
  /** A run, or its webhook, lies outside of --allow. */
  | { readonly type: 'refused'; readonly job: RunJob; readonly message: string }

export interface ServeRunsOptions {
  readonly connection: QueueConnection
  /** Queue that the shards of all runs go to. */
  readonly queueName: string
  /** May raise a RefusalError: then another producer may serve the run, and after some attempts it has failed. */
  readonly openOutput: (job: RunJob) => Store
  /** As `openOutput`. */
  readonly openDataset: (set: ResultSet) => Store
  /** Reads the network of a schedule that follows it. May raise a RefusalError. */
  readonly readNetwork: FollowOptions['readNetwork']
  /** Whether a webhook may be told; all when absent. */
  readonly allowsWebhook?: ((url: string) => boolean) | undefined
  readonly headlightVersion: string
  /** Signs webhooks. */
  readonly webhookSecret?: string | undefined
  /** On abort the runs being served are handed back to the queue and stay open. */
  readonly signal: AbortSignal
  readonly onProgress: (job: RunJob, progress: RunProgress) => void
  readonly onEvent?: (event: ServeEvent) => void
  readonly log: Logger
  /** Between looks at what Redis may have lost; 3 s unless a test says otherwise. */
  readonly lookMs?: number
}

/** Runs served at once; a run mostly waits for workers. */
const concurrency = 8
/** Handing runs back is a matter of seconds, the hold in the store included. */
const closeTimeoutMs = 8_000
const lastLookTimeoutMs = 2_000
/** Between two times of saying that no more runs are taken. */
const fullSilenceMs = 60_000
/** Until a run whose result set is held by another is tried again. */
const heldPauseMs = 60_000

/**
 * The standing producer: serves the runs that others, and the schedules, add to the runs queue, until the signal aborts.
 */
export async function serveRunsQueue(options: ServeRunsOptions): Promise<void> {
  const { connection, signal, log } = options
  const schedules = await Schedules.open(connection, log)
  const memory = new QueueMemory(connection, schedules, log)
  try {
    await schedules.reconcile()
    const looking = keepLooking(memory, options)
    let atWork = 0
    /** By job id. A job whose lock ran out while Redis was away, or that an older dump brought back, is given out again. */
    const serving = new Map<string, Promise<Summary | null>>()
    let fullSaidAt = -Infinity
    const worker = openWorker<RunJob, Summary | null>(
      connection,
      runsQueue,
      async (job, token) => {
        if (++atWork === concurrency && performance.now() - fullSaidAt > fullSilenceMs) {
          fullSaidAt = performance.now()
          log.info(
            `${concurrency} runs are served now, the most that one producer takes; others wait, or start another`,
          )
        }
        const id = job.id ?? ''
        const first = serving.get(id)
        try {
          if (first !== undefined) return await first
          const served = serveJob(job, token, options, schedules, memory)
          serving.set(id, served)
          return await served
        } catch (error) {
          // The first one's token opens nothing any more.
          if (first !== undefined && signal.aborted) return await handBack(job, token, 0)
          throw error
        } finally {
          if (first === undefined) serving.delete(id)
          atWork--
        }
      },
      { concurrency },
      log,
    )
    options.onEvent?.({ type: 'serving', schedules })
    try {
      await new Promise<void>((resolve) => {
        if (signal.aborted) resolve()
        else signal.addEventListener('abort', () => resolve(), { once: true })
      })
    } finally {
      // Waits for the handlers, which the signal has told to stop, and for Redis, which may be away.
      await closeWithin(worker, closeTimeoutMs)
      // A last look: Redis may have lost what was just handed back. A Redis that hangs must not keep the process.
      await settles(
        looking.then(() => memory.look()),
        lastLookTimeoutMs,
      )
    }
  } finally {
    await Promise.all([memory.close(), schedules.close()])
  }
}

async function keepLooking(memory: QueueMemory, { signal, lookMs = 3_000, log }: ServeRunsOptions): Promise<void> {
  while (!signal.aborted) {
    await memory.look().catch((error: unknown) => {
      // Redis may be away. What is remembered stays so until it is back.
      log.debug({ err: error }, 'no look at the queue was had')
    })
    await pause(lookMs, { signal })
  }
}

/** Null: skipped, since another run of the set is still going. */
async function serveJob(
  job: Job<RunJob, Summary | null>,
  token: string | undefined,
  options: ServeRunsOptions,
  schedules: Schedules,
  memory: QueueMemory,
): Promise<Summary | null> {
  const { signal, log, connection, queueName, headlightVersion, openDataset } = options
  const parsed = runJobSchema.safeParse(job.data)
  if (!parsed.success) {
    const why = `the job ${job.id} is no run: ${parsed.error.message}`
    log.warn(why)
    // A newer producer may take its next attempt: the fields that this one does not know are its business.
    if (!parsed.error.issues.every(({ code }) => code === 'unrecognized_keys')) throw new UnrecoverableError(why)
    throw new Error(why)
  }
  const asked = parsed.data
  if (job.name === standInName && (await isHeld(asked, options))) return await handBack(job, token, heldPauseMs)
  let output: Store | undefined
  const began = performance.now()
  let ending: Extract<ServeEvent, { type: 'run-ended' }>['outcome'] = 'retried'
  let isBegun = false
  let { run } = asked
  const tell = async (ended: Omit<WebhookMessage, 'schedule'>) => {
    ending = ended.outcome
    // Before, not after: a webhook may be tried for longer than a stand-in waits.
    await memory.ended(job)
    return tellOutcome(asked, ended, options, schedules)
  }
  memory.taken(job)
  options.onEvent?.({ type: 'run-started', job: asked })
  try {
    // Not before: a job may name what is no store.
    output = options.openOutput(asked)
    const prepared = await readResultSet(output, asked.set)
    if (prepared === undefined) throw new UnrecoverableError(`${output.uri} holds no result set ${asked.set}`)
    const set = await followedIn(job, asked, { ...options, output, set: prepared })
    // One object all along: who follows the run knows it by that, and what is told from here on is of this result set.
    asked.set = set.id
    const ended = await endedBefore(output, asked)
    if (ended !== undefined) {
      log.info({ ...runInLog(asked), state: ended.state }, 'the run has ended already')
      await tell({ outcome: outcomeOf(ended), message: null, summary: ended })
      return ended
    }
    const summary = await serveRun({
      output,
      set,
      openDataset,
      full: asked.full,
      prune: asked.prune,
      keepRuns: asked.keepRuns,
      report: asked.report ?? true,
      priority: asked.priority,
      shardSize: asked.shardSize,
      connection,
      queueName,
      headlightVersion,
      signal,
      onProgress: (progress) => {
        isBegun = true
        run = progress.run ?? run
        options.onProgress(asked, progress)
      },
      log,
    })
    await tell({ outcome: outcomeOf(summary), message: null, summary })
    return summary
  } catch (error) {
    if (signal.aborted) {
      ending = 'handed-back'
      return await handBack(job, token, 0)
    }
    if (error instanceof InputError && error.code === 'held') {
      const inLog = runInLog(asked)
      // Where a run is still going the next time comes by itself. A run that somebody asked for once is waited with.
      const isOwnTime = asked.schedule !== undefined && job.name !== standInName && job.stalledCounter === 0
      const going = isOwnTime ? await runStillGoing(output, asked.set) : null
      if (going !== null) {
        log.warn(inLog, `schedule ${asked.schedule}: this time is skipped: ${error.message}`)
        const message = isBegun ? error.message : `run ${going} was still going`
        await tell({ outcome: 'skipped', message, summary: null })
        return null
      }
      log.warn(inLog, `the run is put off for ${heldPauseMs / 1000} s: ${error.message}`)
      ending = 'handed-back'
      return await handBack(job, token, heldPauseMs)
    }
    if (error instanceof RefusalError) refused(asked, error, options)
    // A Redis that fails over while a run begins is no fault of the run.
    const isInputs = error instanceof InputError && error.code !== 'no-redis'
    const isFinal = isInputs || error instanceof UnrecoverableError || isLastAttempt(job)
    if (isFinal) {
      const message = error instanceof Error ? error.message : String(error)
      const code = error instanceof HeadlightError ? error.code : undefined
      const { set, schedule } = asked
      const what = schedule === undefined ? 'the run failed' : `schedule ${schedule}: this time failed`
      // Before who asked for it is told: that can take a while, and can fail itself.
      log.error({ code, ...runInLog({ set, run }), schedule }, `${what}: ${message}`)
      await tell({ outcome: 'failed', message, summary: null })
    }
    if (isInputs) throw new UnrecoverableError(error.message)
    throw error
  } finally {
    output?.close()
    if (ending === 'handed-back' || ending === 'retried') memory.givenBack(job)
    const seconds = (performance.now() - began) / 1000
    options.onEvent?.({ type: 'run-ended', job: asked, outcome: ending, seconds })
  }
}

/** Whether the run that a stand-in is for is still served. Where that cannot be read, it is asked again later. */
async function isHeld(asked: RunJob, { openOutput }: ServeRunsOptions): Promise<boolean> {
  let output: Store | undefined
  try {
    output = openOutput(asked)
    return (await liveHold(output, asked.set, new Date())) !== undefined
  } catch {
    return true
  } finally {
    output?.close()
  }
}

/**
 * The run that holds the result set. Null where the hold names none, as while `headlight report` adds up small maps, and
 * where nobody has it any more: no run brings the results up to date then, so a time that were skipped would be lost.
 */
async function runStillGoing(output: Store | undefined, set: string): Promise<string | null> {
  const hold = output && (await readHold(output, set).catch(() => undefined))
  return hold?.value.run ?? null
}

const outcomeOf = ({ state }: Summary) => (state === 'cancelled' ? 'cancelled' : 'completed')

/** The summary of the run that the job is for, when that was cancelled while it waited, or done by its stand-in. */
async function endedBefore(output: Store, { set, run }: RunJob): Promise<Summary | undefined> {
  if (run === undefined) return undefined
  const present = await readRun(output, set, run)
  if (present === undefined || present.state === 'open') return undefined
  return readSummary(output, set, run)
}

const isLastAttempt = (job: Job): boolean => job.attemptsMade + 1 >= (job.opts.attempts ?? 1)

const unnoted = 'Redis is away or takes no writes, so schedule list does not show how this time ended'

/** Notes in the schedule and tells the webhook how a run ended. Neither can fail the run. */
async function tellOutcome(
  asked: RunJob,
  ended: Omit<WebhookMessage, 'schedule'>,
  options: ServeRunsOptions,
  schedules: Schedules,
): Promise<void> {
  const { webhookSecret, allowsWebhook = () => true } = options
  const { set, run, schedule, webhook } = asked
  const { outcome, message, summary } = ended
  const log = options.log.child(runInLog({ set, run: summary?.run ?? run }))
  if (schedule !== undefined) {
    const noted = { at: new Date().toISOString(), outcome, run: summary?.run ?? null, set, message }
    await schedules.record(schedule, noted).catch((error: unknown) => {
      log.debug({ err: error, schedule }, 'the outcome was not noted')
      log.warn({ schedule, outcome }, `schedule ${schedule}: ${unnoted}`)
    })
  }
  if (webhook === undefined) return
  if (!allowsWebhook(webhook)) {
    // Its path is often a secret itself.
    const { host } = new URL(webhook)
    const message = `the webhook at ${host} lies outside of what --allow lists; allow it there`
    return refused(asked, new RefusalError('not-allowed', message), options)
  }
  await sendWebhook({ url: webhook, secret: webhookSecret, message: { schedule: schedule ?? null, ...ended }, log })
}

const refusals = new OnceSaid()

function refused(asked: RunJob, { code, message }: RefusalError, { log, onEvent }: ServeRunsOptions): void {
  const { set, run, schedule } = asked
  if (refusals.isNew(`${schedule ?? run} ${set} ${message}`)) {
    log.warn({ code, ...runInLog({ set, run }), schedule }, `a run of ${set}: ${message}`)
  }
  onEvent?.({ type: 'refused', job: asked, message })
}

/** Gives the job to the next producer, or to this one later, without counting an attempt. */
async function handBack(job: Job, token: string | undefined, delayMs: number): Promise<never> {
  await job.moveToDelayed(Date.now() + delayMs, token)
  throw new DelayedError()
}
