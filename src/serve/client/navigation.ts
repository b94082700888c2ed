import { useEffect, useState } from 'preact/hooks'

/** Where the reader is: the address below the base path. */
export interface Place {
  readonly path: string
  readonly parameters: URLSearchParams
  /** Another number when the reader has asked for the same address once more, as to see what is new. */
  readonly visit: number
  /**
   * The run whose table was shown here, where the address says only "the state": Back leads to the rows that the reader has
   * seen, while whoever is sent the address gets the state of then.
   */
  readonly shownRun: string | null
}

/** `/headlight` behind a proxy that serves it there; else empty. The server writes it into the page. */
const base = document.querySelector('meta[name="base-path"]')?.getAttribute('content') ?? ''

/** What an `href` or `src` says for an address below the base path. */
export function href(address: string): string {
  return `${base}${address}`
}

function placeNow(): Place {
  const { pathname, search } = location
  const { shownRun = null } = (history.state ?? {}) as Kept
  return { path: pathname.slice(base.length) || '/', parameters: new URLSearchParams(search), visit, shownRun }
}

const moved = new EventTarget()
let visit = 0

/** What an entry of the browser's history keeps besides its address. */
interface Kept {
  readonly shownRun?: string | null
}

interface NavigateOptions extends Kept {
  /** Back does not come here again, as while a reader types. */
  readonly replace?: boolean
}

/** Goes to an address below the base path. */
export function navigate(address: string, { replace = false, shownRun = null }: NavigateOptions = {}): void {
  const isSame = href(address) === `${location.pathname}${location.search}`
  if (isSame && !replace) visit++
  const kept: Kept = { shownRun }
  if (replace || isSame) history.replaceState(kept, '', href(address))
  else history.pushState(kept, '', href(address))
  moved.dispatchEvent(new Event('moved'))
}

/** Links within the app change the place without loading a page. Those of any part do, made by whom they may be. */
export function followLinks(): void {
  document.addEventListener('click', (event) => {
    if (event.defaultPrevented || event.button !== 0) return
    if (event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return
    const link = event.target instanceof Element ? event.target.closest('a') : null
    if (link === null || link.target !== '' || link.hasAttribute('download')) return
    const url = new URL(link.href, location.href)
    const isHere = url.origin === location.origin && url.pathname.startsWith(`${base}/`)
    if (!isHere || url.pathname.startsWith(`${base}/api/`) || (url.hash !== '' && url.pathname === location.pathname))
      return
    event.preventDefault()
    navigate(`${url.pathname.slice(base.length)}${url.search}`)
  })
}

/** The place, and again whenever it changes. */
export function usePlace(): Place {
  const [place, setPlace] = useState(placeNow)
  useEffect(() => {
    const update = () => setPlace(placeNow())
    moved.addEventListener('moved', update)
    addEventListener('popstate', update)
    return () => {
      moved.removeEventListener('moved', update)
      removeEventListener('popstate', update)
    }
  }, [])
  return place
}
