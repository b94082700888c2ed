import { UnrecoverableError, WaitingError, type Job } from 'bullmq'
import { once } from 'node:events'
import { setTimeout as sleep } from 'node:timers/promises'
import { runJobSchema, runsQueue, shardsQueue, type RunJob } from '../contract/job.ts'
import { layout } from '../contract/layout.ts'
import { resultSetSchema } from '../contract/resultSet.ts'
import type { Summary } from '../contract/run.ts'
import { InputError } from '../errors.ts'
import { getJson } from '../producer/jsonObject.ts'
import { serveRun } from '../producer/main.ts'
import { openWorker, type QueueConnection } from '../queue/connection.ts'
import { openStore } from '../storage/open.ts'
import type { Call } from './command.ts'
import { givenRedis } from './queueServer.ts'
import { stopOnSignal } from './stopSignals.ts'

/** Runs served at the same time: one that waits for its hold must not keep the others from their workers. */
const runsAtOnce = 4
/** How long the runs may take to let go once they are told to. */
const closeMs = 10_000

/** Serves runs until SIGTERM or SIGINT; those at work then go back to the queue, for another producer. Exit code 0. */
export async function serveRuns(call: Call): Promise<number> {
  const { surroundings, log } = call
  const connection = await givenRedis(call, 'producer')
  const stop = stopOnSignal(surroundings, '', (signal) =>
    log.info({ signal }, 'stopping: the runs at work are handed back'),
  )
  const worker = openWorker<RunJob, Pick<Summary, 'run' | 'state' | 'counts'>>(
    connection,
    runsQueue,
    async (job, token) => {
      try {
        return await serveJob(call, job, connection, stop.signal)
      } catch (error) {
        if (stop.signal.aborted) {
          await job.moveToWait(token)
          throw new WaitingError()
        }
        log.error({ err: error, set: job.data.set }, 'the run could not be served')
        // A set that another run holds is tried again; what cannot work is not.
        if (error instanceof InputError && error.code !== 'held') throw new UnrecoverableError(error.message)
        throw error
      }
    },
    { concurrency: runsAtOnce },
    log,
  )
  try {
    log.info({ redis: connection.description }, 'waiting for runs')
    if (!stop.signal.aborted) await once(stop.signal, 'abort')
    await Promise.race([worker.close(), sleep(closeMs, undefined, { ref: false })])
    log.info('stopped')
    return 0
  } finally {
    stop.done()
  }
}

async function serveJob(
  { settings, surroundings, log }: Call,
  job: Job<RunJob>,
  connection: QueueConnection,
  signal: AbortSignal,
): Promise<Pick<Summary, 'run' | 'state' | 'counts'>> {
  const { output: uri, endpoint, set: id, full, shardSize } = runJobSchema.parse(job.data)
  const output = openStore(uri, {
    endpoint: settings.outputS3Endpoint ?? settings.s3Endpoint ?? endpoint,
    logger: log,
  })
  try {
    const set = await getJson(output, layout.set(id), resultSetSchema)
    if (!set) throw new InputError('no-such-run', `${output.uri} holds no result set ${id}; was it removed?`)
    log.info({ set: id, output: output.uri }, 'serving a run')
    const { run, state, counts } = await serveRun({
      output,
      set: set.value,
      openDataset: ({ dataset }) =>
        openStore(dataset.uri, { endpoint: settings.s3Endpoint ?? dataset.endpoint ?? undefined, logger: log }),
      full,
      shardSize,
      connection,
      queueName: shardsQueue,
      headlightVersion: surroundings.version,
      signal,
      onProgress: ({ phase, message }) => log.debug({ set: id, phase }, message ?? 'progress'),
      log,
    })
    return { run, state, counts }
  } finally {
    output.close()
  }
}
