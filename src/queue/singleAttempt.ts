import { Redis } from 'ioredis'
import { anonymous, type QueueConnection } from './redisUrl.ts'

/** One that says nothing must not cost the time in which the next one would have answered. */
const sentinelTimeoutMs = 2_000

/**
 * A client that tries once, and fails where a standing one would wait. Sentinels are asked once as well: ioredis asks them
 * for ever, and each without a limit of time, unless both are said. The caller connects and disconnects it.
 */
export function singleAttempt(
  connection: QueueConnection,
  node: { host?: string; port?: number },
  timeoutMs: number,
): Redis {
  return new Redis({
    ...connection.redis,
    ...anonymous,
    ...node,
    lazyConnect: true,
    retryStrategy: () => null,
    sentinelRetryStrategy: () => null,
    sentinelCommandTimeout: Math.min(timeoutMs, sentinelTimeoutMs),
    maxRetriesPerRequest: 0,
    connectTimeout: timeoutMs,
    commandTimeout: timeoutMs,
    // The ready check is an INFO whose failure hides the reply of AUTH.
    enableReadyCheck: false,
  })
}

/** Whether a server with this INFO is a sentinel, which knows where servers are and is none. */
export const isSentinel = (info: string): boolean => /^redis_mode:sentinel\r?$/m.test(info)
