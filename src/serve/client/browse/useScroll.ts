import type { RefObject } from 'preact'
import { useEffect, useLayoutEffect, useRef, useState } from 'preact/hooks'
import { contentTopAt, movedTo, scrolledHeight, scrollTopAt } from './scrollMapping.ts'

export interface Scroll {
  /** The element that scrolls. */
  readonly element: RefObject<HTMLDivElement | null>
  /** Where the list stands, and how much of it is in sight, pixels. */
  readonly top: number
  readonly view: number
  readonly width: number
  /** What the scrolled element is tall. */
  readonly height: number
  /** From a place in the list to one in the scrolled element. */
  readonly placeOf: (contentTop: number) => number
  readonly goTo: (contentTop: number) => void
}

/** Nothing moved for so long: the scroll bar can be set right without being in a finger's way. */
const restMs = 150

/** A list of `content` pixels in an element that scrolls, which may be shorter than the list. */
export function useScroll(content: number): Scroll {
  const element = useRef<HTMLDivElement | null>(null)
  const [size, setSize] = useState({ view: 0, width: 0 })
  const [top, setTop] = useState(0)
  const bar = useRef(0)
  const extent = { content, view: size.view }

  useLayoutEffect(() => {
    const found = element.current
    if (found === null) return
    const measure = () => setSize({ view: found.clientHeight, width: found.clientWidth })
    measure()
    const observer = new ResizeObserver(measure)
    observer.observe(found)
    return () => observer.disconnect()
  }, [])

  const setBar = (scrollTop: number): void => {
    const found = element.current
    if (found === null) return
    found.scrollTop = scrollTop
    // As the browser has rounded and bounded it, so that the event to come moves nothing.
    bar.current = found.scrollTop
  }

  useEffect(() => {
    const found = element.current
    if (found === null) return
    let rest: ReturnType<typeof setTimeout> | undefined
    const onScroll = (): void => {
      const before = bar.current
      const after = found.scrollTop
      if (after === before) return
      bar.current = after
      setTop((current) => movedTo(current, before, after, extent))
      clearTimeout(rest)
      rest = setTimeout(() => setTop((current) => (setBar(scrollTopAt(current, extent)), current)), restMs)
    }
    found.addEventListener('scroll', onScroll, { passive: true })
    return () => {
      clearTimeout(rest)
      found.removeEventListener('scroll', onScroll)
    }
  }, [content, size.view])

  return {
    element,
    top,
    ...size,
    height: scrolledHeight(extent),
    placeOf: (contentTop) => bar.current + contentTop - top,
    goTo: (contentTop) => {
      const bounded = contentTopAt(scrollTopAt(contentTop, extent), extent)
      setTop(bounded)
      setBar(scrollTopAt(bounded, extent))
    },
  }
}
