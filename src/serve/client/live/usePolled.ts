import { useEffect, useState } from 'preact/hooks'
import { ask, problemOf, type Asked } from '../useReply.ts'

/** Asks for an address again and again while the page is visible. After a refusal the last answer stays, and it goes on. */
export function usePolled<Reply>(address: string, everyMs: number): Asked<Reply> {
  const [asked, setAsked] = useState<Asked<Reply>>({ reply: null, isStale: false, waiting: null, refusal: null })
  useEffect(() => {
    const abort = new AbortController()
    let timer: ReturnType<typeof setTimeout> | undefined
    const look = async () => {
      try {
        const reply = await ask<Reply>(address, abort.signal)
        setAsked({ reply, isStale: false, waiting: null, refusal: null })
      } catch (error) {
        if (abort.signal.aborted) return
        setAsked(({ reply }) => ({ reply, isStale: reply !== null, waiting: null, refusal: problemOf(error) }))
      }
      schedule()
    }
    const schedule = () => {
      clearTimeout(timer)
      // Nobody sees a hidden page: it begins again when it is shown.
      if (!abort.signal.aborted && document.visibilityState === 'visible')
        timer = setTimeout(() => void look(), everyMs)
    }
    const shown = () => {
      if (document.visibilityState !== 'visible') return clearTimeout(timer)
      clearTimeout(timer)
      void look()
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
