import { useEffect, useRef, useState } from 'preact/hooks'
import { Semaphore } from '../../../base/semaphore.ts'
import { ask, problemOf } from '../ask.ts'
import { notAsked, type Asked } from '../useReply.ts'

/**
 * Of all pictures of the page that could not be had so many are asked for at the same time: a store that is busy is not
 * asked for a whole page of them again and again, and the page's other questions find a free connection.
 */
const turns = new Semaphore(2)
/** How often a picture that came is shown once more: what it is in the browser's eyes then is no matter of the server's. */
const mostShows = 3

type Broken = Asked<never> & { readonly address: string }

interface PictureAgain {
  /** What is to be said in the picture's place; null: it is to be shown. */
  readonly broken: Asked<never> | null
  /** Of the element that shows the picture. */
  readonly onError: () => void
}

/**
 * Asks once more for a picture that could not be shown. An image element does not tell what its answer said, and it may be
 * had in a moment: a table that is still being read, a store that is busy. It lies in the browser's cache then.
 *
 * @param address below the base path
 */
export function usePictureAgain(address: string): PictureAgain {
  const [state, setState] = useState<Broken | null>(null)
  const shows = useRef({ address, count: 0 })
  const broken = state?.address === address ? state : null
  const isAsked = broken !== null
  useEffect(() => {
    if (!isAsked) return
    const abort = new AbortController()
    const say = (change: Partial<Broken>) => setState({ ...unknown(address), ...change })
    turns
      .use(1, async () => {
        // The reader may have scrolled on while it was not its turn.
        abort.signal.throwIfAborted()
        await ask<unknown>(
          address,
          abort.signal,
          (waiting) => say({ waiting }),
          (response) => response.blob(),
        )
      })
      .then(() => {
        if (abort.signal.aborted) return
        if (shows.current.address !== address) shows.current = { address, count: 0 }
        if (shows.current.count++ < mostShows) setState(null)
        else say({ refusal: { code: 'no-answer', message: 'the browser cannot show what the server sends' } })
      })
      .catch((error: unknown) => {
        if (!abort.signal.aborted) say({ refusal: problemOf(error) })
      })
    return () => abort.abort()
  }, [isAsked, address])
  return { broken, onError: () => setState(unknown(address)) }
}

function unknown(address: string): Broken {
  return { ...notAsked, address }
}
