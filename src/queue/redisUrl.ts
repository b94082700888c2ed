import { isIP } from 'node:net'
import { z } from 'zod'
import { InputError } from '../base/errors.ts'
import { encodeCredentials, hasLooseCredentials } from '../base/looseCredentials.ts'
import { queuePrefix } from './jobs.ts'

/** What ioredis and BullMQ need to reach a server; no policy of retrying. */
export interface RedisAddress {
  readonly host?: string
  readonly port?: number
  /** Of a Unix socket, instead of host and port. */
  readonly path?: string
  readonly username?: string
  readonly password?: string
  readonly db: number
  readonly tls?: { servername?: string }
  /** Who knows where the server is, instead of host and port. */
  readonly sentinels?: { host: string; port: number }[]
  /** By which sentinels know it. */
  readonly name?: string
  readonly sentinelUsername?: string
  readonly sentinelPassword?: string
  /** With these, sentinels and server speak TLS. */
  readonly sentinelTLS?: Record<string, never>
  readonly enableTLSForSentinelMode?: true
}

/** How to reach one Redis or Valkey. Plain data: nothing is connected until something is opened with it. */
export interface QueueConnection {
  readonly redis: RedisAddress
  /** The nodes to ask first when the server is a Redis Cluster, else null. */
  readonly cluster: readonly { host: string; port: number }[] | null
  /** Start of every key. */
  readonly prefix: string
  /** The URL without password, for messages. */
  readonly description: string
}

/**
 * For every client: ioredis would tell the server its name and version (CLIENT SETINFO). Servers before Redis 7.2 do not
 * know that, so no user's rules can allow it on old and new ones alike, and each connection would stand in the ACL log.
 */
export const anonymous = { disableClientInfo: true } as const

const defaultPort = 6379
const sentinelPort = 26379

const query = z.strictObject({
  cluster: z.enum(['0', '1']).default('0'),
  node: z.array(z.string()).default([]),
  db: z.string().optional(),
  user: z.string().optional(),
  password: z.string().optional(),
  sentinelUser: z.string().optional(),
  sentinelPassword: z.string().optional(),
})
const database = z.coerce.number().int().min(0).max(65_535)

/**
 * Reads a Redis URL. InputError `bad-uri` names what is wrong, never the password.
 *
 * - `redis://[user[:password]@]host[:port][/db]`, `rediss://…` for TLS
 * - `redis+unix:///path/to/redis.sock[?db=N&user=…&password=…]`
 * - `redis+sentinel://[user[:password]@]host[:port][,host[:port] …]/name[/db][?sentinelUser=…&sentinelPassword=…]` for the
 *   primary of that name, which these sentinels know; `rediss+sentinel://…` for TLS, to sentinels and primary
 * - `redis://host:port?cluster=1[&node=host:port …]` for Redis Cluster; each `node` is one more node to ask first
 */
export function redisConnection(given: string): QueueConnection {
  const isUnix = /^redis\+unix:/i.test(given)
  // No Redis URL has a fragment. A socket's path, and a password in its query, may hold an @.
  if (given.includes('#') || (!isUnix && hasLooseCredentials(given))) {
    throw new InputError('bad-uri', `the Redis URL has a user or password that is not escaped; ${encodeCredentials}`)
  }
  const { url, others } = withOneHost(given)
  if (!URL.canParse(url)) throw refusal('cannot be parsed')
  const { protocol, username, password, hostname, port, pathname, searchParams } = new URL(url)
  const isSentinel = protocol === 'redis+sentinel:' || protocol === 'rediss+sentinel:'
  if (!isUnix && !isSentinel && protocol !== 'redis:' && protocol !== 'rediss:') {
    // What stands before the colon of a URL that lacks its beginning is a user, or a password.
    throw refusal(/^[^@]*$|^[^:@]*:\/\//.test(given) ? `starts with ${protocol}//` : 'starts with no redis://')
  }
  const asked = query.safeParse({ ...Object.fromEntries(searchParams), node: searchParams.getAll('node') })
  // Not named: it may be the rest of a password.
  if (!asked.success) throw refusal('has a parameter that headlight does not know or accept')

  const user = asked.data.user ?? decoded(username)
  const secret = asked.data.password ?? decoded(password)
  if (user === undefined || secret === undefined) throw refusal('has a % in its user or password that escapes nothing')
  const login = { ...(user === '' ? {} : { username: user }), ...(secret === '' ? {} : { password: secret }) }
  const named = user === '' ? '' : `${encodeURIComponent(user)}@`
  if (!isSentinel && (asked.data.sentinelUser ?? asked.data.sentinelPassword) !== undefined) {
    throw refusal('has a login for sentinels but does not begin with redis+sentinel://')
  }

  if (isUnix) {
    const path = decoded(pathname)
    if (hostname !== '' || path === undefined || path.length < 2)
      throw refusal('names no socket: three slashes, then its path')
    if (asked.data.cluster === '1') throw refusal('asks for a cluster behind one Unix socket')
    const db = databaseOf(asked.data.db)
    return unixConnection(path, { ...login, db }, `redis+unix://${named}${path}${db === 0 ? '' : `?db=${db}`}`)
  }

  if (hostname === '') throw refusal('names no host')
  const seed = hostAndPort({ hostname, port }, isSentinel ? sentinelPort : defaultPort)
  if (isSentinel) {
    const [name = '', database, ...rest] = pathname.slice(1).split('/')
    const primary = decoded(name)
    if (primary === undefined || primary === '' || rest.length > 0)
      throw refusal('does not name the primary that the sentinels know: redis+sentinel://host:26379,host:26379/name')
    if (asked.data.cluster === '1') throw refusal('asks for a cluster behind sentinels')
    const db = databaseOf(asked.data.db ?? database)
    const { sentinelUser, sentinelPassword } = asked.data
    const sentinels = [seed, ...others.map((other) => namedNode(other, sentinelPort))]
    const hosts = sentinels.map((sentinel) => `${bracketed(sentinel.host)}:${sentinel.port}`).join(',')
    return {
      redis: {
        sentinels,
        name: primary,
        ...(sentinelUser === undefined ? {} : { sentinelUsername: sentinelUser }),
        ...(sentinelPassword === undefined ? {} : { sentinelPassword }),
        ...login,
        db,
        ...(protocol === 'rediss+sentinel:' ? { tls: {}, sentinelTLS: {}, enableTLSForSentinelMode: true } : {}),
      },
      cluster: null,
      prefix: queuePrefix,
      description: `${protocol}//${named}${hosts}/${name}${db === 0 ? '' : `/${db}`}`,
    }
  }

  const db = databaseOf(asked.data.db ?? pathname.slice(1))
  const tls = protocol === 'rediss:'
  const cluster =
    asked.data.cluster === '1' ? [seed, ...asked.data.node.map((node) => namedNode(node, defaultPort))] : null
  if (cluster === null && asked.data.node.length > 0) throw refusal('lists nodes but does not say cluster=1')
  if (cluster !== null && db !== 0) throw refusal(`names database ${db}, but a cluster has only database 0`)
  return {
    redis: { ...seed, ...login, db, ...(tls ? { tls: isIP(seed.host) === 0 ? { servername: seed.host } : {} } : {}) },
    cluster,
    prefix: queuePrefix,
    description: `${protocol}//${named}${hostname}:${seed.port}${db === 0 ? '' : `/${db}`}${cluster === null ? '' : '?cluster=1'}`,
  }
}

const refusal = (what: string) =>
  new InputError('bad-uri', `the Redis URL ${what}; give redis://host:6379, rediss:// for TLS, or redis+unix:///path`)

/** Of several hosts with commas between them, which no reader of URLs takes, the first stays in the URL. */
function withOneHost(given: string): { url: string; others: string[] } {
  const [all, before, hosts = ''] = /^(rediss?\+sentinel:\/\/(?:[^/?#]*@)?)([^/?#@]*)/i.exec(given) ?? []
  if (all === undefined || before === undefined) return { url: given, others: [] }
  const [first = '', ...others] = hosts.split(',')
  return { url: `${before}${first}${given.slice(all.length)}`, others }
}

function databaseOf(text: string | undefined): number {
  if (text === undefined || text === '') return 0
  const { data } = database.safeParse(text)
  if (data === undefined) throw refusal(`names the database "${text}", which is no number`)
  return data
}

/** The connection of a server that listens on a Unix socket. */
export function unixConnection(
  path: string,
  login: Pick<RedisAddress, 'username' | 'password' | 'db'> = { db: 0 },
  description = `redis+unix://${path}`,
): QueueConnection {
  return { redis: { path, ...login }, cluster: null, prefix: queuePrefix, description }
}

function decoded(text: string): string | undefined {
  try {
    return decodeURIComponent(text)
  } catch {
    return undefined
  }
}

const unbracketed = (host: string) => host.replace(/^\[(.*)\]$/, '$1')
const bracketed = (host: string) => (host.includes(':') ? `[${host}]` : host)

function namedNode(node: string, ownPort: number): { host: string; port: number } {
  const url = `redis://${node}`
  const isOne = !node.includes('@') && URL.canParse(url) && new URL(url).hostname !== ''
  if (!isOne) throw refusal('has a node that is no host:port')
  return hostAndPort(new URL(url), ownPort)
}

function hostAndPort({ hostname, port }: Pick<URL, 'hostname' | 'port'>, ownPort: number) {
  return { host: unbracketed(decoded(hostname) ?? hostname), port: port === '' ? ownPort : Number(port) }
}
