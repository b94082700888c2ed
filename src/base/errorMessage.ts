import { InputError, PlaceError, SampleError, TransientError, type ErrorCode, type HeadlightError } from './errors.ts'

const classes = { InputError, SampleError, TransientError, PlaceError }

/** An error as it travels between processes and threads, which keep no classes. */
export interface ErrorMessage {
  readonly kind: keyof typeof classes | 'bug'
  readonly code: ErrorCode | null
  readonly message: string
  readonly stack: string
}

export function toErrorMessage(error: unknown): ErrorMessage {
  const { message, stack = '' } = error instanceof Error ? error : new Error(String(error))
  for (const kind of ['InputError', 'SampleError', 'TransientError', 'PlaceError'] as const)
    if (error instanceof classes[kind]) return { kind, code: error.code, message, stack }
  return { kind: 'bug', code: null, message, stack }
}

export function fromErrorMessage({ kind, code, message, stack }: ErrorMessage): HeadlightError | Error {
  if (kind !== 'bug' && code !== null) return new classes[kind](code, message)
  const bug = new Error(message)
  // Where it was thrown is what helps, not where it was received.
  bug.stack = stack
  return bug
}
