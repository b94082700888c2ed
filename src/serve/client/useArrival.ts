import type { RefObject } from 'preact'
import { useEffect, useLayoutEffect, useRef } from 'preact/hooks'
import { keep, type Place } from './navigation.ts'

/** Nothing was scrolled for so long: the place is worth keeping. Browsers refuse to note it at each step. */
const restMs = 250
/** By these a reader takes over what would else be scrolled and focused for them. */
const readerActs = ['wheel', 'touchstart', 'pointerdown', 'keydown'] as const

/**
 * Puts eyes and focus where a loaded page would. By a link: at the heading. By Back and Forward, and after a reload: where
 * the page was left, and on the link by which it was left, as soon as both are there again.
 */
export function useArrival(main: RefObject<HTMLElement | null>, { path, arrival }: Place): void {
  const before = useRef(path)
  const comingBack = useRef<ComingBack | null>(null)
  useLayoutEffect(() => {
    const isOther = before.current !== path
    before.current = path
    const { by, scrollY: top, opened } = arrival
    const shown = main.current
    if (shown === null || by === 'inside') return
    comingBack.current?.end()
    if (by === 'link') scrollTo({ top: 0, behavior: 'instant' })
    if (by === 'link' || isOther) shown.querySelector<HTMLElement>('h1')?.focus({ preventScroll: true })
    if (by === 'link' || (top === null && opened === null)) return
    comingBack.current = comeBack(shown, top, opened)
  }, [arrival])

  useEffect(() => {
    history.scrollRestoration = 'manual'
    let rest: ReturnType<typeof setTimeout> | undefined
    const drop = () => clearTimeout(rest)
    const onScroll = (): void => {
      drop()
      rest = setTimeout(() => {
        // What is loading is too short to be scrolled as far as it was.
        if (comingBack.current?.isGoingOn() !== true) keep({ scrollY })
      }, restMs)
    }
    addEventListener('scroll', onScroll, { passive: true })
    // Another entry's from here on.
    addEventListener('popstate', drop)
    return () => {
      drop()
      removeEventListener('scroll', onScroll)
      removeEventListener('popstate', drop)
    }
  }, [])
}

interface ComingBack {
  readonly end: () => void
  readonly isGoingOn: () => boolean
}

/** Goes on while parts of the screen come one by one, until all are there or the reader does anything. */
function comeBack(main: HTMLElement, top: number | null, opened: string | null): ComingBack {
  let isGoingOn = true
  let isFocused = opened === null
  const act = (): void => {
    if (top !== null) scrollTo({ top, behavior: 'instant' })
    if (!isFocused) {
      const link = [...main.querySelectorAll('a')].find((each) => each.getAttribute('href') === opened)
      const { activeElement } = document
      isFocused = link !== undefined
      // A reader who has gone on meanwhile stays there.
      if (activeElement === document.body || activeElement?.tagName === 'H1') link?.focus({ preventScroll: true })
    }
    const isThere = top === null || Math.abs(scrollY - top) < 1
    if (isThere && isFocused && main.querySelector('.waiting') === null) end()
  }
  const changes = new MutationObserver(act)
  const sizes = new ResizeObserver(act)
  const end = (): void => {
    changes.disconnect()
    sizes.disconnect()
    for (const name of readerActs) removeEventListener(name, end, true)
    isGoingOn = false
  }
  for (const name of readerActs) addEventListener(name, end, true)
  changes.observe(main, { childList: true, subtree: true })
  sizes.observe(main)
  act()
  return { end, isGoingOn: () => isGoingOn }
}
