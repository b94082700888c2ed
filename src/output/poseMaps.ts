import { z } from 'zod'
import { poseCellCorner } from '../pose/poseCell.ts'
import { magnitudeSide } from '../saliency/picture.ts'
import type { Store } from '../storage/store.ts'
import { anothers, parsedJson } from './jsonObject.ts'
import { layout } from './layout.ts'
import { canonicalJson } from './resultSet.ts'

/** Pixels of a small map. */
export const mapPixels = magnitudeSide * magnitudeSide

/** The cell of rows that no pose places. */
export const unplaced = -1

/** Sums of small maps over the rows of one cell: `sums` holds one map after the other, by channel, row-major. */
export interface CellMaps {
  readonly n: number
  readonly sums: Float64Array
}

/** Correlations between the maps of two objectives: how many rows have one, and Σ of each, rounded to `correlationStep`. */
export interface PairSum {
  readonly n: number
  /** In steps of `correlationStep`. */
  readonly steps: number
}

/** Whole numbers of such steps add and subtract exactly; 134 million rows stay below 2⁵³. */
export const correlationStep = 2 ** -26

/**
 * Sums of small maps by cell of the grid over yaw and pitch (`unplaced` is one as well). All numbers are whole: a magnitude
 * map counts in steps of 2⁻²⁴, which its float16 numbers are multiples of, an input in grey levels from 0 to 255. So they
 * do not depend on the order, and what was added can be subtracted again.
 */
export interface PoseMaps {
  /** Objectives of an atlas; `input` alone for inputs. */
  readonly channels: readonly string[]
  readonly cells: ReadonlyMap<number, CellMaps>
  /** By `a~b`; only of an atlas with two objectives or more. */
  readonly pairs: ReadonlyMap<string, PairSum>
}

const headerSchema = z.object({
  __metadata__: z.object({ channels: z.string(), cells: z.string(), pairs: z.string() }),
})
const channelsSchema = z.array(z.string())
const cellsSchema = z.array(z.union([z.literal(unplaced), z.int().nonnegative()]))
const pairsSchema = z.record(z.string(), z.strictObject({ n: z.int(), steps: z.int() }))

/** In the header of a safetensors file, the length of which is 8 bytes of it. */
const lengthBytes = 8

/**
 * The file: safetensors, so that Python's `safetensors.numpy.load` reads it. `n` (cells), `pose` (cells × 2: the least yaw
 * and pitch, degrees; NaN where no pose places the rows) and `sum` (channels × cells × 28 × 28), all float64. The metadata
 * names the channels and the pairs. Equal sums give equal bytes.
 */
export function encodePoseMaps({ channels, cells, pairs }: PoseMaps): Uint8Array {
  const ordered = [...cells].filter(([, { n }]) => n > 0).sort(([a], [b]) => a - b)
  const count = ordered.length
  const bytes = { n: count * 8, pose: count * 16, sum: channels.length * count * mapPixels * 8 }
  const entry = (shape: number[], start: number, length: number) => ({
    dtype: 'F64',
    shape,
    data_offsets: [start, start + length],
  })
  const text = canonicalJson({
    __metadata__: {
      channels: canonicalJson(channels),
      cells: canonicalJson(ordered.map(([cell]) => cell)),
      pairs: canonicalJson(Object.fromEntries(pairs)),
    },
    n: entry([count], 0, bytes.n),
    pose: entry([count, 2], bytes.n, bytes.pose),
    sum: entry([channels.length, count, magnitudeSide, magnitudeSide], bytes.n + bytes.pose, bytes.sum),
  })
  // The numbers begin at a multiple of 8; the format allows blanks.
  const header = Buffer.from(text + ' '.repeat((8 - (Buffer.byteLength(text) % 8)) % 8))
  const file = new Uint8Array(lengthBytes + header.byteLength + bytes.n + bytes.pose + bytes.sum)
  new DataView(file.buffer).setBigUint64(0, BigInt(header.byteLength), true)
  file.set(header, lengthBytes)
  const numbers = new Float64Array(file.buffer, lengthBytes + header.byteLength)
  for (const [at, [cell, { n, sums }]] of ordered.entries()) {
    numbers[at] = n
    const corner = cell === unplaced ? { yaw: NaN, pitch: NaN } : poseCellCorner(cell)
    numbers.set([corner.yaw, corner.pitch], count + 2 * at)
    for (let channel = 0; channel < channels.length; channel++) {
      const map = sums.subarray(channel * mapPixels, (channel + 1) * mapPixels)
      numbers.set(map, 3 * count + (channel * count + at) * mapPixels)
    }
  }
  return file
}

/** InputError `bad-layout` when the bytes are another's. */
function decodePoseMaps(bytes: Uint8Array, place: string): PoseMaps {
  const own = new Uint8Array(bytes)
  const length = own.byteLength < lengthBytes ? 0 : Number(new DataView(own.buffer).getBigUint64(0, true))
  const start = lengthBytes + length
  const text = Buffer.from(own.subarray(lengthBytes, start)).toString('utf8')
  const header = headerSchema.safeParse(parsedJson(text))
  const { channels: names, cells: numbered, pairs: paired } = header.data?.__metadata__ ?? {}
  const channels = channelsSchema.safeParse(parsedJson(names ?? '')).data
  const cells = cellsSchema.safeParse(parsedJson(numbered ?? '')).data
  const pairs = pairsSchema.safeParse(parsedJson(paired ?? '')).data
  if (!channels || !cells || !pairs || start % 8 !== 0) throw anothers(place, header.error)
  const count = cells.length
  if (own.byteLength - start !== 8 * (3 * count + channels.length * count * mapPixels)) throw anothers(place, undefined)
  const numbers = new Float64Array(own.buffer, start)
  const cellMaps = cells.map((cell, at): [number, CellMaps] => {
    const sums = new Float64Array(channels.length * mapPixels)
    for (let channel = 0; channel < channels.length; channel++) {
      const from = 3 * count + (channel * count + at) * mapPixels
      sums.set(numbers.subarray(from, from + mapPixels), channel * mapPixels)
    }
    return [cell, { n: numbers[at] ?? 0, sums }]
  })
  return { channels, cells: new Map(cellMaps), pairs: new Map(Object.entries(pairs)) }
}

/** `runs/<run id>/atlas.bin`: the magnitude maps of a run's table. Undefined when it has none. InputError `bad-layout`. */
export function readAtlas(output: Store, set: string, run: string): Promise<PoseMaps | undefined> {
  return readPoseMaps(output, layout.atlas(set, run))
}

/** `runs/<run id>/atlas-inputs.bin`: what the network saw, 28 × 28 grey. Undefined when the run has none, as with earlier versions. */
export function readInputAtlas(output: Store, set: string, run: string): Promise<PoseMaps | undefined> {
  return readPoseMaps(output, layout.inputAtlas(set, run))
}

async function readPoseMaps(output: Store, key: string): Promise<PoseMaps | undefined> {
  const object = await output.get(key)
  return object === undefined ? undefined : decodePoseMaps(object.bytes, `${output.uri}${key}`)
}
