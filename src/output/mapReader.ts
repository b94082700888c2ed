import type { Store } from '../storage/store.ts'
import { layout } from './layout.ts'
import type { ShardMaps } from './mapPlaces.ts'
import { mapPixels } from './poseMaps.ts'

/** The small maps of one row. */
export interface RowMaps {
  /** Float16 bit patterns, one objective after the other: objectives × 28 × 28. */
  readonly magnitudes: Uint16Array
  /** Grey levels, 28 × 28; undefined where there are none. */
  readonly input: Uint8Array | undefined
}

/** The small maps of neighbouring samples of one file. */
export class SpanMaps {
  readonly hasInputs: boolean
  readonly #mapsLength: number
  readonly #magnitudes: Uint16Array
  readonly #inputs: Uint8Array | undefined

  /** Both hold one sample after the other; `inputs` undefined: there are none. */
  constructor(objectives: number, magnitudes: Uint16Array, inputs: Uint8Array | undefined) {
    this.hasInputs = inputs !== undefined
    this.#mapsLength = objectives * mapPixels
    this.#magnitudes = magnitudes
    this.#inputs = inputs
  }

  /** Views of the i-th sample's, from 0. */
  at(i: number): RowMaps {
    return {
      magnitudes: this.#magnitudes.subarray(i * this.#mapsLength, (i + 1) * this.#mapsLength),
      input: this.#inputs?.subarray(i * mapPixels, (i + 1) * mapPixels),
    }
  }
}

/**
 * The maps of the samples from `start` up to `end` of a file. Undefined when the `.mag` file is gone or not of its size;
 * without inputs when its `.input` file is.
 */
export async function readSpan(
  output: Store,
  set: string,
  objectives: number,
  file: ShardMaps,
  start: number,
  end: number,
): Promise<SpanMaps | undefined> {
  const [magnitudes, inputs] = await Promise.all([
    readMagnitudes(output, set, objectives, file, start, end),
    file.hasInputs ? readInputs(output, set, file, start, end) : undefined,
  ])
  return magnitudes && new SpanMaps(objectives, magnitudes, inputs)
}

async function readMagnitudes(
  output: Store,
  set: string,
  objectives: number,
  { run, part, offset, samples, count }: ShardMaps,
  start: number,
  end: number,
): Promise<Uint16Array | undefined> {
  const key = layout.magnitudeFile(set, run, part, offset, samples)
  const bytes = await readSlots(output, key, count, objectives * mapPixels * 2, start, end)
  return bytes && halfPatterns(bytes)
}

function readInputs(
  output: Store,
  set: string,
  { run, part, offset, samples, count }: ShardMaps,
  start: number,
  end: number,
): Promise<Uint8Array | undefined> {
  return readSlots(output, layout.inputFile(set, run, part, offset, samples), count, mapPixels, start, end)
}

/** Undefined when there is no such object, or when it does not hold so many slots of so many bytes. */
async function readSlots(
  output: Store,
  key: string,
  count: number,
  slotBytes: number,
  start: number,
  end: number,
): Promise<Uint8Array | undefined> {
  if (start < 0 || end > count) return undefined
  // Half of a file or more is read whole: a request less than to ask for its size first, without which no range is safe.
  if (2 * (end - start) >= count) {
    const object = await output.get(key)
    if (object?.bytes.byteLength !== count * slotBytes) return undefined
    return object.bytes.subarray(start * slotBytes, end * slotBytes)
  }
  const info = await output.head(key)
  if (info?.sizeBytes !== count * slotBytes) return undefined
  const range = { start: start * slotBytes, end: end * slotBytes }
  return (await output.get(key, { range }))?.bytes
}

/** Little-endian 16-bit numbers as they lie there; copied where they begin at an odd address. */
export function halfPatterns(bytes: Uint8Array): Uint16Array {
  const aligned = bytes.byteOffset % 2 === 0 ? bytes : new Uint8Array(bytes)
  return new Uint16Array(aligned.buffer, aligned.byteOffset, aligned.byteLength / 2)
}
