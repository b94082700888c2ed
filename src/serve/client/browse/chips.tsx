import { useEffect, useRef, useState } from 'preact/hooks'
import type { Selection } from '../../selection.ts'
import { chosenParts, cleared } from './chosenParts.ts'

interface ChipsProps {
  readonly selection: Selection
  readonly onSelection: (selection: Selection) => void
}

/** What is chosen, each part with a button that takes it back. */
export function Chips({ selection, onSelection }: ChipsProps) {
  const parts = chosenParts(selection)
  const list = useRef<HTMLUListElement>(null)
  const [removed, setRemoved] = useState<number | null>(null)
  useEffect(() => {
    if (removed === null) return
    setRemoved(null)
    // The button that was pressed is gone; a browser would send its keyboard's user to the top of the page.
    const buttons = list.current?.querySelectorAll('button')
    const next = buttons?.[Math.min(removed, buttons.length - 1)] ?? document.querySelector<HTMLElement>('h1')
    next?.focus()
  }, [removed])
  if (parts.length === 0) return null
  const remove = (at: number, next: Selection): void => {
    onSelection(next)
    setRemoved(at)
  }
  return (
    <ul class="chips" aria-label="filters" ref={list}>
      {parts.map(({ text, without }, at) => (
        <li key={text}>
          <button type="button" onClick={() => remove(at, without)} aria-label={`remove filter: ${text}`}>
            <bdi>{text}</bdi> <span aria-hidden="true">×</span>
          </button>
        </li>
      ))}
      <li>
        <button type="button" class="clear" onClick={() => remove(0, cleared(selection))}>
          clear all
        </button>
      </li>
    </ul>
  )
}
