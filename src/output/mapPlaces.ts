import { z } from 'zod'
import { slicedObject, type SlicedObject } from '../storage/slicedObject.ts'
import type { ObjectWriter, Store } from '../storage/store.ts'
import { anothers, parsedJson } from './jsonObject.ts'
import { layout } from './layout.ts'
import { whereRunRemoved } from './runs.ts'

/** A `.mag` file, and the `.input` file beside it, in which maps of rows lie. */
const shardMapsSchema = z.strictObject({
  run: z.string(),
  part: z.int().nonnegative(),
  offset: z.int().nonnegative(),
  /** See `samplesMark`. */
  samples: z.string(),
  /** Samples in the file. */
  count: z.int().positive(),
  /** Whether there is an `.input` file; those of earlier versions have none. */
  hasInputs: z.boolean(),
  /**
   * Of both files as their maps were added up: a late worker may write over them where the store has no conditional PUT,
   * and what is then taken back from the atlas would not be what was added. See `checksumsOf`.
   */
  checksums: z.strictObject({ mag: z.int().nonnegative(), input: z.int().nonnegative().optional() }).optional(),
})
export type ShardMaps = z.infer<typeof shardMapsSchema>

/** Where a row's small maps lie: which sample of which file, from 0. Null: it has none. */
export interface MapPlace {
  readonly file: ShardMaps
  readonly slot: number
}

/** Whether two rows of one result set have the very same small maps. */
export function isSamePlace(a: MapPlace, b: MapPlace): boolean {
  const [fileA, fileB] = [a.file, b.file]
  return (
    a.slot === b.slot &&
    fileA.run === fileB.run &&
    fileA.part === fileB.part &&
    fileA.offset === fileB.offset &&
    fileA.samples === fileB.samples
  )
}

const footerSchema = z.strictObject({
  schema: z.literal(1),
  rows: z.int().nonnegative(),
  files: z.array(shardMapsSchema),
})

const rowBytes = 8
const nowhere = 0xffffffff
const tailBytes = 8
const magic = 'HLMP'
/** Rows that are read or written at a time: half a megabyte. */
const rowsAtOnce = 65_536

/**
 * Writes `runs/<run id>/map-places.bin`: per row of the run's table the number of a file and the slot in it, as two
 * unsigned 32-bit little-endian numbers (both 2³² − 1: nowhere); then the files as JSON, its length in 4 bytes, and
 * `HLMP`. It stands beside the table and not in it, since the table of an increment is to equal that of a fresh run, and
 * this cannot.
 */
export class MapPlacesWriter {
  readonly #object: ObjectWriter
  readonly #files: ShardMaps[] = []
  readonly #numbers = new Map<string, number>()
  #pending = Buffer.alloc(rowsAtOnce * rowBytes)
  #rows = 0

  /** The caller commits the object, or discards it. */
  constructor(object: ObjectWriter) {
    this.#object = object
  }

  /** The place of the table's next row. */
  async add(place: MapPlace | null): Promise<void> {
    const at = (this.#rows % rowsAtOnce) * rowBytes
    this.#pending.writeUInt32LE(place === null ? nowhere : this.#numberOf(place.file), at)
    this.#pending.writeUInt32LE(place === null ? nowhere : place.slot, at + 4)
    this.#rows++
    if (this.#rows % rowsAtOnce === 0) await this.#object.append(this.#pending)
  }

  async finish(): Promise<void> {
    await this.#object.append(this.#pending.subarray(0, (this.#rows % rowsAtOnce) * rowBytes))
    const footer = Buffer.from(JSON.stringify({ schema: 1, rows: this.#rows, files: this.#files }))
    const tail = Buffer.alloc(tailBytes)
    tail.writeUInt32LE(footer.byteLength)
    tail.write(magic, 4)
    await this.#object.append(Buffer.concat([footer, tail]))
  }

  #numberOf(file: ShardMaps): number {
    const name = `${file.run}/${file.part}/${file.offset}`
    const known = this.#numbers.get(name)
    if (known !== undefined) return known
    const number = this.#files.length
    this.#files.push(file)
    this.#numbers.set(name, number)
    return number
  }
}

/** A run's `map-places.bin`, opened: its files are known, its rows are read in slices. */
export interface MapPlaces {
  readonly rows: number
  /** All files that a row of the table needs. */
  readonly files: readonly ShardMaps[]
  /** One for each row, in the order of the table. InputError `bad-layout` at one that the files do not have. */
  places(): AsyncGenerator<MapPlace | null>
  /** That of one row of the table. */
  placeAt(row: number): Promise<MapPlace | null>
}

/** Undefined when the run has none. InputError `bad-layout` when it is another's. */
export async function openMapPlaces(output: Store, set: string, run: string): Promise<MapPlaces | undefined> {
  const key = layout.mapPlaces(set, run)
  const object = await slicedObject(output, key, whereRunRemoved)
  if (object === undefined) return undefined
  const place = `${output.uri}${key}`
  const footer = await readFooter(object, place)
  return {
    rows: footer.rows,
    files: footer.files,
    places: () => readPlaces(object, footer, place, 0, footer.rows),
    placeAt: async (row) => {
      for await (const found of readPlaces(object, footer, place, row, row + 1)) return found
      return null
    },
  }
}

async function readFooter(object: SlicedObject, place: string): Promise<z.infer<typeof footerSchema>> {
  const size = object.byteLength
  const tail = size < tailBytes ? undefined : Buffer.from(await object.slice(size - tailBytes))
  const start = tail === undefined ? -1 : size - tailBytes - tail.readUInt32LE(0)
  if (tail?.toString('latin1', 4) !== magic || start < 0) throw anothers(place, undefined)
  const text = Buffer.from(await object.slice(start, size - tailBytes)).toString('utf8')
  const parsed = footerSchema.safeParse(parsedJson(text))
  if (!parsed.success || parsed.data.rows * rowBytes !== start) throw anothers(place, parsed.error)
  return parsed.data
}

async function* readPlaces(
  object: SlicedObject,
  { files }: z.infer<typeof footerSchema>,
  place: string,
  first: number,
  end: number,
): AsyncGenerator<MapPlace | null> {
  for (let from = first; from < end; from += rowsAtOnce) {
    const count = Math.min(rowsAtOnce, end - from)
    const numbers = new DataView(await object.slice(from * rowBytes, (from + count) * rowBytes))
    for (let i = 0; i < count; i++) {
      const number = numbers.getUint32(i * rowBytes, true)
      const slot = numbers.getUint32(i * rowBytes + 4, true)
      const file = files[number]
      if (number !== nowhere && (file === undefined || slot >= file.count)) throw anothers(place, undefined)
      yield file === undefined ? null : { file, slot }
    }
  }
}
