import { useEffect, useState } from 'preact/hooks'
import type { Refusal, Waiting } from '../wire.ts'
import { ask, problemOf } from './ask.ts'

/** How far a question has got. While a new one is on its way the last answer stays, so that the page does not flicker. */
export interface Asked<Reply> {
  readonly reply: Reply | null
  /** `reply` is still that to the question before. */
  readonly isStale: boolean
  readonly waiting: Waiting['waiting'] | null
  readonly refusal: Refusal['error'] | null
}

/** Before anything is known. */
export const notAsked = { reply: null, isStale: false, waiting: null, refusal: null } as const

/** The answer to a question that may change; `address` null asks nothing. */
export function useReply<Reply>(address: string | null): Asked<Reply> {
  const [{ question, ...asked }, setAsked] = useState<Asked<Reply> & { question: string | null }>({
    ...notAsked,
    question: null,
  })
  useEffect(() => {
    const say = (change: Partial<Asked<Reply>>) =>
      setAsked(({ reply }) => ({ ...notAsked, reply, question: address, ...change }))
    if (address === null) return say({ reply: null })
    const abort = new AbortController()
    say({ isStale: true })
    ask<Reply>(address, abort.signal, (waiting) => say({ isStale: true, waiting }))
      .then((reply) => say({ reply }))
      .catch((error: unknown) => {
        if (!abort.signal.aborted) say({ reply: null, refusal: problemOf(error) })
      })
    return () => abort.abort()
  }, [address])
  // Between a new question and the first word of it, what was said of the one before is not to be taken for this one's.
  return question === address ? asked : { ...notAsked, reply: address === null ? null : asked.reply, isStale: true }
}
