import { hostname } from 'node:os'
import { z } from 'zod'
import { settles } from '../base/settles.ts'
import type { Logger } from '../base/telemetry.ts'
import { openClient, type RedisClient } from './connection.ts'
import { queuePrefix } from './jobs.ts'
import type { QueueConnection } from './redisUrl.ts'

/**
 * What a worker says of itself every few seconds, as the value of `heartbeatKey`. It is for people who look: nothing
 * that headlight does depends on it.
 */
// Not strict: during an upgrade, status must show workers of the newer version, too, which may say more.
export const heartbeatSchema = z.object({
  host: z.string(),
  pid: z.int(),
  version: z.string(),
  /** Of the shards computed so far; before the first, what was asked for. */
  engine: z.string(),
  device: z.string(),
  /** `working` also while it waits for shards (see `activity`); `waiting`: a fault of its place, named by `fault`. */
  state: z.enum(['working', 'waiting', 'stopping']),
  fault: z.string().nullable(),
  /** `idle`: no shard is there for it; `paused`: what is there is of paused runs. Absent in older versions. */
  activity: z.enum(['computing', 'idle', 'paused']).optional(),
  /** The run whose shards it last put aside, without one done since, and why; absent where there is none. */
  leaves: z.object({ run: z.string(), code: z.string(), message: z.string() }).optional(),
  /** Alive and ready. */
  units: z.int().nonnegative(),
  /** Images since the worker started, and a second, over the last ten. */
  computed: z.int().nonnegative(),
  failed: z.int().nonnegative(),
  imagesPerSecond: z.number().nonnegative(),
  startedAt: z.iso.datetime(),
})
export type Heartbeat = z.infer<typeof heartbeatSchema>

/** A set of worker ids. One that was killed stays in it until somebody looks; its heartbeat is gone by then. */
export const workersKey = `${queuePrefix}:workers`
export const heartbeatKey = (worker: string) => `${queuePrefix}:worker:${worker}`

const heartbeatIntervalMs = 2_000
/** The heartbeat expires, so that Redis' own clock says how old it is, whatever the hosts' clocks say. */
export const heartbeatExpiryMs = 60_000

const farewellMs = 1_000

/** Tells Redis every few seconds that this worker lives, and how it does. Never a reason to fail. */
export class HeartbeatSender {
  readonly #id = `${hostname()}-${process.pid}`
  readonly #facts: () => Heartbeat
  readonly #redis: RedisClient
  readonly #log: Logger
  readonly #timer: NodeJS.Timeout
  #sending: Promise<void> | undefined

  constructor(connection: QueueConnection, facts: () => Heartbeat, log: Logger) {
    this.#facts = facts
    this.#log = log
    this.#redis = openClient(connection, log)
    this.#timer = setInterval(() => this.#beat(), heartbeatIntervalMs)
    this.#beat()
  }

  /** Strikes the worker off, where Redis answers; where not, its heartbeat expires. */
  async close(): Promise<void> {
    clearInterval(this.#timer)
    const farewell = async () => {
      await this.#sending
      await this.#send(async () => {
        await this.#redis.del(heartbeatKey(this.#id))
        await this.#redis.srem(workersKey, this.#id)
      })
    }
    // A client that looks for its Redis keeps commands waiting for ever, even when it is disconnected.
    await settles(farewell(), farewellMs)
    this.#redis.disconnect()
  }

  #beat(): void {
    // While Redis is away a beat takes as long as it takes; the next ones must not pile up behind it.
    this.#sending ??= this.#send(async () => {
      const said = JSON.stringify(this.#facts())
      await this.#redis.set(heartbeatKey(this.#id), said, 'PX', heartbeatExpiryMs)
      await this.#redis.sadd(workersKey, this.#id)
    }).finally(() => (this.#sending = undefined))
  }

  async #send(action: () => Promise<void>): Promise<void> {
    await action().catch((error: unknown) => this.#log.debug({ err: error }, 'the heartbeat was not sent'))
  }
}
