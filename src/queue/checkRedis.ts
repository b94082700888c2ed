import { InputError } from '../base/errors.ts'
import { isReplica, sayReplica } from './primary.ts'
import { redisFault } from './redisFault.ts'
import type { QueueConnection } from './redisUrl.ts'
import { isSentinel, singleAttempt } from './singleAttempt.ts'

export interface RedisFacts {
  readonly server: 'redis' | 'valkey'
  readonly version: string
  /** Its `maxmemory-policy`; null where the server does not tell. */
  readonly maxmemoryPolicy: string | null
  /** How long it has been there; null where the server does not tell. */
  readonly uptimeSeconds: number | null
  /** One sentence when the server may throw queue keys away, else null. */
  readonly warning: string | null
}

const minimumVersion = [6, 2] as const

/**
 * Connects once, PINGs, and looks whether the server can carry the queue. InputError `no-redis` in one sentence:
 * unreachable, wrong password, TLS on one side only, too old, a replica, a sentinel, cluster or no cluster. Of a cluster, one node that answers
 * is enough.
 *
 * @param timeoutMs for one node
 */
export async function checkRedis(connection: QueueConnection, timeoutMs = 10_000): Promise<RedisFacts> {
  const [first, ...others] = connection.cluster ?? [{}]
  let info = await askInfo(connection, first ?? {}, timeoutMs).catch((error: unknown) => asInputError(error))
  for (const node of others) {
    if (typeof info === 'string') break
    info = await askInfo(connection, node, timeoutMs).catch(() => info)
  }
  if (typeof info === 'string') return facts(info, connection)
  throw info
}

const asInputError = (error: unknown): InputError => {
  if (error instanceof InputError) return error
  throw error
}

async function askInfo(
  connection: QueueConnection,
  node: { host?: string; port?: number },
  timeoutMs: number,
): Promise<string> {
  const client = singleAttempt(connection, node, timeoutMs)
  const errors: Error[] = []
  client.on('error', (error) => errors.push(error))
  const timer = setTimeout(() => {
    errors.push(new Error(connection.redis.tls === undefined ? 'no reply' : 'no TLS reply'))
    client.disconnect()
  }, timeoutMs)
  try {
    await client.connect()
    await client.ping()
    const info = await client.info()
    // ioredis has selected it, too, but goes on in database 0 when the server refuses. A sentinel has none.
    if (!isSentinel(info)) await client.select(connection.redis.db)
    return info
  } catch (error) {
    throw redisFault(connection, [...errors, error])
  } finally {
    clearTimeout(timer)
    client.disconnect()
  }
}

function facts(info: string, connection: QueueConnection): RedisFacts {
  const field = (name: string) => new RegExp(`^${name}:(.*?)\\r?$`, 'm').exec(info)?.[1]
  const server = field('valkey_version') === undefined ? 'redis' : 'valkey'
  const version = field('valkey_version') ?? field('redis_version') ?? 'unknown'
  const at = connection.description
  if (isSentinel(info)) {
    const advice = 'name its primary and put redis+sentinel://HOST:PORT/NAME instead, rediss+sentinel:// for TLS'
    throw new InputError('no-redis', `Redis at ${at} is a sentinel, not the server that it watches; ${advice}`)
  }
  // Valkey began at 7.2, so its own version number may be compared too.
  if (!isRecent(version)) {
    throw new InputError('no-redis', `Redis at ${at} is version ${version}; headlight needs 6.2 or newer`)
  }
  const isCluster = field('cluster_enabled') === '1'
  if (isCluster && connection.cluster === null) {
    throw new InputError('no-redis', `Redis at ${at} is a node of a cluster; add ?cluster=1 to its URL`)
  }
  if (!isCluster && connection.cluster !== null) {
    throw new InputError('no-redis', `Redis at ${at} is not a cluster; take cluster=1 out of its URL`)
  }
  // Any node of a cluster leads to the right one.
  if (!isCluster && isReplica(field('role'))) throw redisFault(connection, [sayReplica()])
  const policy = field('maxmemory_policy') ?? null
  const warning =
    policy === null || policy === 'noeviction'
      ? null
      : `Redis at ${at} has maxmemory-policy ${policy} and may throw queued shards away; set it to noeviction.`
  const uptime = field('uptime_in_seconds')
  return { server, version, maxmemoryPolicy: policy, uptimeSeconds: uptime ? Number(uptime) : null, warning }
}

/** Whether a server of this version, `7.0.15`, can carry the queue. */
export function isRecent(version: string): boolean {
  const [major = 0, minor = 0] = version.split('.').map(Number)
  return major > minimumVersion[0] || (major === minimumVersion[0] && minor >= minimumVersion[1])
}
