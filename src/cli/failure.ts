import { HeadlightError, InputError } from '../base/errors.ts'
import { withPlaces } from '../storage/place.ts'

/** The reason of an AbortSignal that a signal to stop aborted. Its message says how to go on. */
export class Interrupted extends Error {
  constructor(advice: string) {
    super(`interrupted; ${advice}`)
    this.name = 'Interrupted'
  }
}

/** What a failed command says, and its exit code. */
interface Failure {
  readonly exitCode: 1 | 2 | 130
  /** For standard error, without the line break at its end. */
  readonly message: string
  /** For standard output, with `--json` only. */
  readonly json: { readonly error: { readonly code: string; readonly message: string } }
}

/**
 * InputError → 2, interrupted → 130, everything else → 1: a store or a Redis that fails midway is not what the user
 * typed. An error that headlight did not foresee shows its stack only on request.
 */
export function describeFailure(error: unknown, options: { debug: boolean }): Failure {
  if (error instanceof Interrupted) return failure(130, 'interrupted', error.message)
  const stack = options.debug ? `\n${error instanceof Error ? (error.stack ?? String(error)) : String(error)}` : ''
  if (error instanceof HeadlightError) {
    return failure(error instanceof InputError ? 2 : 1, error.code, error.message, stack)
  }
  const what = error instanceof Error ? `${error.name}: ${error.message.split('\n')[0] ?? ''}` : String(error)
  return failure(
    1,
    'unexpected',
    `this should not have happened (${what}); please report it with what --debug shows`,
    stack,
  )
}

function failure(exitCode: Failure['exitCode'], code: string, text: string, stack = ''): Failure {
  // What is said about a URI itself shows it as it is, or as it is to be.
  const message = code === 'bad-uri' ? text : withPlaces(text)
  return { exitCode, message: `headlight: ${message}${stack}`, json: { error: { code, message } } }
}
