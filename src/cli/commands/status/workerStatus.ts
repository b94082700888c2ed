import type { Logger } from '../../../base/telemetry.ts'
import { openClient } from '../../../queue/connection.ts'
import {
  heartbeatExpiryMs,
  heartbeatKey,
  heartbeatSchema,
  workersKey,
  type Heartbeat,
} from '../../../queue/heartbeat.ts'
import type { QueueConnection } from '../../../queue/redisUrl.ts'

/** One worker process, as `status --json` prints it. The names are a contract: add, don't rename. */
export interface WorkerStatus extends Heartbeat {
  /** By Redis' own clock. */
  readonly lastSignSecondsAgo: number
}

/** Those that gave a sign of life within the last minute, by host and process id. */
export async function workerStatuses(connection: QueueConnection, log: Logger): Promise<WorkerStatus[]> {
  const redis = openClient(connection, log)
  try {
    const found = await Promise.all(
      (await redis.smembers(workersKey)).map(async (worker) => {
        const [said, leftMs] = await Promise.all([redis.get(heartbeatKey(worker)), redis.pttl(heartbeatKey(worker))])
        if (said === null || leftMs < 0) {
          await redis.srem(workersKey, worker)
          return undefined
        }
        // A worker of another version may say it otherwise; it is no reason to show nothing.
        const heartbeat = heartbeatSchema.safeParse(JSON.parse(said))
        if (!heartbeat.success) return undefined
        return { ...heartbeat.data, lastSignSecondsAgo: Math.round((heartbeatExpiryMs - leftMs) / 1000) }
      }),
    )
    return found.filter((worker) => worker !== undefined).sort((a, b) => a.host.localeCompare(b.host) || a.pid - b.pid)
  } finally {
    redis.disconnect()
  }
}
