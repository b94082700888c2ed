import type { Logger } from '../base/telemetry.ts'
import { openClient } from './connection.ts'
import { heartbeatExpiryMs, heartbeatKey, heartbeatSchema, workersKey, type Heartbeat } from './heartbeat.ts'
import type { QueueConnection } from './redisUrl.ts'

/** Several heartbeats: whoever was killed, or has lost Redis, is known by its silence first, and a minute later gone. */
const silentAfterSeconds = 10

/** One worker process, as `status --json` prints it. The names are a contract: add, don't rename. */
export interface WorkerStatus extends Heartbeat {
  /** By Redis' own clock. */
  readonly lastSignSecondsAgo: number
}

/**
 * Those that gave a sign of life within the last minute, by host and process id.
 *
 * @param o.strikesOff false: only reads, and leaves those that gave none on the list of workers
 * @param o.signal leaves Redis, which else is asked until it answers. What was asked then may stay unanswered for ever.
 */
export async function workerStatuses(
  connection: QueueConnection,
  log: Logger,
  o: { readonly strikesOff: boolean; readonly signal?: AbortSignal } = { strikesOff: true },
): Promise<WorkerStatus[]> {
  const redis = openClient(connection, log)
  const leave = () => redis.disconnect()
  o.signal?.addEventListener('abort', leave)
  try {
    const found = await Promise.all(
      (await redis.smembers(workersKey)).map(async (worker) => {
        const [said, leftMs] = await Promise.all([redis.get(heartbeatKey(worker)), redis.pttl(heartbeatKey(worker))])
        if (said === null || leftMs < 0) {
          if (o.strikesOff) await redis.srem(workersKey, worker)
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
    o.signal?.removeEventListener('abort', leave)
    leave()
  }
}

/** Whether what it said last is no longer to be believed. */
export function isSilent({ lastSignSecondsAgo }: WorkerStatus): boolean {
  return lastSignSecondsAgo > silentAfterSeconds
}

/** What it does, in a word or two. */
export function workerStateText(worker: WorkerStatus): string {
  if (isSilent(worker)) return 'silent: killed, or without Redis'
  const { state, activity, fault } = worker
  if (fault !== null) return `${state}: ${fault}`
  return state === 'working' && activity !== undefined && activity !== 'computing' ? activity : state
}
