import type { Manifest } from '../output/manifest.ts'
import type { MapPlace } from '../output/mapPlaces.ts'
import type { RowMaps } from '../output/smallMaps.ts'
import { tableRow, type TableRow } from '../output/table.ts'
import { compareKeys } from '../storage/keyOrder.ts'
import { fetchAhead, recordFileOf, type ShardFiles, type ShardFilesOptions } from './shardFiles.ts'
import type { StateCursor } from './stateCursor.ts'

export interface MergeOptions extends ShardFilesOptions {
  readonly manifest: Manifest
  /** The state that the run started from. */
  readonly state: StateCursor
  /** A cancelled run lacks record files; any other must not. */
  readonly mayLack: boolean
}

/**
 * What the merge meets, by key: rows of the final state, kept of the state before or computed by the run, and between
 * them the rows of the state before that are in it no more, since their sample was computed anew or is gone.
 */
export type MergedRow = {
  readonly row: TableRow
  /** Where its small maps lie. */
  readonly place: MapPlace | null
} & (
  | { readonly from: 'state' }
  | { readonly from: 'dropped' }
  | { readonly from: 'records'; readonly maps: RowMaps | null }
)

/**
 * The final state, sorted by key: the state before, less what is gone, with the run's records put in. One pass over
 * sorted streams in constant memory. Checks that every record stands exactly where the manifest wants it, once.
 */
export async function* mergeState(options: MergeOptions): AsyncGenerator<MergedRow> {
  const { state, manifest } = options
  let last: string | undefined
  try {
    await state.advance()
    for await (const { header, entries } of manifest.parts()) {
      const gone = new Set(header.gone)
      for await (const { shard, files } of fetchAhead(options, header, entries())) {
        if (files === undefined) {
          if (options.mayLack) continue
          throw new Error(`${recordFileOf(options, shard)} is missing, so the run is not complete; start it again.`)
        }
        for (const computed of computedRows(files)) {
          const { key } = computed.row
          if (last !== undefined && compareKeys(last, key) >= 0) {
            throw new Error(
              `${recordFileOf(options, shard)} holds ${key}, which is not after ${last}: a record is double.`,
            )
          }
          last = key
          for (; state.row !== undefined && compareKeys(state.row.key, key) < 0; await state.advance()) {
            yield former(state.row, state.place, gone)
          }
          if (state.row?.key === key) {
            yield { row: state.row, place: state.place, from: 'dropped' }
            await state.advance()
          }
          yield computed
        }
      }
      // Up to its `through` this part says what is gone; the next part speaks of later keys only.
      for (; state.row !== undefined && compareKeys(state.row.key, header.through) <= 0; await state.advance()) {
        yield former(state.row, state.place, gone)
      }
    }
    for (; state.row !== undefined; await state.advance()) {
      yield { row: state.row, place: state.place, from: 'state' }
    }
  } finally {
    await state.close()
  }
}

function former(row: TableRow, place: MapPlace | null, gone: ReadonlySet<string>): MergedRow {
  return { row, place, from: gone.has(row.key) ? 'dropped' : 'state' }
}

function* computedRows({ records, maps }: ShardFiles): Generator<MergedRow> {
  let slot = 0
  for (const record of records) {
    const row = tableRow(record)
    if (record.status === 'failed' || maps === undefined) {
      yield { row, place: null, from: 'records', maps: null }
      continue
    }
    yield { row, place: { file: maps.file, slot }, from: 'records', maps: maps.small.at(slot) }
    slot++
  }
}
