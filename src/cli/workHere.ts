import { once } from 'node:events'
import { shardsQueue } from '../contract/job.ts'
import { startWorker } from '../worker/supervisor.ts'
import type { Call } from './command.ts'
import { ownFolders, unitCount } from './machine.ts'
import { givenRedis } from './queueServer.ts'
import { stopOnSignal } from './stopSignals.ts'

/** Works until SIGTERM or SIGINT; then finishes its shards within the grace period or hands them back. Exit code 0. */
export async function performWorker(call: Call): Promise<number> {
  const { settings, surroundings, log } = call
  const connection = await givenRedis(call, 'worker')
  const units = unitCount(settings)
  const stop = stopOnSignal(surroundings, '', (signal) =>
    log.info({ signal, graceSeconds: settings.graceSeconds }, 'stopping: finishing or handing back the shards at work'),
  )
  try {
    const worker = await startWorker({
      connection,
      queueName: shardsQueue,
      units,
      engine: settings.engine,
      batch: settings.batch,
      ...(settings.s3Endpoint === undefined ? {} : { endpointOverride: settings.s3Endpoint }),
      cacheFolder: ownFolders(settings, surroundings).cache,
      unitSilenceMs: settings.unitSilenceSeconds * 1000,
      fetchConcurrency: settings.fetchConcurrency,
      log,
      onEvent: (event) => {
        if (event.type !== 'shard') return
        const { outcome, computed, failed, wallMs, unit } = event.result
        const seconds = wallMs / 1000
        log.info({ shard: event.job, unit, images: computed, failed, seconds: Math.round(seconds) }, `shard ${outcome}`)
      },
    })
    if (!stop.signal.aborted) {
      log.info({ redis: connection.description, units }, 'waiting for shards')
      await once(stop.signal, 'abort')
    }
    await worker.drain(settings.graceSeconds * 1000)
    log.info('stopped')
    return 0
  } finally {
    stop.done()
  }
}
