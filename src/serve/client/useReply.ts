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

const nothing = { reply: null, isStale: false, waiting: null, refusal: null }

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
