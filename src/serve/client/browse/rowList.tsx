import type { ComponentChildren, RefObject } from 'preact'
import { useEffect, useLayoutEffect, useRef, useState } from 'preact/hooks'
import { useScroll } from './useScroll.ts'

interface RowListProps {
  readonly count: number
  /** Least width of an item; null: one item a line. */
  readonly itemWidth: number | null
  /** An item that is as tall as any, which says how tall a line is. */
  readonly model: ComponentChildren
  /** Position of the first item in sight when it is first shown. */
  readonly at: number
  /** What is shown is another list: it begins at `at` again. */
  readonly listName: string
  readonly role: 'list' | 'table'
  readonly label: string
  readonly onSight: (first: number, last: number) => void
  readonly head?: ComponentChildren
  /** Of the head above the items, pixels. */
  readonly headHeight?: number
  /** One item; `isActive`: it is the one that the tab key comes to. */
  readonly item: (position: number, isActive: boolean) => ComponentChildren
}

/** Lines beyond either edge that are there already. */
const marginLines = 2

/** A list of any length, of which what is in sight is in the document. Arrows, Page, Home and End go through it. */
export function RowList(props: RowListProps) {
  const { count, itemWidth, model, at, listName, role, label, onSight, head, headHeight = 0, item } = props
  const [width, setWidth] = useState(0)
  const columns = itemWidth === null ? 1 : Math.max(1, Math.floor(width / itemWidth))
  const [measured, modelHeight] = useHeight(width)
  const height = Math.max(1, modelHeight)
  const lines = Math.ceil(count / columns)
  const scroll = useScroll(headHeight + lines * height)
  const isMeasured = width > 0 && width === scroll.width && scroll.view > 0 && modelHeight > 0
  /** What of the element shows items. */
  const view = Math.max(height, scroll.view - headHeight)
  const firstInSight = Math.min(Math.max(0, count - 1), Math.round(scroll.top / height) * columns)
  const firstLine = Math.max(0, Math.floor(scroll.top / height) - marginLines)
  const lastLine = Math.min(lines - 1, Math.ceil((scroll.top + view) / height) + marginLines)
  const [firstShown, lastShown] = [firstLine * columns, Math.min(count, (lastLine + 1) * columns) - 1]

  const [isFocusWanted, setFocusWanted] = useState(false)
  const hasFocus = useRef(false)

  /** The list and the shape in which it has been brought to its first item, which is kept while the reader scrolls. */
  const [placed, setPlaced] = useState({ listName: '', shape: '' })
  const kept = useRef(0)
  const shape = `${columns} ${height}`
  const isPlaced = placed.listName === listName && placed.shape === shape
  useLayoutEffect(() => setWidth(scroll.width), [scroll.width])
  useLayoutEffect(() => {
    if (!isMeasured || isPlaced) return
    // In another shape the reader keeps the item that was first in sight, and the one that has the focus.
    const isSame = placed.listName === listName
    const first = isSame ? kept.current : Math.min(at, Math.max(0, count - 1))
    setPlaced({ listName, shape })
    if (!isSame) setActive(first)
    else if (hasFocus.current) setFocusWanted(true)
    scroll.goTo(Math.floor(first / columns) * height)
  }, [listName, shape, isMeasured])
  useEffect(() => {
    if (!isPlaced) return
    kept.current = firstInSight
    onSight(firstInSight, lastShown)
  }, [listName, shape, isPlaced, firstInSight, lastShown])

  const [active, setActive] = useState(at)
  // Scrolled out of sight it is not there any more, and the tab key would pass the whole list by.
  const tabStop = active >= firstShown && active <= lastShown ? active : firstInSight
  useLayoutEffect(() => {
    const list = scroll.element.current
    if (list === null || !hasFocus.current) return
    const { activeElement } = document
    // The item that had it was scrolled away, or the next one is still on its way: keys go on from the list itself.
    if (activeElement === document.body) list.focus({ preventScroll: true })
    else if (!list.contains(activeElement)) return setFocusWanted(false)
    if (!isFocusWanted) return
    const link = list.querySelector<HTMLElement>('[data-active] a')
    if (link === null) return
    link.focus({ preventScroll: true })
    setFocusWanted(false)
  })

  const move = (to: number): void => {
    const target = Math.max(0, Math.min(count - 1, to))
    setActive(target)
    setFocusWanted(true)
    const lineTop = Math.floor(target / columns) * height
    if (lineTop < scroll.top) scroll.goTo(lineTop)
    else if (lineTop + height > scroll.top + view) scroll.goTo(lineTop + height - view)
  }
  const onKeyDown = (event: KeyboardEvent): void => {
    const page = Math.max(1, Math.floor(view / height)) * columns
    const steps: Readonly<Record<string, number>> = {
      ArrowDown: tabStop + columns < count || tabStop >= (lines - 1) * columns ? tabStop + columns : count - 1,
      ArrowUp: tabStop < columns ? tabStop : tabStop - columns,
      ...(columns > 1 ? { ArrowRight: tabStop + 1, ArrowLeft: tabStop - 1 } : {}),
      PageDown: tabStop + page,
      PageUp: tabStop - page,
      Home: 0,
      End: count - 1,
    }
    const to = steps[event.key]
    if (to === undefined || event.altKey || event.ctrlKey || event.metaKey) return
    event.preventDefault()
    move(to)
  }

  const shown: number[] = []
  for (let position = firstShown; isPlaced && position <= lastShown; position++) shown.push(position)
  return (
    <div
      class={`rows ${role}`}
      id="images"
      tabIndex={-1}
      ref={scroll.element}
      onKeyDown={onKeyDown}
      onFocusIn={() => (hasFocus.current = true)}
      onFocusOut={({ relatedTarget }) => {
        // Of an item that goes, no other element gets it.
        if (relatedTarget !== null) hasFocus.current = false
      }}
      role={role}
      aria-label={label}
      {...(role === 'table' ? { 'aria-rowcount': count + 1 } : {})}
    >
      {head}
      <div class="all" role="presentation" style={{ height: `${scroll.height - headHeight}px` }}>
        <div class="item-model" ref={measured} aria-hidden="true" style={{ width: `${100 / columns}%` }}>
          {model}
        </div>
        {shown.map((position) => (
          <div
            key={position}
            class="item"
            {...(role === 'list'
              ? { role: 'listitem', 'aria-setsize': count, 'aria-posinset': position + 1 }
              : { role: 'row', 'aria-rowindex': position + 2 })}
            {...(position === tabStop ? { 'data-active': '' } : {})}
            onFocusIn={() => setActive(position)}
            style={{
              top: `${scroll.placeOf(Math.floor(position / columns) * height)}px`,
              left: `${((position % columns) / columns) * 100}%`,
              width: `${100 / columns}%`,
              height: `${height}px`,
            }}
          >
            {item(position, position === tabStop)}
          </div>
        ))}
      </div>
    </div>
  )
}

/**
 * Of an element, pixels, whatever changes it: what stands in it, the reader's fonts. Of another width it is known at once,
 * before anything is laid out by the height that it had.
 */
function useHeight(width: number): [RefObject<HTMLDivElement | null>, number] {
  const element = useRef<HTMLDivElement | null>(null)
  const [height, setHeight] = useState(0)
  useLayoutEffect(() => {
    const found = element.current
    if (found === null) return
    const measure = () => setHeight(Math.ceil(found.getBoundingClientRect().height))
    measure()
    const observer = new ResizeObserver(measure)
    observer.observe(found)
    return () => observer.disconnect()
  }, [width])
  return [element, height]
}
