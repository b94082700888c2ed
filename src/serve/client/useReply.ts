import { useEffect, useState } from 'preact/hooks'
import type { Refusal, Waiting } from '../wire.ts'
import { href } from './navigation.ts'

/** How far a question has got. While a new one is on its way the last answer stays, so that the page does not flicker. */
export interface Asked<Reply> {
  readonly reply: Reply | null
  /** `reply` is still that to the question before. */
  readonly isStale: boolean
  readonly waiting: Waiting['waiting'] | null
  readonly refusal: Refusal['error'] | null
}

const nothing = { reply: null, isStale: false, waiting: null, refusal: null }
/** Between two looks at an answer that takes a while. */
const lookMs = 300

/** Raised when the server refuses; `message` is its sentence. */
class RefusedError extends Error {
  readonly code: string

  constructor({ code, message }: Refusal['error']) {
    super(message)
    this.code = code
  }
}

/** Asks for an address of the API below the base path, again and again while the server says that it takes a while. */
export async function ask<Reply>(
  address: string,
  signal: AbortSignal,
  onWaiting: (waiting: Waiting['waiting']) => void = () => undefined,
  read: (response: Response) => Promise<Reply> = async (response) => (await response.json()) as Reply,
): Promise<Reply> {
  for (;;) {
    const response = await fetch(href(address), { signal, headers: { accept: 'application/json' } })
    if (response.status === 202) {
      onWaiting(((await response.json()) as Waiting).waiting)
      await new Promise((resolve) => setTimeout(resolve, lookMs))
      signal.throwIfAborted()
      continue
    }
    if (response.ok) return read(response)
    throw new RefusedError(await refusalOf(response))
  }
}

/** The answer to a question that may change; `address` null asks nothing. */
export function useReply<Reply>(address: string | null): Asked<Reply> {
  const [asked, setAsked] = useState<Asked<Reply>>(nothing)
  useEffect(() => {
    if (address === null) return setAsked(nothing)
    const abort = new AbortController()
    setAsked(({ reply }) => ({ ...nothing, reply, isStale: true }))
    ask<Reply>(address, abort.signal, (waiting) =>
      setAsked(({ reply }) => ({ ...nothing, reply, isStale: true, waiting })),
    )
      .then((reply) => setAsked({ ...nothing, reply }))
      .catch((error: unknown) => {
        if (abort.signal.aborted) return
        setAsked({ ...nothing, refusal: problemOf(error) })
      })
    return () => abort.abort()
  }, [address])
  return asked
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
