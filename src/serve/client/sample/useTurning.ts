import { useEffect, useRef } from 'preact/hooks'
import { Turning, type Around } from './turning.ts'

/**
 * The arrow keys turn to the image before and after, unless they move something that has the focus.
 *
 * @param around what is around the image; null: it is still on its way; undefined: there is nothing
 */
export function useTurning(image: string, around: Around | null | undefined, go: (key: string) => void): void {
  const latest = useRef(go)
  latest.current = go
  const turning = useRef<Turning | null>(null)
  turning.current ??= new Turning((key) => latest.current(key))
  const { current } = turning
  useEffect(() => {
    if (around === undefined) current.stop()
    current.shows(image, around ?? null)
  }, [image, around === undefined, around?.previous, around?.next])
  useEffect(() => {
    const onKey = (event: KeyboardEvent): void => {
      const target = event.target instanceof Element ? event.target : null
      if (target !== null && target.closest('input, select, textarea') !== null) return
      if (event.altKey || event.ctrlKey || event.metaKey || event.shiftKey) return
      if (event.key !== 'ArrowLeft' && event.key !== 'ArrowRight') return
      event.preventDefault()
      current.press(event.key === 'ArrowLeft' ? 'previous' : 'next', event.repeat)
    }
    addEventListener('keydown', onKey)
    return () => removeEventListener('keydown', onKey)
  }, [])
}
