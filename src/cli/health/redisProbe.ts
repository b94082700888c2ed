import { checkRedis } from '../../queue/checkRedis.ts'
import type { QueueConnection } from '../../queue/redisUrl.ts'

const timeoutMs = 2_000
/** Probes of an orchestrator and scrapes come together; they share one look. */
const maxAgeMs = 1_000

/** Says whether Redis answers now, by a connection of its own: those at work would wait for it. */
export class RedisProbe {
  readonly #connection: QueueConnection
  #looked: Promise<boolean> | undefined
  #lookedAt = -Infinity

  constructor(connection: QueueConnection) {
    this.#connection = connection
  }

  answers(): Promise<boolean> {
    if (this.#looked && performance.now() - this.#lookedAt < maxAgeMs) return this.#looked
    this.#lookedAt = performance.now()
    this.#looked = checkRedis(this.#connection, timeoutMs).then(
      () => true,
      () => false,
    )
    return this.#looked
  }
}
