import type { Store } from '../storage/store.ts'
import type { MapPlace, ShardMaps } from './mapPlaces.ts'
import { readSpan, type RowMaps, type SpanMaps } from './mapReader.ts'

/** Files that are read at the same time. */
const atOnce = 8

interface Gathered<T> {
  readonly wanted: T
  /** Undefined when the file is gone or not of its size. */
  readonly maps: RowMaps | undefined
}

/**
 * The small maps of many rows, in the order of their files and not of the rows: rows of runs of many nights alternate
 * between files, each of which is read once here. Raises what the store raises.
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
  const waiting: Promise<FileMaps<T>>[] = []
  for (const [file, wanted] of byFile) {
    const asked = kinds === 'all' ? file : { ...file, hasInputs: false }
    const found = readFile(output, set, objectives, asked, wanted)
    // Awaited below, maybe after another has failed: that one is the error to tell.
    found.catch(() => undefined)
    waiting.push(found)
    const first = waiting.length > atOnce ? waiting.shift() : undefined
    if (first !== undefined) yield* gathered(await first)
  }
  for (const found of waiting) yield* gathered(await found)
}

interface FileMaps<T> {
  readonly wanted: readonly T[]
  /** The first slot of `span`. */
  readonly start: number
  readonly span: SpanMaps | undefined
}

async function readFile<T extends { readonly place: MapPlace }>(
  output: Store,
  set: string,
  objectives: number,
  file: ShardMaps,
  wanted: readonly T[],
): Promise<FileMaps<T>> {
  let start = file.count
  let end = 0
  for (const { place } of wanted) {
    start = Math.min(start, place.slot)
    end = Math.max(end, place.slot + 1)
  }
  return { wanted, start, span: await readSpan(output, set, objectives, file, start, end) }
}

function* gathered<T extends { readonly place: MapPlace }>({
  wanted,
  start,
  span,
}: FileMaps<T>): Generator<Gathered<T>> {
  for (const row of wanted) yield { wanted: row, maps: span?.at(row.place.slot - start) }
}
