import { isSamePlace } from '../../output/mapPlaces.ts'
import type { ComparedRow } from './comparedRow.ts'
import { comparedRows, placesOf, type ComparedTable } from './comparedTable.ts'

/**
 * Why the map of a row cannot be shown: maps lie under the key of their image, so that a later run overwrites them.
 * `unknown`: an earlier version did not write down where small maps lie, by which a row is known again.
 */
export type MapFate = 'stands' | 'overwritten' | 'gone' | 'unknown'

/** What tells whether a row is another one. */
export type StandingRow = Pick<ComparedRow, 'fingerprint' | 'status' | 'place'>

/**
 * Whether the maps under the result set are still those of these rows of a table: of its state they are, of an earlier run
 * only where the state has the very same row. Reads the state's table for that, in constant memory.
 */
export async function mapFates(
  table: ComparedTable,
  rows: readonly ComparedRow[],
  signal: AbortSignal,
): Promise<ReadonlyMap<string, MapFate>> {
  if (table.run === table.stateRun) return new Map(rows.map(({ key }) => [key, 'stands']))
  const fates = new Map<string, MapFate>(rows.map(({ key }) => [key, 'gone']))
  if (table.stateRun === null || rows.length === 0) return fates
  const wanted = new Map(rows.map((row) => [row.key, row]))
  const state = { ...table, run: table.stateRun }
  for await (const now of comparedRows(state, await placesOf(state))) {
    signal.throwIfAborted()
    const row = wanted.get(now.key)
    if (row !== undefined) fates.set(row.key, fateOf(row, now))
  }
  return fates
}

/** Of a row of an earlier run, held against the row that the state has for the same key. */
export function fateOf(row: StandingRow, now: StandingRow): MapFate {
  if (row.fingerprint !== now.fingerprint || now.status === 'failed') return 'overwritten'
  if (!row.place || !now.place) return 'unknown'
  return isSamePlace(row.place, now.place) ? 'stands' : 'overwritten'
}
