import type { MapFate } from '../../report/compare/standingMaps.ts'
import type { Served } from '../routes/route.ts'
import type { Waiting } from '../wire.ts'

/** Whether the maps of a row are still its own; how far the state's table has been read, where that takes a while. */
export async function fateOfRow(
  served: Served,
  set: string,
  { run, stateRun }: { readonly run: string; readonly stateRun: string },
  key: string,
  row: number,
): Promise<MapFate | Waiting> {
  if (run === stateRun) return 'stands'
  const state = await served.tables.of(set, stateRun)
  if ('waiting' in state) return state
  const now = await state.drawn(key)
  return served.storedRows.fate(set, { run, row }, { run: stateRun, row: now === null ? null : now.row })
}
