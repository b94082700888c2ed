import { openMapPlaces, type MapPlaces } from '../../output/mapPlaces.ts'
import type { ResultSet } from '../../output/resultSet.ts'
import { stateRows } from '../../output/stateRows.ts'
import type { Store } from '../../storage/store.ts'
import { comparedColumns, type ComparedRow } from './comparedRow.ts'

/** A table that a run left, to be compared. */
export interface ComparedTable {
  readonly output: Store
  readonly set: ResultSet
  /** The run whose table it is. */
  readonly run: string
  /** The run whose table is the result set's state now. */
  readonly stateRun: string | null
}

/** Whether two tables are of one result set, whose maps then lie in the same places. */
export function areOfOneSet(a: ComparedTable, b: ComparedTable): boolean {
  return a.set.id === b.set.id && a.output.uri === b.output.uri && a.output.endpoint === b.output.endpoint
}

/** Where the small maps of a table's rows lie; undefined when nobody has written it down. */
export function placesOf({ output, set, run }: ComparedTable): Promise<MapPlaces | undefined> {
  return openMapPlaces(output, set.id, run)
}

/** The rows of a table with the places of their maps, in the order of the keys. */
export async function* comparedRows(
  { output, set, run }: ComparedTable,
  places: MapPlaces | undefined,
): AsyncGenerator<ComparedRow> {
  const walk = places?.places()
  try {
    for await (const row of stateRows(output, set.id, run, comparedColumns)) {
      const next = await walk?.next()
      const place = next === undefined ? undefined : next.done === true ? null : next.value
      yield { ...row, place }
    }
  } finally {
    await walk?.return(undefined)
  }
}
