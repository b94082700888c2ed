import { isIP } from 'node:net'
import { z } from 'zod'
import { InputError } from '../base/errors.ts'
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

const query = z.strictObject({
  cluster: z.enum(['0', '1']).default('0'),
  node: z.array(z.string()).default([]),
  db: z.string().optional(),
  user: z.string().optional(),
  password: z.string().optional(),
})
const database = z.coerce.number().int().min(0).max(65_535)

/**
 * Reads a Redis URL. InputError `bad-uri` names what is wrong, never the password.
 *
 * - `redis://[user[:password]@]host[:port][/db]`, `rediss://…` for TLS
 * - `redis+unix:///path/to/redis.sock[?db=N&user=…&password=…]`
 * - `redis://host:port?cluster=1[&node=host:port …]` for Redis Cluster; each `node` is one more node to ask first
 */
export function redisConnection(url: string): QueueConnection {
  const refuse = (what: string) =>
    new InputError('bad-uri', `the Redis URL ${what}; give redis://host:6379, rediss:// for TLS, or redis+unix:///path`)
  if (!URL.canParse(url)) throw refuse('cannot be parsed')
  const { protocol, username, password, hostname, port, pathname, searchParams } = new URL(url)
  if (protocol !== 'redis:' && protocol !== 'rediss:' && protocol !== 'redis+unix:') {
    throw refuse(`starts with ${protocol}//`)
  }
  const asked = query.safeParse({ ...Object.fromEntries(searchParams), node: searchParams.getAll('node') })
  if (!asked.success) {
    const issue = asked.error.issues[0]
    throw refuse(`has a parameter that headlight does not know or accept (${issue?.message ?? 'unknown'})`)
  }
  const unix = protocol === 'redis+unix:'
  const databaseText = asked.data.db ?? (unix ? undefined : pathname.replace(/^\//, '') || undefined)
  const db = databaseText === undefined ? 0 : database.safeParse(databaseText).data
  if (db === undefined) throw refuse(`names the database "${databaseText}", which is no number`)

  const user = asked.data.user ?? decoded(username)
  const secret = asked.data.password ?? decoded(password)
  if (user === undefined || secret === undefined) throw refuse('has a % in its user or password that escapes nothing')
  const login = { ...(user === '' ? {} : { username: user }), ...(secret === '' ? {} : { password: secret }) }
  const named = user === '' ? '' : `${encodeURIComponent(user)}@`

  if (unix) {
    const path = decoded(pathname)
    if (hostname !== '' || path === undefined || path.length < 2)
      throw refuse('names no socket: three slashes, then its path')
    if (asked.data.cluster === '1') throw refuse('asks for a cluster behind one Unix socket')
    return unixConnection(path, { ...login, db }, `redis+unix://${named}${path}${db === 0 ? '' : `?db=${db}`}`)
  }

  if (hostname === '') throw refuse('names no host')
  const tls = protocol === 'rediss:'
  const seed = { host: unbracketed(decoded(hostname) ?? hostname), port: port === '' ? defaultPort : Number(port) }
  const cluster =
    asked.data.cluster === '1' ? [seed, ...asked.data.node.map((node) => hostAndPort(node, refuse))] : null
  if (cluster === null && asked.data.node.length > 0) throw refuse('lists nodes but does not say cluster=1')
  if (cluster !== null && db !== 0) throw refuse(`names database ${db}, but a cluster has only database 0`)
  return {
    redis: { ...seed, ...login, db, ...(tls ? { tls: isIP(seed.host) === 0 ? { servername: seed.host } : {} } : {}) },
    cluster,
    prefix: queuePrefix,
    description: `${protocol}//${named}${hostname}:${seed.port}${db === 0 ? '' : `/${db}`}${cluster === null ? '' : '?cluster=1'}`,
  }
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

function hostAndPort(node: string, refuse: (what: string) => InputError): { host: string; port: number } {
  const url = `redis://${node}`
  if (!URL.canParse(url) || new URL(url).hostname === '') throw refuse(`has the node "${node}", which is no host:port`)
  const { hostname, port } = new URL(url)
  return { host: unbracketed(hostname), port: port === '' ? defaultPort : Number(port) }
}
