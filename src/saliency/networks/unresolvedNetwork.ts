import { InputError } from '../../base/errors.ts'
import type { Architecture } from './family.ts'

/** What can be told of a network that was read. */
export interface NetworkFacts {
  readonly file: string
  /** Plain data. */
  readonly architecture: Architecture
  /** The same for people: lines of `network inspect`. */
  readonly facts: readonly (readonly [name: string, text: string])[]
}

/**
 * An InputError about a file that was read all the same: no head could be made of it, for want of a description perhaps,
 * which nobody can write without knowing what is in the file. `network inspect` shows that beside the error.
 */
class UnresolvedNetwork extends InputError {
  readonly found: NetworkFacts

  constructor(error: InputError, found: NetworkFacts) {
    super(error.code, error.message, { cause: error })
    // People and logs are told the class by its consequence.
    this.name = error.name
    this.found = found
  }
}

/** What an error, or one that it was made of, tells of a network. */
export function networkFactsIn(error: unknown): NetworkFacts | undefined {
  for (let at = error; at instanceof Error; at = at.cause) if (at instanceof UnresolvedNetwork) return at.found
  return undefined
}

/** Does something with a network that was read; an InputError then tells what is in it. */
export function withNetworkFacts<T>(found: NetworkFacts, perform: () => T): T {
  try {
    return perform()
  } catch (error) {
    throw error instanceof InputError && !(error instanceof UnresolvedNetwork)
      ? new UnresolvedNetwork(error, found)
      : error
  }
}
