import { once } from 'node:events'
import { runInLog, shardsQueue } from '../../../queue/jobs.ts'
import type { QueueConnection } from '../../../queue/redisUrl.ts'
import { startWorker, type RunningWorker } from '../../../worker/supervisor/supervisor.ts'
import type { WorkerEvent } from '../../../worker/supervisor/workerEvent.ts'
import type { Call } from '../../command.ts'
import { RedisProbe } from '../../health/redisProbe.ts'
import { allowedPlaces } from '../../shared/allowedPlaces.ts'
import { refuseAbsentEngine } from '../../shared/computing.ts'
import { planWorker } from '../../shared/planWorker.ts'
import { givenRedis } from '../../shared/redis.ts'
import { stopOnSignal } from '../../shared/stopSignals.ts'

/** Works until SIGTERM or SIGINT; then finishes its shards within the grace period or hands them back. Exit code 0. */
export async function performWorker(call: Call): Promise<number> {
  const { settings, surroundings, log } = call
  const allowed = allowedPlaces(settings)
  await refuseAbsentEngine(call)
  const connection = await givenRedis(call, 'worker')
  const stop = stopOnSignal(surroundings, '', (signal) =>
    log.info({ signal, graceSeconds: settings.graceSeconds }, 'stopping: finishing or handing back the shards at work'),
  )
  let worker: RunningWorker | undefined
  const metrics = await healthMetrics(call, connection, () => worker)
  try {
    // May take minutes on a GPU that an engine must compile for: whoever asks after the worker is told so meanwhile.
    const plan = await unlessStopped(stop.signal, planWorker(call))
    if (plan === null) return 0
    worker = await startWorker({
      connection,
      queueName: shardsQueue,
      ...plan,
      endpoints: {
        dataset: settings.s3Endpoint ?? null,
        output: settings.outputS3Endpoint ?? settings.s3Endpoint ?? null,
      },
      allowed,
      onEvent: (event) => {
        metrics?.heard(event)
        if (event.type !== 'shard') return
        const { outcome, computed, failed, wallMs, unit } = event.result
        log.info(
          { shard: event.job, ...runInLog(event.shard), unit, images: computed, failed, wallMs },
          `shard ${outcome}`,
        )
      },
    })
    if (!stop.signal.aborted) {
      log.info({ redis: connection.description, units: plan.units }, 'waiting for shards')
      await once(stop.signal, 'abort')
    }
    await worker.drain(settings.graceSeconds * 1000)
    log.info('stopped')
    return 0
  } finally {
    await metrics?.close()
    stop.done()
  }
}

/** Null once the signal is aborted: a native library that is tried cannot be interrupted, and must not hold up the end. */
async function unlessStopped<T>(signal: AbortSignal, promise: Promise<T>): Promise<T | null> {
  const stopped = new Promise<null>((resolve) => {
    if (signal.aborted) resolve(null)
    else signal.addEventListener('abort', () => resolve(null), { once: true })
  })
  promise.catch(() => undefined)
  return Promise.race([promise, stopped])
}

/** Serves the health port where one is asked for: from the first moment, since starting an engine takes a while. */
async function healthMetrics(
  { settings, surroundings, log }: Call,
  connection: QueueConnection,
  worker: () => RunningWorker | undefined,
): Promise<{ heard(event: WorkerEvent): void; close(): Promise<void> } | undefined> {
  if (settings.healthPort === undefined) return undefined
  const [{ startHealthServer }, { WorkerMetrics }] = await Promise.all([
    import('../../health/healthServer.ts'),
    import('../../health/workerMetrics.ts'),
  ])
  const metrics = new WorkerMetrics(surroundings.version)
  const redis = new RedisProbe(connection)
  const server = await startHealthServer({
    host: settings.healthHost,
    port: settings.healthPort,
    obstacle: async () => {
      const running = worker()
      if (!running) return 'the engine is being started'
      return running.state.obstacle ?? ((await redis.answers()) ? null : `no answer from ${connection.description}`)
    },
    metrics: {
      contentType: metrics.all.contentType,
      text: async () => {
        metrics.look(worker()?.state, await redis.answers())
        return metrics.all.text()
      },
    },
    log,
  })
  return { heard: (event) => metrics.heard(event), close: () => server.close() }
}
