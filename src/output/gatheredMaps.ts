import { aheadOf } from '../base/aheadOf.ts'
import type { Store } from '../storage/store.ts'
import { checksumsOf } from './mapChecksums.ts'
import type { MapPlace, ShardMaps } from './mapPlaces.ts'
import { readSmallMaps, type RowMaps, type SmallMaps } from './smallMaps.ts'

/** Files that are read ahead of the one at hand. */
const ahead = 8

interface Gathered<T> {
  readonly wanted: T
  /** Undefined when the file is gone or not of its size. */
  readonly found: { readonly maps: RowMaps; readonly file: ShardMaps } | undefined
}

/**
 * The small maps of many rows, in the order of their files and not of the rows: rows of runs of many nights alternate
 * between files, each of which is read once here. Read whole, though few of its rows may be wanted: its checksums, which
 * `found.file` has as they are now, are those of all of it. Raises what the store raises.
 *
 * @param kinds `magnitudes`: `.input` files are not read, which for one objective would be a third of the bytes
 */
export async function* gatheredMaps<T extends { readonly place: MapPlace }>(
  output: Store,
  set: string,
  objectives: number,
  rows: Iterable<T>,
  kinds: 'all' | 'magnitudes' = 'all',
): AsyncGenerator<Gathered<T>> {
  const byFile = new Map<ShardMaps, T[]>()
  for (const row of rows) {
    const known = byFile.get(row.place.file)
    if (known === undefined) byFile.set(row.place.file, [row])
    else known.push(row)
  }
  const read = async ([file, wanted]: [ShardMaps, T[]]): Promise<FileMaps<T>> => ({
    file,
    wanted,
    maps: await readSmallMaps(output, set, objectives, kinds === 'all' ? file : { ...file, hasInputs: false }),
  })
  for await (const fileMaps of aheadOf(ahead, byFile, read)) yield* gathered(fileMaps)
}

interface FileMaps<T> {
  readonly file: ShardMaps
  readonly wanted: readonly T[]
  readonly maps: SmallMaps | undefined
}

function* gathered<T extends { readonly place: MapPlace }>({
  file,
  wanted,
  maps,
}: FileMaps<T>): Generator<Gathered<T>> {
  const now = maps && { ...file, hasInputs: maps.hasInputs, checksums: checksumsOf(maps, file.count) }
  for (const row of wanted) yield { wanted: row, found: now && maps && { maps: maps.at(row.place.slot), file: now } }
}
