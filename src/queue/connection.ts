import {
  createIORedisClient,
  Queue,
  QueueEvents,
  RedisConnection,
  Worker,
  type Processor,
  type RedisOptions,
  type WorkerOptions,
} from 'bullmq'
import { Cluster, type Redis } from 'ioredis'
import { z } from 'zod'
import { backoffMs, type Backoff } from '../base/backoff.ts'
import type { Logger } from '../base/telemetry.ts'
import { repeatStrategy } from './cronTimes.ts'
import { workerOptions } from './jobs.ts'
import { sayBack, sayOutage } from './outage.ts'
import { primaryClient } from './primary.ts'
import { anonymous, type QueueConnection } from './redisUrl.ts'

const reconnecting: Backoff = { firstMs: 100, longestMs: 5_000 }
/** ioredis counts from 1, too, and asks until it is connected: it never gives up. */
const retryStrategy = (attempt: number) => backoffMs(reconnecting, attempt)

/** A worker waits for ever: its commands are held back until Redis is there again (BullMQ insists on null). */
const patient = { maxRetriesPerRequest: null, enableOfflineQueue: true, retryStrategy }
/**
 * A producer's commands fail at once while Redis is away and are repeated by the producer itself. Held back instead,
 * they would pile up in memory, and nobody would be told why nothing moves.
 */
const prompt = { maxRetriesPerRequest: 1, enableOfflineQueue: false, retryStrategy }

type Policy = typeof patient | typeof prompt

function bullOptions(connection: QueueConnection, policy: Policy, log: Logger) {
  const onReady = () => sayBack(connection, log)
  return {
    connection: { ...connection.redis, ...policy, clusterNodes: connection.cluster, onReady },
    prefix: connection.prefix,
    // Queue and worker both reckon a scheduler's next time. One that did so by BullMQ's own rule would move it.
    settings: { repeatStrategy },
  }
}

const clusterNodeList = z.array(z.strictObject({ host: z.string(), port: z.number() })).nullish()
const listener = z.custom<() => void>((value) => typeof value === 'function').optional()

// BullMQ knows only ioredis' plain client when it is given options. A Cluster instance could be passed instead, but then
// BullMQ would neither own nor close it. This is the place it offers for saying how a client is made from options.
RedisConnection.clientFactory = ({ clusterNodes, onReady, ...options }) => {
  const client = newClient(options, clusterNodeList.parse(clusterNodes) ?? null)
  const known = listener.parse(onReady)
  if (known !== undefined) client.on('ready', known)
  return createIORedisClient(client)
}

/** `logErrors` hears its errors by way of BullMQ, which listens no more once it has closed. */
function newClient(options: RedisOptions, nodes: QueueConnection['cluster']): Redis | Cluster {
  const client = clientOf({ ...options, ...anonymous }, nodes)
  // One that was closed while Redis was away goes on trying until the process ends. ioredis prints what nobody listens
  // to, with its stack, between the lines of the log.
  client.on('error', () => undefined)
  return client
}

function clientOf(options: RedisOptions, nodes: QueueConnection['cluster']): Redis | Cluster {
  if (nodes === null) return primaryClient(options)
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
  | 'multi'
  | 'disconnect'
>

/** A client for keys of our own, which start with the connection's prefix. The caller disconnects it. */
export function openClient(connection: QueueConnection, log: Logger): RedisClient {
  const policy = { ...prompt, enableOfflineQueue: true }
  const client = newClient({ ...connection.redis, ...policy }, connection.cluster)
  client.on('ready', () => sayBack(connection, log))
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
    ...bullOptions(connection, prompt, log),
    streams: { events: { maxLen: eventsMaxLength } },
  })
  logErrors(queue, connection, log)
  return queue
}

/** The events of a queue; reconnects for ever. The caller closes it. */
export function openQueueEvents(connection: QueueConnection, name: string, log: Logger): QueueEvents {
  const events = new QueueEvents(name, bullOptions(connection, patient, log))
  logErrors(events, connection, log)
  return events
}

/** A worker with the lock times of `jobs.ts`; reconnects for ever. The caller closes it. */
export function openWorker<Data, Result>(
  connection: QueueConnection,
  name: string,
  processor: Processor<Data, Result> | null,
  options: Omit<WorkerOptions, keyof ReturnType<typeof bullOptions> | keyof typeof workerOptions>,
  log: Logger,
): Worker<Data, Result> {
  const worker = new Worker<Data, Result>(name, processor, {
    ...options,
    ...workerOptions,
    ...bullOptions(connection, patient, log),
  })
  logErrors(worker, connection, log)
  return worker
}

/** Without a listener BullMQ prints to the console. */
function logErrors(
  source: { on(event: 'error', listener: (error: Error) => void): unknown },
  connection: QueueConnection,
  log: Logger,
) {
  source.on('error', (error) => sayOutage(connection, log, error))
}
