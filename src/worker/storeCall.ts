import { backoffMs, pause, type Backoff } from '../base/backoff.ts'
import { InputError, PlaceError, TransientError } from '../base/errors.ts'

export interface RetryPolicy extends Backoff {
  /** Calls in all, the first included. Minimum 1. */
  readonly attempts: number
}

/** Comes on top of the store driver's own short retries: rides out some fifteen seconds of a store that is busy. */
export const storeRetries: RetryPolicy = { attempts: 6, firstMs: 500, longestMs: 8_000 }

export interface StoreCall {
  readonly retries: RetryPolicy
  readonly signal: AbortSignal
  /** Told of each failure that is followed by another attempt. */
  readonly onRetry: (error: TransientError) => void
  /** Told when a call begins (1) and when it is over, its repetitions included (−1). */
  readonly onPending: (change: 1 | -1) => void
}

/**
 * Calls the store until it raises no TransientError, at most `attempts` times, with growing pauses. An abort ends a pause
 * at once. What would be the user's fault at a command line (no bucket, no access) is the place's fault here: the run
 * was started by someone for whom it worked.
 */
export async function callStore<T>(call: StoreCall, action: () => Promise<T>): Promise<T> {
  call.onPending(1)
  try {
    return await repeated(call, action)
  } finally {
    call.onPending(-1)
  }
}

async function repeated<T>(call: StoreCall, action: () => Promise<T>): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    call.signal.throwIfAborted()
    try {
      return await action()
    } catch (error) {
      call.signal.throwIfAborted()
      if (!(error instanceof TransientError) || attempt >= call.retries.attempts) throw asPlaceFault(error)
      call.onRetry(error)
      await pause(backoffMs(call.retries, attempt), { signal: call.signal })
    }
  }
}

/** An InputError turned into the PlaceError that it means for a worker; anything else unchanged. */
export function asPlaceFault(error: unknown): unknown {
  if (!(error instanceof InputError)) return error
  const code =
    error.code === 'access-denied' ? 'credentials-expired' : storeCodes.has(error.code) ? 'store-gone' : undefined
  return new PlaceError(code ?? 'engine-wrong', error.message, { cause: error })
}

const storeCodes: ReadonlySet<string> = new Set(['no-such-bucket', 'unreachable', 'bad-uri', 'bad-layout'])
