import { useEffect, useMemo, useState } from 'preact/hooks'
import { tenth, whole } from '../../../report/numberText.ts'
import { addresses, readBrowseView, type BrowseView } from '../../addresses.ts'
import { isMeasure, measures, type Measure } from '../../measures.ts'
import { readSelection, writeSelection, type Selection } from '../../selection.ts'
import type { FacetsReply } from '../../wire.ts'
import { Chips } from '../browse/chips.tsx'
import { cleared } from '../browse/chosenParts.ts'
import { FacetPanel } from '../browse/facetPanel.tsx'
import { pageRows } from '../browse/loadedRows.ts'
import { cardPicture, RowCard } from '../browse/rowCard.tsx'
import { columnsOf, RowHead, RowLine } from '../browse/rowLine.tsx'
import { RowList } from '../browse/rowList.tsx'
import { useDelayed } from '../browse/useDelayed.ts'
import { useRows } from '../browse/useRows.ts'
import { href, navigate, type Place } from '../navigation.ts'
import { Asking } from '../parts/asking.tsx'
import { NewerRun } from '../parts/newerRun.tsx'
import { useReply } from '../useReply.ts'

/** Nothing moved for so long: the address takes the place of the list. */
const restMs = 250
/** Of a card, pixels: its least width, the picture's frame, and the lines below it. */
const card = { width: 300, margin: 32, anglesText: 150, classText: 96 }
/** Of a line of the table and of its head, pixels. */
const line = { height: 34, head: 36 }

/** The images of a result set, chosen and sorted. */
export function BrowseScreen({ place, set }: { readonly place: Place; readonly set: string }) {
  const query = place.parameters.toString()
  const { selection, problems } = useMemo(() => readSelection(place.parameters), [query])
  const view = readBrowseView(place.parameters)
  const asked = place.parameters.get('run')
  const name = JSON.stringify([set, asked, writeSelection(selection), view.as])
  // Later pages are of the run that the first answer was of, whatever is published meanwhile.
  const run = asked ?? place.shownRun
  const [seen, setSeen] = useState({ name, first: view.at, last: view.at + pageRows - 1 })
  const { first, last } = seen.name === name ? seen : { first: view.at, last: view.at + pageRows - 1 }
  const rows = useRows(set, asked, run, selection, [first, last])
  const boundRun = run ?? (rows.isStale ? null : rows.run)
  // Rows first: they are what the reader waits for.
  const facets = useReply<FacetsReply>(run === null ? null : addresses.facetsReply(set, run, selection))
  useEffect(() => void (document.title = `browse ${set} – headlight`), [set])

  const go = (next: Selection, change: Partial<BrowseView> = {}, replace = false): void =>
    navigate(addresses.browse(set, asked, next, { ...view, at: 0, ...change }), { replace, shownRun: boundRun })
  useEffect(() => {
    if (run === null && boundRun !== null) go(selection, { at: view.at }, true)
  }, [run, boundRun])
  const keepPlace = (): void => {
    if (first !== view.at) go(selection, { at: first }, true)
  }
  useDelayed(first, first !== view.at, restMs, keepPlace)
  const onSight = (from: number, to: number): void => setSeen({ name, first: from, last: to })

  const { reply } = facets
  const objectives = reply?.objectives ?? []
  // The first one needs no name, so that pictures do not wait for the facets.
  const objective =
    view.objective !== null && reply !== null && !objectives.includes(view.objective) ? null : view.objective
  const known = reply?.measures.map(({ measure }) => measure) ?? []
  const hasAngles = reply === null || (['yaw', 'pitch', 'roll'] as const).some((angle) => known.includes(angle))
  const cardText = hasAngles ? card.anglesText : card.classText
  const columns = reply === null ? { names: [], numbers: [] } : columnsOf(reply)
  const listName = `${view.as} ${rows.question}`
  const link = (key: string) => addresses.sample(set, rows.run ?? '', key, selection, view.objective)
  const sortBy = (sort: Measure | 'key', isDescending: boolean) => go({ ...selection, sort, isDescending })
  return (
    <div class="browse">
      <header class="browse-head">
        <h1 tabIndex={-1}>
          Images of <a href={href(addresses.set(set, asked))}>{set}</a>
        </h1>
        <button type="button" class="skip" onClick={skipToImages}>
          skip to the images
        </button>
        <NewerRun set={set} run={boundRun} link={addresses.browse(set, null, selection, view)} />
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
          <a class="csv" href={href(addresses.csv(set, boundRun, selection))} download>
            CSV
          </a>
        </div>
      </header>
      <Facets reply={reply} selection={selection} onSelection={(next, isTyped) => go(next, {}, isTyped)} />
      <div class={rows.isStale ? 'result stale' : 'result'} onClick={keepPlace}>
        {(rows.refusal !== null || rows.waiting !== null || rows.count === null) && (
          <Asking asked={{ reply: null, isStale: false, waiting: rows.waiting, refusal: rows.refusal }} />
        )}
        {rows.count === null || (rows.refusal !== null && rows.isStale) ? null : rows.count === 0 ? (
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
            lineHeight={(width) => ((width - card.margin) * cardPicture.height) / cardPicture.width + cardText}
            at={view.at}
            listName={listName}
            role="list"
            label="images"
            onSight={onSight}
            item={(position, isActive) => {
              const row = rows.at(position)
              return row === undefined || rows.run === null ? null : (
                <RowCard
                  set={set}
                  run={rows.run}
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
            lineHeight={() => line.height}
            headHeight={line.head}
            at={view.at}
            listName={listName}
            role="table"
            label="images"
            onSight={onSight}
            head={
              <RowHead
                columns={columns}
                sort={selection.sort}
                isDescending={selection.isDescending}
                onSort={(sort) => sortBy(sort, sort === selection.sort ? !selection.isDescending : sort !== 'key')}
              />
            }
            item={(position, isActive) => {
              const row = rows.at(position)
              return row === undefined ? null : (
                <RowLine row={row} columns={columns} link={link(row.key)} isActive={isActive} />
              )
            }}
          />
        )}
      </div>
    </div>
  )
}

/** A reader at the keyboard need not pass all that images can be chosen by. */
function skipToImages(): void {
  const list = document.querySelector('#images')
  const target = list?.querySelector<HTMLElement>('[data-active] a') ?? list
  if (target instanceof HTMLElement) target.focus()
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
