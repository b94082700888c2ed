import { shardsQueue } from '../contract/job.ts'
import { serveRunsQueue } from '../producer/serve.ts'
import { openStore } from '../storage/open.ts'
import type { Call } from './command.ts'
import { givenRedis } from './queueServer.ts'
import { webhookSecret } from './webhook.ts'
import { stopOnSignal } from './stopSignals.ts'

/** Serves runs until SIGTERM or SIGINT; those at work then go back to the queue, for another producer. Exit code 0. */
export async function serveRuns(call: Call): Promise<number> {
  const { settings, surroundings, log } = call
  const connection = await givenRedis(call, 'producer')
  const stop = stopOnSignal(surroundings, '', (signal) =>
    log.info({ signal }, 'stopping: the runs at work are handed back'),
  )
  try {
    log.info({ redis: connection.description }, 'waiting for runs')
    await serveRunsQueue({
      connection,
      queueName: shardsQueue,
      openOutput: ({ output, endpoint }) =>
        openStore(output, {
          endpoint: settings.outputS3Endpoint ?? settings.s3Endpoint ?? endpoint,
          logger: log,
        }),
      openDataset: ({ dataset }) =>
        openStore(dataset.uri, { endpoint: settings.s3Endpoint ?? dataset.endpoint ?? undefined, logger: log }),
      headlightVersion: surroundings.version,
      webhookSecret: webhookSecret(call),
      signal: stop.signal,
      onProgress: ({ set }, { phase, message }) => log.debug({ set, phase }, message ?? 'progress'),
      log,
    })
    log.info('stopped')
    return 0
  } finally {
    stop.done()
  }
}
