import type { Queue } from 'bullmq'
import { readNetworkFile } from '../../../output/networkFile.ts'
import { LastRuns } from '../../../producer/lastRuns.ts'
import type { RunProgress } from '../../../producer/progress.ts'
import { serveRunsQueue, type ServeEvent } from '../../../producer/serveQueue.ts'
import { closeWithin } from '../../../queue/closing.ts'
import { openQueue } from '../../../queue/connection.ts'
import { runInLog, runsQueue, shardsQueue, type RunJob } from '../../../queue/jobs.ts'
import type { QueueConnection } from '../../../queue/redisUrl.ts'
import { openStore } from '../../../storage/open.ts'
import type { Store } from '../../../storage/store.ts'
import type { Call } from '../../command.ts'
import { RedisProbe } from '../../health/redisProbe.ts'
import { allowedPlaces } from '../../shared/allowedPlaces.ts'
import { givenRedis } from '../../shared/redis.ts'
import { stopOnSignal } from '../../shared/stopSignals.ts'
import { webhookSecret } from '../../shared/webhook.ts'

/** Serves runs until SIGTERM or SIGINT; those at work then go back to the queue, for another producer. Exit code 0. */
export async function serveRuns(call: Call): Promise<number> {
  const { settings, surroundings, folders, log } = call
  const allowed = allowedPlaces(settings)
  const own = {
    dataset: settings.s3Endpoint,
    output: settings.outputS3Endpoint ?? settings.s3Endpoint,
  }
  const connection = await givenRedis(call, 'producer')
  const stop = stopOnSignal(surroundings, '', (signal) =>
    log.info({ signal }, 'stopping: the runs at work are handed back'),
  )
  const openOutput = ({ output: uri, endpoint, set, run, schedule, followNetwork }: RunJob): Store => {
    allowed?.require({ what: 'output', uri, endpoint }, own.output)
    // Of which result set a run that follows its network is, shows only when that is read.
    const logger = log.child(followNetwork === undefined ? runInLog({ set, run }) : { schedule })
    return openStore(uri, { endpoint: own.output ?? endpoint, logger })
  }
  const health = await servedHealth(call, connection, new LastRuns(openOutput, log), stop.signal)
  const said = new Map<string, string | undefined>()
  try {
    log.info({ redis: connection.description }, 'waiting for runs')
    await serveRunsQueue({
      connection,
      queueName: shardsQueue,
      openOutput,
      openDataset: ({ dataset: { uri, endpoint }, id }) => {
        allowed?.require({ what: 'dataset', uri, endpoint }, own.dataset)
        const logger = log.child({ resultSet: id })
        return openStore(uri, { endpoint: own.dataset ?? endpoint ?? undefined, logger })
      },
      readNetwork: ({ uri, endpoint, described }) => {
        allowed?.require({ what: 'network', uri, endpoint }, own.dataset)
        return readNetworkFile(uri, { endpoint: own.dataset ?? endpoint, cacheFolder: folders.cache }, described)
      },
      allowsWebhook: allowed && ((url) => allowed.allows(url)),
      headlightVersion: surroundings.version,
      webhookSecret: webhookSecret(call),
      signal: stop.signal,
      onProgress: (job, progress) => {
        health?.progress(job, progress)
        const { message, isLogged, phase, run = job.run } = progress
        const about = runInLog({ set: job.set, run })
        log.debug({ ...about, phase }, 'progress')
        if (message !== said.get(job.set) && message !== undefined && isLogged !== true) log.warn(about, message)
        said.set(job.set, message)
      },
      onEvent: (event) => health?.heard(event),
      log,
    })
    log.info('stopped')
    return 0
  } finally {
    await health?.close()
    stop.done()
  }
}

interface Health {
  heard(event: ServeEvent): void
  progress(job: RunJob, progress: RunProgress): void
  close(): Promise<void>
}

/** Serves the health port where one is asked for. Only here are the queues counted: every worker would say the same. */
async function servedHealth(
  { settings, surroundings, log }: Call,
  connection: QueueConnection,
  lastRuns: LastRuns,
  stopping: AbortSignal,
): Promise<Health | undefined> {
  if (settings.healthPort === undefined) return undefined
  const [{ startHealthServer }, { ProducerMetrics }] = await Promise.all([
    import('../../health/healthServer.ts'),
    import('../../health/producerMetrics.ts'),
  ])
  const metrics = new ProducerMetrics(surroundings.version)
  const redis = new RedisProbe(connection)
  const queues = [runsQueue, shardsQueue].map((name) => openQueue(connection, name, log))
  let schedules: Extract<ServeEvent, { type: 'serving' }>['schedules'] | undefined
  const server = await startHealthServer({
    host: settings.healthHost,
    port: settings.healthPort,
    obstacle: async () => {
      if (stopping.aborted) return 'it was told to stop'
      if (!schedules) return 'the schedules are being read'
      return (await redis.answers()) ? null : `no answer from ${connection.description}`
    },
    metrics: {
      contentType: metrics.all.contentType,
      text: async () => {
        const isRedisUp = await redis.answers()
        const statuses = (isRedisUp && (await schedules?.statuses())) || null
        metrics.look(statuses, isRedisUp, statuses === null ? new Map() : lastRuns.look(statuses))
        return `${await metrics.all.text()}${isRedisUp ? await queueCounts(queues) : ''}`
      },
    },
    log,
  })
  return {
    heard: (event) => {
      if (event.type === 'serving') schedules = event.schedules
      metrics.heard(event)
    },
    progress: (job, progress) => metrics.progress(job, progress),
    close: async () => {
      await server.close()
      await Promise.all(queues.map((queue) => closeWithin(queue, 2_000)))
    },
  }
}

/** Jobs by queue and state. One family of metrics, whose comments may stand there only once. */
async function queueCounts(queues: readonly Queue[]): Promise<string> {
  const told = await Promise.all(queues.map((queue) => queue.exportPrometheusMetrics()))
  const lines = told.join('\n').split('\n')
  // Its totals count only where BullMQ keeps metrics, which headlight does not ask for.
  const counts = lines.filter((line) => /^(# (HELP|TYPE) )?bullmq_job_count\b/.test(line))
  const isComment = (line: string): boolean => line.startsWith('#')
  const ordered = [...new Set(counts.filter(isComment)), ...counts.filter((line) => !isComment(line))]
  return ordered.map((line) => `${line}\n`).join('')
}
