import { useEffect, useMemo, useRef, useState } from 'preact/hooks'
import { tenth, whole } from '../../../report/numberText.ts'
import { addresses, readBrowseView, type BrowseView } from '../../addresses.ts'
import { readSelection, writeSelection, type Selection } from '../../selection.ts'
import { wantedObjective } from '../../wantedObjective.ts'
import type { FacetsReply } from '../../wire.ts'
import { Chips } from '../browse/chips.tsx'
import { cleared } from '../browse/chosenParts.ts'
import { FacetColumn } from '../browse/facetColumn.tsx'
import { pageRows } from '../browse/loadedRows.ts'
import { OrderControls } from '../browse/orderControls.tsx'
import { ModelCard, RowCard } from '../browse/rowCard.tsx'
import { rowColumns } from '../browse/rowColumns.ts'
import { RowHead, RowLine } from '../browse/rowLine.tsx'
import { RowList } from '../browse/rowList.tsx'
import { Typing } from '../browse/typing.ts'
import { useDelayed } from '../browse/useDelayed.ts'
import { useKeyWidth } from '../browse/useKeyWidth.ts'
import { useRows, type Rows } from '../browse/useRows.ts'
import { href, navigate, type Place } from '../navigation.ts'
import { Asking } from '../parts/asking.tsx'
import { NewerRun } from '../parts/newerRun.tsx'
import { Unread } from '../parts/unread.tsx'
import { useReply } from '../useReply.ts'
import { useTitle } from '../useTitle.ts'

/** Nothing moved for so long: the address takes the place of the list. */
const restMs = 250
/** Least width of a card, pixels. */
const cardWidth = 300
/** Of the head of the table, pixels. */
const headHeight = 36

interface BrowseScreenProps {
  readonly place: Place
  readonly set: string
}

/** The images of a result set, chosen and sorted. */
export function BrowseScreen({ place, set }: BrowseScreenProps) {
  const query = place.parameters.toString()
  const { selection, problems } = useMemo(() => readSelection(place.parameters), [query])
  useTitle(`browse ${set}`)
  if (problems.length === 0) return <Images place={place} set={set} selection={selection} />
  const run = place.parameters.get('run')
  return (
    <>
      <Heading set={set} run={run} />
      <Unread problems={problems} link={addresses.browse(set, run, selection, readBrowseView(place.parameters))} />
    </>
  )
}

function Heading({ set, run }: { readonly set: string; readonly run: string | null }) {
  return (
    <h1 tabIndex={-1}>
      Images of <a href={href(addresses.set(set, run))}>{set}</a>
    </h1>
  )
}

function Images({ place, set, selection }: BrowseScreenProps & { readonly selection: Selection }) {
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

  const go = (next: Selection, change: Partial<BrowseView> = {}, replace = false): void =>
    navigate(addresses.browse(set, asked, next, { ...view, at: 0, ...change }), { replace, shownRun: boundRun })
  const typing = useRef(new Typing())
  const choose = (next: Selection, field: string | null = null): void =>
    go(next, {}, typing.current.goesOn(field, selection, next))
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
    reply === null || view.objective === null ? view.objective : wantedObjective(objectives, view.objective)
  const columns = useMemo(() => (reply === null ? [] : rowColumns(reply, selection.sort)), [reply, selection.sort])
  const listName = `${view.as} ${rows.question}`
  // With room for the rank before it.
  const keyWidth = useKeyWidth(listName, keysBetween(rows, first, last)) + String(rows.count ?? 0).length + 1
  const link = (key: string) => addresses.sample(set, rows.run ?? '', key, selection, view.objective)
  const sortBy = (sort: Selection['sort'], isDescending: boolean) => choose({ ...selection, sort, isDescending })
  return (
    <div class="browse">
      <header class="browse-head">
        <Heading set={set} run={asked} />
        <button type="button" class="skip" onClick={skipToImages}>
          skip to the images
        </button>
        <NewerRun set={set} run={boundRun} link={addresses.browse(set, null, selection, view)} />
        <p class="count" role="status">
          {rows.count === null ? '' : countText(rows.count, reply)}
        </p>
        <Chips selection={selection} onSelection={(next) => choose(next)} />
        <div class="controls">
          <OrderControls
            selection={selection}
            known={reply?.measures.map(({ measure }) => measure) ?? []}
            onSort={sortBy}
          />
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
                value={wantedObjective(objectives, objective) ?? ''}
                onChange={(event) => go(selection, { objective: event.currentTarget.value, at: view.at }, true)}
              >
                {objectives.map((each) => (
                  <option key={each}>{each}</option>
                ))}
              </select>
            </label>
          )}
          <a class="csv" href={href(addresses.csv(set, boundRun, selection))} download="">
            CSV{rows.count === null ? '' : ` of ${rows.count === 1 ? 'this image' : `these ${whole(rows.count)}`}`}
          </a>
        </div>
      </header>
      <FacetColumn reply={reply} selection={selection} onSelection={choose} />
      <div class={rows.isStale ? 'result stale' : 'result'} onClick={keepPlace}>
        {(rows.refusal !== null || rows.waiting !== null || rows.count === null) && (
          <Asking asked={{ reply: null, isStale: false, waiting: rows.waiting, refusal: rows.refusal }} />
        )}
        {rows.count === null || (rows.refusal !== null && rows.isStale) ? null : rows.count === 0 ? (
          <p class="empty">
            No image matches.{' '}
            <button type="button" onClick={() => choose(cleared(selection))}>
              Clear all
            </button>
          </p>
        ) : view.as === 'cards' ? (
          <RowList
            count={rows.count}
            itemWidth={cardWidth}
            model={<ModelCard facets={reply} />}
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
                  rank={position + 1}
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
            model={<span class="key">key</span>}
            headHeight={headHeight}
            at={view.at}
            listName={listName}
            role="table"
            label="images"
            onSight={onSight}
            head={
              <RowHead
                columns={columns}
                keyWidth={keyWidth}
                sort={selection.sort}
                isDescending={selection.isDescending}
                onSort={(sort) => sortBy(sort, sort === selection.sort ? !selection.isDescending : sort !== 'key')}
              />
            }
            item={(position, isActive) => {
              const row = rows.at(position)
              return row === undefined ? null : (
                <RowLine
                  row={row}
                  rank={position + 1}
                  columns={columns}
                  keyWidth={keyWidth}
                  link={link(row.key)}
                  isActive={isActive}
                />
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

function keysBetween(rows: Rows, first: number, last: number): string[] {
  return Array.from({ length: last - first + 1 }, (_, at) => rows.at(first + at)?.key ?? '')
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
