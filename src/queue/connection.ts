import { createIORedisClient, Queue, QueueEvents, RedisConnection, Worker } from 'bullmq'
import type { Processor, RedisOptions, WorkerOptions } from 'bullmq'
import { isIP } from 'node:net'
import { Cluster, Redis } from 'ioredis'
import { z } from 'zod'
import { queuePrefix, workerOptions } from '../contract/job.ts'
import { InputError } from '../errors.ts'
import type { Logger } from '../telemetry.ts'
import { redisFault } from './redisFault.ts'

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

/** 0.1 s, 0.2 s … 5 s, with jitter: a hundred workers must not come back in the same millisecond. */
const backoffMs = (times: number) => Math.min(5_000, 50 * 2 ** Math.min(times, 10)) * (0.75 + Math.random() / 2)

/** A worker waits for ever: its commands are held back until Redis is there again (BullMQ insists on null). */
const patient = { maxRetriesPerRequest: null, enableOfflineQueue: true, retryStrategy: backoffMs }
/**
 * A producer's commands fail at once while Redis is away and are repeated by the producer itself. Held back instead,
 * they would pile up in memory, and nobody would be told why nothing moves.
 */
const prompt = { maxRetriesPerRequest: 1, enableOfflineQueue: false, retryStrategy: backoffMs }

type Policy = typeof patient | typeof prompt

function bullOptions(connection: QueueConnection, policy: Policy) {
  return {
    connection: { ...connection.redis, ...policy, clusterNodes: connection.cluster },
    prefix: connection.prefix,
  }
}

const clusterNodeList = z.array(z.strictObject({ host: z.string(), port: z.number() })).nullish()

// BullMQ knows only ioredis' plain client when it is given options. A Cluster instance could be passed instead, but then
// BullMQ would neither own nor close it. This is the place it offers for saying how a client is made from options.
RedisConnection.clientFactory = ({ clusterNodes, ...options }) =>
  createIORedisClient(newClient(options, clusterNodeList.parse(clusterNodes) ?? null))

function newClient(options: RedisOptions, nodes: QueueConnection['cluster']): Redis | Cluster {
  if (nodes === null) return new Redis(options)
  const { host: _host, port: _port, db: _db, retryStrategy, enableOfflineQueue, ...redisOptions } = options
  return new Cluster([...nodes], {
    ...(retryStrategy === undefined ? {} : { clusterRetryStrategy: retryStrategy }),
    enableOfflineQueue: enableOfflineQueue ?? true,
    redisOptions,
    // Certificates name hosts, so a node's name must not be resolved to an address before TLS sees it.
    ...(options.tls === undefined ? {} : { dnsLookup: (address, done) => done(null, address) }),
  })
}

/** The commands that headlight uses for what it keeps beside its queues. */
export type RedisClient = Pick<
  Redis,
  | 'hset'
  | 'hget'
  | 'hgetall'
  | 'hdel'
  | 'lpush'
  | 'ltrim'
  | 'lrange'
  | 'set'
  | 'get'
  | 'pttl'
  | 'sadd'
  | 'srem'
  | 'smembers'
  | 'del'
  | 'disconnect'
>

/** A client for keys of our own, which start with the connection's prefix. The caller disconnects it. */
export function openClient(connection: QueueConnection, log: Logger): RedisClient {
  const policy = { ...prompt, enableOfflineQueue: true }
  const client = newClient({ ...connection.redis, ...policy }, connection.cluster)
  logErrors(client, connection, log)
  return client
}

/**
 * Events are a hint, the store is the truth, so a short stream is enough (the default keeps ten thousand per queue in
 * memory).
 */
const eventsMaxLength = 1_000

/** A queue to add to: its commands fail promptly while Redis is away. The caller closes it. */
export function openQueue<Data, Result>(connection: QueueConnection, name: string, log: Logger): Queue<Data, Result> {
  const queue = new Queue<Data, Result>(name, {
    ...bullOptions(connection, prompt),
    streams: { events: { maxLen: eventsMaxLength } },
  })
  logErrors(queue, connection, log)
  return queue
}

/** The events of a queue; reconnects for ever. The caller closes it. */
export function openQueueEvents(connection: QueueConnection, name: string, log: Logger): QueueEvents {
  const events = new QueueEvents(name, bullOptions(connection, patient))
  logErrors(events, connection, log)
  return events
}

/** A worker with the lock times of `contract/job.ts`; reconnects for ever. The caller closes it. */
export function openWorker<Data, Result>(
  connection: QueueConnection,
  name: string,
  processor: Processor<Data, Result> | null,
  options: Omit<WorkerOptions, 'connection' | 'prefix' | keyof typeof workerOptions>,
  log: Logger,
): Worker<Data, Result> {
  const worker = new Worker<Data, Result>(name, processor, {
    ...options,
    ...workerOptions,
    ...bullOptions(connection, patient),
  })
  logErrors(worker, connection, log)
  return worker
}

/** Without a listener BullMQ prints to the console. It repeats an error at every attempt to reconnect: say it once. */
function logErrors(
  source: { on(event: 'error', listener: (error: Error) => void): unknown },
  connection: QueueConnection,
  log: Logger,
) {
  let lastMessage = ''
  source.on('error', (error) => {
    if (error.message !== lastMessage) log.warn({ redis: connection.description }, `Redis: ${error.message}`)
    lastMessage = error.message
  })
}

export interface RedisFacts {
  readonly server: 'redis' | 'valkey'
  readonly version: string
  /** One sentence when the server may throw queue keys away, else null. */
  readonly warning: string | null
}

const minimumVersion = [6, 2] as const

/**
 * Connects once, PINGs, and looks whether the server can carry the queue. InputError `no-redis` in one sentence:
 * unreachable, wrong password, TLS on one side only, too old, cluster or no cluster. Of a cluster, one node that answers
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
  const client = new Redis({
    ...connection.redis,
    ...node,
    lazyConnect: true,
    retryStrategy: () => null,
    maxRetriesPerRequest: 0,
    connectTimeout: timeoutMs,
    // The ready check is an INFO whose failure hides the reply of AUTH; the INFO below says it plainly.
    enableReadyCheck: false,
  })
  const errors: Error[] = []
  client.on('error', (error) => errors.push(error))
  const timer = setTimeout(() => {
    errors.push(new Error(connection.redis.tls === undefined ? 'no reply' : 'no TLS reply'))
    client.disconnect()
  }, timeoutMs)
  try {
    await client.connect()
    await client.ping()
    // ioredis has selected it, too, but goes on in database 0 when the server refuses.
    await client.select(connection.redis.db)
    return await client.info()
  } catch (error) {
    throw redisFault(connection.description, [...errors, error])
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
  const policy = field('maxmemory_policy') ?? 'noeviction'
  const warning =
    policy === 'noeviction'
      ? null
      : `Redis at ${at} has maxmemory-policy ${policy} and may throw queued shards away; set it to noeviction.`
  return { server, version, warning }
}

/** Whether a server of this version, `7.0.15`, can carry the queue. */
export function isRecent(version: string): boolean {
  const [major = 0, minor = 0] = version.split('.').map(Number)
  return major > minimumVersion[0] || (major === minimumVersion[0] && minor >= minimumVersion[1])
}
