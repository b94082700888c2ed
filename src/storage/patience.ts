import { backoffMs, pause, type Backoff } from '../base/backoff.ts'
import { TransientError, type HeadlightError } from '../base/errors.ts'
import type { Store } from './store.ts'

export interface PatienceTimes extends Backoff {
  /** A call that has failed for so long without a success in between is given up. */
  readonly limitMs: number
}

export interface PatienceOptions {
  /** Ends a pause at once; the call then rejects with its reason. */
  readonly signal: AbortSignal
  /** Told what is waited for, before each pause, and `undefined` when the store answers again. */
  readonly say: (message: string | undefined) => void
  readonly times?: PatienceTimes | undefined
}

const defaultTimes: PatienceTimes = { firstMs: 1_000, longestMs: 60_000, limitMs: 15 * 60_000 }

/**
 * Waits out a store that does not answer, on top of the driver's own short retries: TransientErrors alone are repeated,
 * at growing intervals. For whoever would otherwise lose hours of work to a bad minute and has nobody to hand the work
 * back to. A worker has: its shards go back to the queue.
 */
export class Patience {
  readonly signal: AbortSignal
  readonly #say: PatienceOptions['say']
  readonly #times: PatienceTimes
  /** Of several calls that wait at the same time one speaks. */
  #speaker: Wait | undefined

  constructor(options: PatienceOptions) {
    this.signal = options.signal
    this.#say = options.say
    this.#times = options.times ?? defaultTimes
  }

  /** Calls `action`, which must be harmless to repeat, until it raises no TransientError. */
  async call<T>(store: Pick<Store, 'uri'>, action: () => Promise<T>): Promise<T> {
    const wait = this.begin(store)
    for (;;) {
      try {
        const result = await action()
        wait.end()
        return result
      } catch (error) {
        await wait.after(error)
      }
    }
  }

  /** For what goes on where it broke off instead of starting again. */
  begin(store: Pick<Store, 'uri'>): Wait {
    return new Wait(store.uri, this.#times, this.signal, (wait, message) => this.#spoken(wait, message))
  }

  #spoken(wait: Wait, message: string | undefined): void {
    if ((this.#speaker ?? wait) !== wait) return
    if (message === undefined && this.#speaker === undefined) return
    this.#speaker = message === undefined ? undefined : wait
    this.#say(message)
  }
}

type SayFor = (wait: Wait, message: string | undefined) => void

/** One call's failures in a row. */
class Wait {
  readonly #uri: string
  readonly #times: PatienceTimes
  readonly #signal: AbortSignal
  readonly #say: SayFor
  #attempt = 0
  #since = 0

  constructor(uri: string, times: PatienceTimes, signal: AbortSignal, say: SayFor) {
    this.#uri = uri
    this.#times = times
    this.#signal = signal
    this.#say = say
  }

  /** The store has answered. */
  end(): void {
    if (this.#attempt === 0) return
    this.#attempt = 0
    this.#say(this, undefined)
  }

  /** Returns when it is time to try again; raises the error when it will not pass, or has not for too long. */
  async after(error: unknown): Promise<void> {
    const now = performance.now()
    if (this.#attempt === 0) this.#since = now
    const failedMs = now - this.#since
    try {
      this.#signal.throwIfAborted()
      if (!(error instanceof TransientError)) throw error
      if (failedMs >= this.#times.limitMs) throw givenUp(error, failedMs)
      this.#attempt++
      const pauseMs = Math.min(backoffMs(this.#times, this.#attempt), this.#times.limitMs - failedMs)
      const inSeconds = Math.max(1, Math.round(pauseMs / 1_000))
      this.#say(this, `${this.#uri} does not answer (${error.code}): trying again in ${inSeconds} s`)
      await pause(pauseMs, { signal: this.#signal })
      this.#signal.throwIfAborted()
    } catch (final) {
      this.end()
      throw final
    }
  }
}

function givenUp(error: HeadlightError, failedMs: number): TransientError {
  const minutes = Math.max(1, Math.round(failedMs / 60_000))
  const message = `${error.message}; tried for ${minutes} minutes: start the same command again when the store answers`
  return new TransientError(error.code, message, { cause: error })
}
