import { backoffMs, type Backoff } from '../../base/backoff.ts'
import type { PlaceError } from '../../base/errors.ts'

export interface PlaceFaultsOptions {
  /** Stops pulling at once, without waiting for shards under way. */
  readonly pause: () => void
  readonly resume: () => void
  /** Told of each fault and of each failed re-check. */
  readonly onFault: (error: PlaceError, attempt: number, retryInMs: number) => void
  readonly onRetry: () => void
  readonly retrying: Backoff
}

/**
 * Stops a worker's pulling while its place is bad, and tries again at growing intervals. The interval only shrinks when
 * a shard gets done: a check that passes is no proof that shards will.
 */
export class PlaceFaults {
  readonly #o: PlaceFaultsOptions
  #attempt = 0
  #timer: NodeJS.Timeout | undefined
  #isClosed = false

  constructor(options: PlaceFaultsOptions) {
    this.#o = options
  }

  get isActive(): boolean {
    return this.#timer !== undefined
  }

  /** `recheck` resolves when it is worth pulling again, else rejects with the fault that remains. */
  report(error: PlaceError, recheck: () => Promise<PlaceError | undefined>): void {
    if (this.isActive || this.#isClosed) return
    this.#o.pause()
    this.#wait(error, recheck)
  }

  succeeded(): void {
    this.#attempt = 0
  }

  close(): void {
    this.#isClosed = true
    clearTimeout(this.#timer)
  }

  #wait(error: PlaceError, recheck: () => Promise<PlaceError | undefined>): void {
    this.#attempt++
    const delayMs = backoffMs(this.#o.retrying, this.#attempt)
    this.#o.onFault(error, this.#attempt, Math.round(delayMs))
    this.#timer = setTimeout(() => void this.#tryAgain(recheck), delayMs)
  }

  async #tryAgain(recheck: () => Promise<PlaceError | undefined>): Promise<void> {
    const remaining = await recheck()
    if (this.#isClosed) return
    if (remaining) {
      this.#wait(remaining, recheck)
      return
    }
    this.#timer = undefined
    this.#o.onRetry()
    this.#o.resume()
  }
}
