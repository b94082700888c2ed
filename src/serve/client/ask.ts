import { backoffMs, pause, type Backoff } from '../../base/backoff.ts'
import type { Refusal, Waiting } from '../wire.ts'
import { href } from './navigation.ts'

/** Between two looks at an answer that takes a while. */
const lookMs = 300
/** How often all in all, before the reader hears of a store that fails: within some 20 s. */
const mostTries = 5
/** What is waited on top of what the server says: a store that stays busy is asked less and less often. */
const repeating: Backoff = { firstMs: 1_000, longestMs: 8_000 }
/** Nobody sits before a page for longer: the reader is told at once. */
const longestRetryAfterS = 30
const asksAgain = { text: 'the store does not answer at the moment; asking again', done: 0, total: 0 }

/** Raised when the server refuses; `message` is its sentence. */
class RefusedError extends Error {
  readonly code: string

  constructor({ code, message }: Refusal['error']) {
    super(message)
    this.code = code
  }
}

/**
 * Asks for an address of the API below the base path: again and again while the server says that it takes a while, and a
 * few times more when it says that it may answer in a moment (503 with `retry-after`, as while a store is busy). Rejects
 * with the signal's reason as soon as it is aborted, and then calls nothing any more.
 */
export async function ask<Reply>(
  address: string,
  signal: AbortSignal,
  onWaiting: (waiting: Waiting['waiting']) => void = () => undefined,
  read: (response: Response) => Promise<Reply> = async (response) => (await response.json()) as Reply,
): Promise<Reply> {
  const waited = async (waiting: Waiting['waiting'], ms: number): Promise<void> => {
    signal.throwIfAborted()
    onWaiting(waiting)
    await pause(ms, { signal })
    signal.throwIfAborted()
  }
  for (let tries = 1; ;) {
    const response = await fetch(href(address), { signal, headers: { accept: 'application/json' } })
    if (response.status === 202) {
      await waited(((await response.json()) as Waiting).waiting, lookMs)
      continue
    }
    if (response.ok) {
      const reply = await read(response)
      signal.throwIfAborted()
      return reply
    }
    const refusal = await refusalOf(response)
    const afterMs = retryAfterMs(response)
    // An answer that begins to take a while and then fails has been a try, too, or it would begin for ever.
    if (afterMs === null || tries === mostTries) throw new RefusedError(refusal)
    await waited(asksAgain, afterMs + backoffMs(repeating, tries++))
  }
}

/** Null: asking again would not help, or not soon. */
function retryAfterMs({ status, headers }: Response): number | null {
  const after = headers.get('retry-after')
  const seconds = status === 503 && after !== null ? Number(after) : NaN
  return seconds >= 0 && seconds <= longestRetryAfterS ? seconds * 1_000 : null
}

async function refusalOf(response: Response): Promise<Refusal['error']> {
  try {
    return ((await response.json()) as Refusal).error
  } catch {
    return { code: 'no-answer', message: `the server answered ${response.status}` }
  }
}

/** Why there is no answer, as a sentence. */
export function problemOf(error: unknown): Refusal['error'] {
  if (error instanceof RefusedError) return { code: error.code, message: error.message }
  return { code: 'no-answer', message: 'headlight serve does not answer; is it still running?' }
}
