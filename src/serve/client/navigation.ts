import { useEffect, useState } from 'preact/hooks'

/** Where the reader is: the address below the base path. */
export interface Place {
  readonly path: string
  readonly parameters: URLSearchParams
  /** Another number when the reader has asked for the same address once more by a link, as to see what is new. */
  readonly visit: number
  /**
   * The run whose table was shown here, where the address says only "the state": Back leads to the rows that the reader has
   * seen, while whoever is sent the address gets the state of then.
   */
  readonly shownRun: string | null
  readonly arrival: Arrival
}

/** How the reader has come to a place, and what of it was left in the browser's history; another object each time. */
export interface Arrival {
  /** `inside`: by something of the screen that stays where it is, as a choice or the next image. */
  readonly by: 'link' | 'history' | 'inside'
  /** How far the page was scrolled when it was left, pixels; null: not known. */
  readonly scrollY: number | null
  /** `href` of the link by which it was left. */
  readonly opened: string | null
}

/** `/headlight` behind a proxy that serves it there; else empty. The server writes it into the page. */
const base = document.querySelector('meta[name="base-path"]')?.getAttribute('content') ?? ''

/** What an `href` or `src` says for an address below the base path. */
export function href(address: string): string {
  return `${base}${address}`
}

/** What an entry of the browser's history keeps besides its address. */
interface Kept {
  readonly shownRun?: string | null
  readonly scrollY?: number
  readonly opened?: string | null
}

function placeNow(by: Arrival['by']): Place {
  const { pathname, search } = location
  const { shownRun = null, scrollY = null, opened = null } = kept()
  const path = pathname.slice(base.length) || '/'
  return { path, parameters: new URLSearchParams(search), visit, shownRun, arrival: { by, scrollY, opened } }
}

const kept = (): Kept => (history.state ?? {}) as Kept

/** Adds to what the entry of the browser's history keeps that is shown now. */
export function keep(more: Kept): void {
  history.replaceState({ ...kept(), ...more }, '')
}

const moves = new EventTarget()
let visit = 0

interface NavigateOptions {
  /** Back does not come here again, as while a reader types. */
  readonly replace?: boolean
  readonly shownRun?: string | null
}

/** Goes to an address below the base path, on behalf of a screen that stays where it is. */
export function navigate(address: string, { replace = false, shownRun = null }: NavigateOptions = {}): void {
  const isSame = href(address) === `${location.pathname}${location.search}`
  if (!replace && !isSame) leave(null)
  if (replace || isSame) history.replaceState({ ...kept(), shownRun }, '', href(address))
  else history.pushState({ shownRun }, '', href(address))
  tell('inside')
}

function follow(link: HTMLAnchorElement, address: string): void {
  const isInside = link.hasAttribute('data-inside')
  if (href(address) === `${location.pathname}${location.search}`) {
    visit++
    history.replaceState({}, '')
  } else {
    leave(isInside ? null : link.getAttribute('href'))
    history.pushState({}, '', href(address))
  }
  tell(isInside ? 'inside' : 'link')
}

function leave(opened: string | null): void {
  keep({ scrollY, opened })
}

function tell(by: Arrival['by']): void {
  moves.dispatchEvent(new CustomEvent('moved', { detail: by }))
}

/**
 * Links within the app change the place without loading a page. Those of any part do, made by whom they may be; those with
 * `data-inside` leave the page and the focus where they are.
 */
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
    follow(link, `${url.pathname.slice(base.length)}${url.search}`)
  })
}

/** The place, and again whenever it changes. */
export function usePlace(): Place {
  const [place, setPlace] = useState(() => placeNow('history'))
  useEffect(() => {
    const onMove = (event: Event) => setPlace(placeNow((event as CustomEvent<Arrival['by']>).detail))
    const onHistory = () => setPlace(placeNow('history'))
    moves.addEventListener('moved', onMove)
    addEventListener('popstate', onHistory)
    return () => {
      moves.removeEventListener('moved', onMove)
      removeEventListener('popstate', onHistory)
    }
  }, [])
  return place
}
