import { backoffMs, pause, type Backoff } from '../base/backoff.ts'
import { InputError, PlaceError, TransientError, type ErrorCode, type HeadlightError } from '../base/errors.ts'

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

/**
 * An InputError turned into the PlaceError that it means for a worker; anything else unchanged. An InputError that stays
 * one is about the run's own files, and no other place would fare better.
 */
export function asPlaceFault(error: unknown): unknown {
  const code = error instanceof InputError ? placeCodes[error.code] : undefined
  return error instanceof InputError && code !== undefined
    ? new PlaceError(code, error.message, { cause: error })
    : error
}

const placeCodes: { readonly [Code in ErrorCode]?: ErrorCode } = {
  'access-denied': 'access-denied',
  'no-such-bucket': 'store-gone',
  unreachable: 'store-gone',
  'bad-engine': 'engine-wrong',
}

/** Whether an error, as `asPlaceFault` gives it, is the run's own: of its files, not of this place. */
export function isFaultOfRun(error: unknown): error is HeadlightError {
  return error instanceof InputError || (error instanceof PlaceError && error.code === 'network-mismatch')
}
