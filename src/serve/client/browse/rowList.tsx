import type { ComponentChildren } from 'preact'
import { useEffect, useLayoutEffect, useState } from 'preact/hooks'
import { useScroll } from './useScroll.ts'

interface RowListProps {
  readonly count: number
  /** Least width of an item; null: one item a line. */
  readonly itemWidth: number | null
  /** Of a line, by the width that its items get, pixels. */
  readonly lineHeight: (itemWidth: number) => number
  /** Position of the first item in sight when it is first shown. */
  readonly at: number
  /** What is shown is another list: it begins at `at` again. */
  readonly listName: string
  readonly role: 'list' | 'table'
  readonly label: string
  readonly onSight: (first: number, last: number) => void
  readonly head?: ComponentChildren
  /** One item; `isActive`: it is the one that the tab key comes to. */
  readonly item: (position: number, isActive: boolean) => ComponentChildren
}

/** Lines beyond either edge that are there already. */
const marginLines = 2

/** A list of any length, of which what is in sight is in the document. Arrows, Page, Home and End go through it. */
export function RowList(props: RowListProps) {
  const { count, itemWidth, at, listName, role, label, onSight, item } = props
  const [{ columns, height }, setShape] = useState({ columns: 1, height: 100 })
  const scroll = useScroll(Math.ceil(count / columns) * height)
  const [active, setActive] = useState(at)
  const [isFocusWanted, setFocusWanted] = useState(false)

  useLayoutEffect(() => {
    if (scroll.width === 0) return
    const across = itemWidth === null ? 1 : Math.max(1, Math.floor(scroll.width / itemWidth))
    const tall = Math.ceil(props.lineHeight(scroll.width / across))
    if (across === columns && tall === height) return
    // The reader keeps the item that was first in sight.
    const first = Math.round(scroll.top / height) * columns
    setShape({ columns: across, height: tall })
    if (first > 0) scroll.goTo(Math.floor(first / across) * tall)
  }, [scroll.width, itemWidth])

  useLayoutEffect(() => {
    if (scroll.view === 0) return
    setActive(at)
    scroll.goTo(Math.floor(at / columns) * height)
  }, [listName, scroll.view === 0, height])

  const firstLine = Math.max(0, Math.floor(scroll.top / height) - marginLines)
  const lastLine = Math.min(
    Math.ceil(count / columns) - 1,
    Math.ceil((scroll.top + scroll.view) / height) + marginLines,
  )
  const firstInSight = Math.min(Math.max(0, count - 1), Math.ceil(scroll.top / height - 0.5) * columns)
  useEffect(() => {
    if (scroll.view > 0) onSight(firstInSight, Math.min(count - 1, (lastLine + 1) * columns - 1))
  }, [firstInSight, lastLine, count, columns, scroll.view])

  useEffect(() => {
    if (!isFocusWanted) return
    const link = scroll.element.current?.querySelector<HTMLElement>('[data-active] a, a[data-active]')
    if (link === null || link === undefined) return
    link.focus({ preventScroll: true })
    setFocusWanted(false)
  })

  const move = (to: number): void => {
    const target = Math.max(0, Math.min(count - 1, to))
    setActive(target)
    setFocusWanted(true)
    const lineTop = Math.floor(target / columns) * height
    if (lineTop < scroll.top) scroll.goTo(lineTop)
    else if (lineTop + height > scroll.top + scroll.view) scroll.goTo(lineTop + height - scroll.view)
  }
  const onKeyDown = (event: KeyboardEvent): void => {
    const page = Math.max(1, Math.floor(scroll.view / height)) * columns
    const steps: Readonly<Record<string, number>> = {
      ArrowDown: active + columns,
      ArrowUp: active - columns,
      ...(columns > 1 ? { ArrowRight: active + 1, ArrowLeft: active - 1 } : {}),
      PageDown: active + page,
      PageUp: active - page,
      Home: 0,
      End: count - 1,
    }
    const to = steps[event.key]
    if (to === undefined || event.altKey || event.ctrlKey || event.metaKey) return
    event.preventDefault()
    move(to)
  }

  const shown: number[] = []
  for (let position = firstLine * columns; position < Math.min(count, (lastLine + 1) * columns); position++)
    shown.push(position)
  return (
    <div
      class={`rows ${role}`}
      ref={scroll.element}
      onKeyDown={onKeyDown}
      role={role}
      aria-label={label}
      {...(role === 'table' ? { 'aria-rowcount': count + 1 } : {})}
    >
      {props.head}
      <div class="all" role="presentation" style={{ height: `${scroll.height}px` }}>
        {shown.map((position) => (
          <div
            key={position}
            class="item"
            {...(role === 'list'
              ? { role: 'listitem', 'aria-setsize': count, 'aria-posinset': position + 1 }
              : { role: 'row', 'aria-rowindex': position + 2 })}
            {...(position === active ? { 'data-active': '' } : {})}
            onFocusIn={() => setActive(position)}
            style={{
              top: `${scroll.placeOf(Math.floor(position / columns) * height)}px`,
              left: `${((position % columns) / columns) * 100}%`,
              width: `${100 / columns}%`,
              height: `${height}px`,
            }}
          >
            {item(position, position === active)}
          </div>
        ))}
      </div>
    </div>
  )
}
