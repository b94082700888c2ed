import type { Logger } from '../base/telemetry.ts'
import { redisFault } from './redisFault.ts'
import type { QueueConnection } from './redisUrl.ts'

/**
 * Clients try again every few seconds, or every half minute where the server takes connections and answers nothing: after
 * so long a silence the next error is of another outage.
 */
const silenceMs = 90_000
/**
 * What a client says while it is not connected, or as it is cut off, or when it has come to the end of its list of
 * sentinels and begins again: why, is said by its next attempt. And what BullMQ says
 * of a job that it cannot find or no longer owns after Redis has lost its data: the producer notices and says that.
 */
const saysNothing =
  /Stream isn't writeable|Connection is closed|ECONNRESET|EPIPE|(Missing key|Missing lock|Lock mismatch) for job|could not renew lock|max retries per request|UNBLOCKED|Retrying from scratch after \d+ms\.$/

/** A server that lets clients in and soon turns them away again is not back, and each time is no new outage. */
const steadyMs = 10_000

interface Outage {
  readonly said: string
  heardAt: number
  /** When a client was connected last since then. */
  backAt?: number
}

const outages = new WeakMap<QueueConnection, Outage>()

/**
 * Logs in one sentence that Redis cannot be used: once per outage and cause, however many clients of this process notice,
 * at however many attempts.
 */
export function sayOutage(connection: QueueConnection, log: Logger, error: Error, now = performance.now()): void {
  const known = outages.get(connection)
  const code = 'code' in error ? String(error.code) : ''
  if (saysNothing.test(`${code} ${error.message}`)) {
    if (known) known.heardAt = now
    return
  }
  const said = `${redisFault(connection, [error]).message}; work goes on when it is back`
  const wasBack = known?.backAt !== undefined && now - known.backAt > steadyMs
  if (known?.said === said && now - known.heardAt <= silenceMs && !wasBack) {
    known.heardAt = now
    return
  }
  outages.set(connection, { said, heardAt: now })
  log.warn(said)
}

/** Logs that Redis answers again, once, where it was said that it did not: as loudly, so that nobody hears only of that. */
export function sayBack(connection: QueueConnection, log: Logger, now = performance.now()): void {
  const known = outages.get(connection)
  if (known === undefined) return
  const isFirst = known.backAt === undefined
  known.backAt = now
  if (isFirst) log.warn(`Redis at ${connection.description} answers again`)
}
