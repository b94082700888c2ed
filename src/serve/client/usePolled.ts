import { useEffect, useState } from 'preact/hooks'
import { ask, problemOf } from './ask.ts'
import { notAsked, type Asked } from './useReply.ts'

/**
 * Asks for an address again and again while the page is visible, one question at a time. After a refusal the last answer
 * stays, and it goes on; the refusal is shown until the next answer.
 */
export function usePolled<Reply>(address: string, everyMs: number): Asked<Reply> {
  const [asked, setAsked] = useState<Asked<Reply>>(notAsked)
  useEffect(() => {
    const abort = new AbortController()
    let timer: ReturnType<typeof setTimeout> | undefined
    let isLooking = false
    const look = async () => {
      clearTimeout(timer)
      // One that is repeated because the store is busy takes longer than the time between two looks.
      if (isLooking) return
      isLooking = true
      try {
        const reply = await ask<Reply>(address, abort.signal, (waiting) =>
          setAsked(({ reply, refusal }) => ({
            reply,
            isStale: reply !== null,
            waiting: refusal === null ? waiting : null,
            refusal,
          })),
        )
        setAsked({ ...notAsked, reply })
      } catch (error) {
        if (abort.signal.aborted) return
        setAsked(({ reply }) => ({ reply, isStale: reply !== null, waiting: null, refusal: problemOf(error) }))
      } finally {
        isLooking = false
      }
      schedule()
    }
    const schedule = () => {
      // Nobody sees a hidden page: it begins again when it is shown.
      if (!abort.signal.aborted && document.visibilityState === 'visible')
        timer = setTimeout(() => void look(), everyMs)
    }
    const shown = () => {
      if (document.visibilityState === 'visible') void look()
      else clearTimeout(timer)
    }
    document.addEventListener('visibilitychange', shown)
    void look()
    return () => {
      abort.abort()
      clearTimeout(timer)
      document.removeEventListener('visibilitychange', shown)
    }
  }, [address, everyMs])
  return asked
}
