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

const outages = new WeakMap<QueueConnection, { said: string; heardAt: number }>()

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
  const sentence = `${redisFault(connection.description, [error]).message}; work goes on when it is back`
  const isNew = known?.said !== sentence || now - known.heardAt > silenceMs
  outages.set(connection, { said: sentence, heardAt: now })
  if (isNew) log.warn(sentence)
}
