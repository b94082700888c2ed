import { randomUUID } from 'node:crypto'
import { InputError } from '../base/errors.ts'
import type { Logger } from '../base/telemetry.ts'
import { currentRun } from '../output/current.ts'
import { Hold } from '../output/hold.ts'
import type { ResultSet } from '../output/resultSet.ts'
import { latestRun, openRun, type Run } from '../output/runs.ts'
import type { Summary } from '../output/summary.ts'
import { checkRedis } from '../queue/checkRedis.ts'
import { openQueue } from '../queue/connection.ts'
import { runJobOptions, runJobSchema, runsQueue, type RunJob } from '../queue/jobs.ts'
import type { QueueConnection } from '../queue/redisUrl.ts'
import { Patience } from '../storage/patience.ts'
import { PatientStore } from '../storage/patientStore.ts'
import type { Store } from '../storage/store.ts'

export interface QueueRunOptions {
  readonly connection: QueueConnection
  readonly output: Store
  readonly set: ResultSet
  readonly job: Omit<RunJob, 'run'>
  readonly signal: AbortSignal
  /** Says whose hold, or which store, is waited for. */
  readonly onWait: (message: string) => void
  readonly log: Logger
}

/**
 * Opens a run and adds it for a standing producer: what lies in the output can be paused, cancelled and looked at by its
 * id before any producer has seen it. A run that was left open is gone on with. `run` is null when it has no id yet:
 * another run is at work on the result set, or one is open that is to be closed first.
 */
export async function queueRun(options: QueueRunOptions): Promise<{ job: string; run: string | null }> {
  const run = await openedRun(options).catch((error: unknown) => {
    if (error instanceof InputError && error.code === 'held') return undefined
    throw error
  })
  const job = { ...options.job, ...(run === undefined ? {} : { run: run.run }) }
  return { job: await enqueueRun(options.connection, job, options.log), run: run?.run ?? null }
}

/** Under the hold, since only then no one else opens a run. */
async function openedRun({ output: bare, set, job, signal, onWait, log }: QueueRunOptions): Promise<Run | undefined> {
  const patience = new Patience({ signal, say: (message) => message !== undefined && onWait(message) })
  const hold = await Hold.take({ output: bare, set: set.id, signal, patience, onWait, log })
  try {
    const output = new PatientStore(bare, patience)
    const { full, prune, keepRuns, report } = job
    const latest = await latestRun(output, set.id)
    if (latest?.state === 'open')
      return latest.retry === undefined &&
        (latest.full || !full) &&
        (latest.prune === true || !prune) &&
        (keepRuns === undefined || latest.keepRuns === keepRuns)
        ? latest
        : undefined
    const base = await currentRun(output, set.id)
    return await openRun({
      output,
      set: set.id,
      base,
      full,
      prune,
      keepRuns,
      report,
      queued: true,
      latest,
      now: new Date(),
    })
  } finally {
    await hold.release().catch((error: unknown) => log.warn({ err: error }, 'the hold could not be given back'))
  }
}

/** Adds a run for a standing producer. Gives the job's id. */
export async function enqueueRun(connection: QueueConnection, job: RunJob, log: Logger): Promise<string> {
  await checkRedis(connection)
  const queue = openQueue<RunJob, Summary>(connection, runsQueue, log)
  try {
    await queue.waitUntilReady()
    // Not BullMQ's own numbers: a Redis that has lost its data begins them anew while runs of the old ones are at work.
    const jobId = randomUUID()
    await queue.add('run', runJobSchema.parse(job), { ...runJobOptions, jobId })
    return jobId
  } finally {
    await queue.close()
  }
}
