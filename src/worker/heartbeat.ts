import { hostname } from 'node:os'
import {
  type Heartbeat,
  heartbeatExpiryMs,
  heartbeatIntervalMs,
  heartbeatKey,
  workersKey,
} from '../contract/heartbeat.ts'
import { settles } from '../queue/closing.ts'
import { openClient, type RedisClient } from '../queue/connection.ts'
import type { QueueConnection } from '../queue/redisUrl.ts'
import type { Logger } from '../telemetry.ts'

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
