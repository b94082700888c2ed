import type { Logger } from '../../base/telemetry.ts'
import { openQueue } from '../../queue/connection.ts'
import { consumersOf } from '../../queue/consumers.ts'
import { runsQueue } from '../../queue/jobs.ts'
import type { QueueConnection } from '../../queue/redisUrl.ts'

/** Warns when nobody serves the runs queue: what is added to it would wait for ever without a word. */
export async function warnWithoutProducer(connection: QueueConnection, log: Logger): Promise<void> {
  const queue = openQueue(connection, runsQueue, log)
  try {
    await queue.waitUntilReady()
    // Where the server does not tell, nobody is to be frightened.
    if ((await consumersOf(queue)) !== 0) return
    log.warn(
      `no headlight producer is at work on this Redis, and without one no run begins; ` +
        `start one: headlight producer --redis ${connection.description}`,
    )
  } finally {
    await queue.close()
  }
}
