import { useEffect, useMemo, useRef, useState } from 'preact/hooks'
import { tenth, whole } from '../../../report/numberText.ts'
import { addresses, readBrowseView, type BrowseView } from '../../addresses.ts'
import { isMeasure, measures, type Measure } from '../../measures.ts'
import { readSelection, writeSelection, type Selection } from '../../selection.ts'
import type { FacetsReply } from '../../wire.ts'
import { Chips, cleared } from '../browse/chips.tsx'
import { FacetPanel } from '../browse/facetPanel.tsx'
import { cardPicture, RowCard } from '../browse/rowCard.tsx'
import { columnsWith, RowHead, RowLine } from '../browse/rowLine.tsx'
import { RowList } from '../browse/rowList.tsx'
import { useRows } from '../browse/useRows.ts'
import { href, navigate, type Place } from '../navigation.ts'
import { Asking } from '../parts/asking.tsx'
import { NewerRun } from '../parts/newerRun.tsx'
import { useReply } from '../useReply.ts'

/** Nothing moved for so long: the address takes the place of the list. */
const restMs = 250
/** Of a card, pixels: the picture's frame, and the lines below it. */
const card = { width: 320, margin: 32, text: 150 }
const lineHeight = 34

/** The images of a result set, chosen and sorted. */
export function BrowseScreen({ place, set }: { readonly place: Place; readonly set: string }) {
  const query = place.parameters.toString()
  const { selection, problems } = useMemo(() => readSelection(place.parameters), [query])
  const view = readBrowseView(place.parameters)
  const asked = place.parameters.get('run')
  const name = JSON.stringify([set, asked, writeSelection(selection), view.as])
  // Later pages are of the run that the first answer was of, whatever is published meanwhile.
  const [pinned, setPinned] = useState<{ readonly of: string; readonly run: string } | null>(null)
  const run = asked ?? (pinned?.of === set ? pinned.run : null)
  const facets = useReply<FacetsReply>(addresses.facetsReply(set, run, selection))
  const [sight, setSight] = useState<readonly [number, number]>([view.at, view.at + 59])
  const rows = useRows(set, run, selection, sight)
  const shownRun = run ?? rows.run
  useEffect(() => {
    if (asked === null && rows.run !== null) setPinned({ of: set, run: rows.run })
  }, [asked, rows.run])
  useEffect(() => void (document.title = `browse ${set} – headlight`), [set])

  const go = (next: Selection, change: Partial<BrowseView> = {}, replace = false): void =>
    navigate(addresses.browse(set, asked, next, { ...view, at: 0, ...change }), { replace })
  const rest = useRef<ReturnType<typeof setTimeout> | undefined>(undefined)
  useEffect(() => () => clearTimeout(rest.current), [name])
  const onSight = (first: number, last: number): void => {
    setSight([first, last])
    clearTimeout(rest.current)
    rest.current = setTimeout(() => {
      if (first !== view.at)
        navigate(addresses.browse(set, asked, selection, { ...view, at: first }), { replace: true })
    }, restMs)
  }

  const { reply } = facets
  const objectives = reply?.objectives ?? []
  // The first one needs no name, so that pictures do not wait for the facets.
  const objective =
    view.objective !== null && reply !== null && !objectives.includes(view.objective) ? null : view.objective
  const known = reply?.measures.map(({ measure }) => measure) ?? []
  const shown = columnsWith(known)
  const link = (key: string) => addresses.sample(set, shownRun ?? '', key, selection, view.objective)
  const sortBy = (sort: Measure | 'key', isDescending: boolean) => go({ ...selection, sort, isDescending })
  return (
    <div class="browse">
      <header class="browse-head">
        <h1 tabIndex={-1}>
          <a href={href(addresses.set(set, asked))}>{set}</a>
        </h1>
        <NewerRun set={set} run={shownRun} link={addresses.browse(set, null, selection, view)} />
        {problems.map((problem) => (
          <p key={problem} class="refusal" role="alert">
            {problem}
          </p>
        ))}
        <p class="count" role="status">
          {rows.count === null ? '' : countText(rows.count, reply)}
        </p>
        <Chips selection={selection} onSelection={(next) => go(next)} />
        <div class="controls">
          <label>
            sort by
            <select
              value={selection.sort}
              onChange={(event) => {
                const sort = event.currentTarget.value
                if (sort === 'key' || isMeasure(sort)) sortBy(sort, sort !== 'key')
              }}
            >
              <option value="key">key</option>
              {known.map((measure) => (
                <option key={measure} value={measure}>
                  {measures[measure].name}
                </option>
              ))}
            </select>
          </label>
          <label>
            order
            <select
              value={selection.isDescending ? 'down' : 'up'}
              onChange={(event) => sortBy(selection.sort, event.currentTarget.value === 'down')}
            >
              <option value="down">{selection.sort === 'key' ? 'Z to A' : 'largest first'}</option>
              <option value="up">{selection.sort === 'key' ? 'A to Z' : 'smallest first'}</option>
            </select>
          </label>
          <label>
            show
            <select
              value={view.as}
              onChange={(event) => go(selection, { as: event.currentTarget.value === 'table' ? 'table' : 'cards' })}
            >
              <option value="cards">cards</option>
              <option value="table">table</option>
            </select>
          </label>
          {objectives.length > 1 && view.as === 'cards' && (
            <label>
              map of
              <select
                value={objective ?? objectives[0] ?? ''}
                onChange={(event) => go(selection, { objective: event.currentTarget.value, at: view.at }, true)}
              >
                {objectives.map((each) => (
                  <option key={each}>{each}</option>
                ))}
              </select>
            </label>
          )}
          <a class="csv" href={href(addresses.csv(set, shownRun, selection))} download>
            CSV
          </a>
        </div>
      </header>
      <Facets reply={reply} selection={selection} onSelection={(next, isTyped) => go(next, {}, isTyped)} />
      <div class={rows.isStale ? 'result stale' : 'result'}>
        {rows.refusal !== null || rows.count === null ? (
          <Asking asked={{ reply: null, isStale: false, waiting: rows.waiting, refusal: rows.refusal }} />
        ) : rows.count === 0 ? (
          <p class="empty">
            No image is like this.{' '}
            <button type="button" onClick={() => go(cleared(selection))}>
              Clear all
            </button>
          </p>
        ) : view.as === 'cards' ? (
          <RowList
            count={rows.count}
            itemWidth={card.width}
            lineHeight={(width) => ((width - card.margin) * cardPicture.height) / cardPicture.width + card.text}
            at={view.at}
            listName={name}
            role="list"
            label="images"
            onSight={onSight}
            item={(position, isActive) => {
              const row = rows.at(position)
              return row === undefined || shownRun === null ? null : (
                <RowCard
                  set={set}
                  run={shownRun}
                  row={row}
                  objective={objective}
                  link={link(row.key)}
                  isActive={isActive}
                />
              )
            }}
          />
        ) : (
          <RowList
            count={rows.count}
            itemWidth={null}
            lineHeight={() => lineHeight}
            at={view.at}
            listName={name}
            role="table"
            label="images"
            onSight={onSight}
            head={
              <RowHead
                columns={shown}
                sort={selection.sort}
                isDescending={selection.isDescending}
                onSort={(sort) => sortBy(sort, sort === selection.sort ? !selection.isDescending : sort !== 'key')}
              />
            }
            item={(position, isActive) => {
              const row = rows.at(position)
              return row === undefined ? null : (
                <RowLine row={row} columns={shown} link={link(row.key)} isActive={isActive} />
              )
            }}
          />
        )}
      </div>
    </div>
  )
}

interface FacetsProps {
  readonly reply: FacetsReply | null
  readonly selection: Selection
  readonly onSelection: (selection: Selection, isTyped: boolean) => void
}

/** Beside the images where there is room, else folded above them. */
function Facets({ reply, selection, onSelection }: FacetsProps) {
  const [isWide, setWide] = useState(() => matchMedia('(min-width: 800px)').matches)
  useEffect(() => {
    const query = matchMedia('(min-width: 800px)')
    const update = () => setWide(query.matches)
    query.addEventListener('change', update)
    return () => query.removeEventListener('change', update)
  }, [])
  const panel = reply === null ? null : <FacetPanel facets={reply} selection={selection} onSelection={onSelection} />
  return isWide ? (
    <aside class="side" aria-label="choose images">
      {panel}
    </aside>
  ) : (
    <details class="side">
      <summary>choose images</summary>
      {panel}
    </details>
  )
}

function countText(count: number, facets: FacetsReply | null): string {
  if (facets === null || facets.count !== count) return `${whole(count)} ${count === 1 ? 'image' : 'images'}`
  const { total, failed, meanError } = facets
  const images = count === total ? `${whole(count)} images` : `${whole(count)} of ${whole(total)} images`
  return [
    images,
    ...(meanError === null ? [] : [`mean error ${tenth(meanError)}°`]),
    ...(failed === 0 ? [] : [`${whole(failed)} failed`]),
  ].join(' · ')
}
