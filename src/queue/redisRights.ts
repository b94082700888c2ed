import { randomBytes } from 'node:crypto'
import { InputError } from '../base/errors.ts'
import { queuePrefix } from './jobs.ts'
import type { QueueConnection } from './redisUrl.ts'
import { isSentinel, singleAttempt } from './singleAttempt.ts'

const key = (): string => `${queuePrefix}:doctor-${randomBytes(8).toString('hex')}`

/**
 * What headlight and BullMQ's scripts send, as infra/redis/headlight.acl allows it, each in a form that does nothing: K is
 * a text that goes by itself after a minute, which most of them refuse as of a wrong type, and M is missing. Whether the
 * user may is decided before.
 */
const harmless: readonly string[] = [
  'set K 1 px 60000; get K; exists K; type K; pttl K; time; incr K; incrby K 1; persist M',
  'pexpire M 1000; pexpireat M 1; rename M M; unlink M; multi; exec; eval return,1 0; evalsha SHA 0',
  'script|load return,1; script|exists SHA; client|setname headlight; client|list; hdel K f',
  'hexists K f; hget K f; hgetall K; hmget K f; hincrby K f 1; hlen K; hmset K f 1; hset K f 1',
  'lindex K 0; llen K; lpop K; lpos K 1; lpush K 1; lrange K 0 1; lrem K 1 1; lset K 0 1; ltrim K 0 1',
  'rpop K; rpoplpush K K; rpush K 1; sadd K 1; scard K; sismember K 1; smembers K; srem K 1',
  'xadd K * f 1; xdel K 1-1; xlen K; xrange K - +; xread count 1 streams K 0; xtrim K maxlen 1',
  'bzpopmin K 0.01; zadd K 1 1; zcard K; zcount K 0 1; zlexcount K - +; zpopmin K; zrange K 0 1',
  'zrangebylex K - +; zrangebyscore K 0 1; zrem K 1; zremrangebyrank K 0 1; zremrangebyscore K 0 1',
  'zrevrange K 0 1; zrevrangebyscore K 1 0; zscore K 1; ping; info; select DB; del K',
].flatMap((line) => line.split('; '))

/** Names of the commands that are tried, as an ACL spells them. */
export const triedCommands: readonly string[] = harmless.map((line) => line.split(' ')[0] ?? '')

export interface RedisRights {
  /** Commands that the user may not send. */
  readonly missing: readonly string[]
  /** The user may use no keys of headlight's. */
  readonly isKeyRefused: boolean
  /** A key that could not be removed, and goes by itself within a minute if it could be set so. */
  readonly left: string | null
}

/** Sends them to one server. Rejects when it does not answer, or is none that could be used: `checkRedis` says why. */
export async function redisRights(connection: QueueConnection, timeoutMs = 10_000): Promise<RedisRights> {
  const [node = {}] = connection.cluster ?? []
  const client = singleAttempt(connection, node, timeoutMs)
  client.on('error', () => undefined)
  const present = key()
  const missingKey = key()
  const texts: Readonly<Record<string, string>> = {
    K: present,
    M: missingKey,
    DB: String(connection.redis.db),
    SHA: '0'.repeat(40),
  }
  const missing: string[] = []
  let isKeyRefused = false
  try {
    await client.connect()
    const info = await client.info().catch(denied)
    if (isSentinel(info)) throw new InputError('no-redis', `${connection.description} is a sentinel`)
    for (const line of harmless) {
      const [name = '', ...rest] = line.split(' ')
      const [command = '', ...sub] = name.split('|')
      const args = [...sub, ...rest.map((text) => texts[text] ?? text.replace(',', ' '))]
      // An answer may be a text of any kind, and INFO counts errors by their names.
      const refusal = await client.call(command, ...args).then(() => '', denied)
      if (refusal === '') continue
      if (/\bkeys?\b/.test(refusal) && !/command/.test(refusal)) isKeyRefused = true
      else missing.push(name)
    }
    const left = missing.includes('del') && !missing.includes('set') ? present : null
    return { missing, isKeyRefused, left }
  } finally {
    client.disconnect()
  }
}

/** How the server said that the user may not, else nothing. One that says nothing would be waited for at each command. */
function denied(error: unknown): string {
  if (!(error instanceof Error) || error.name !== 'ReplyError') throw error
  return error.message.startsWith('NOPERM') ? error.message : ''
}
