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

/** The small maps of one shard, of the samples that did not fail. */
export class SmallMaps {
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
 * The small maps in the files of a shard. Undefined when the `.mag` file is gone or not of its size; without inputs when its
 * `.input` file is.
 */
export async function readSmallMaps(
  output: Store,
  set: string,
  objectives: number,
  { run, part, offset, samples, count, hasInputs }: ShardMaps,
): Promise<SmallMaps | undefined> {
  const [magnitudes, inputs] = await Promise.all([
    readSized(output, layout.magnitudeFile(set, run, part, offset, samples), count * objectives * mapPixels * 2),
    hasInputs ? readSized(output, layout.inputFile(set, run, part, offset, samples), count * mapPixels) : undefined,
  ])
  return magnitudes && new SmallMaps(objectives, halfPatterns(magnitudes), inputs)
}

/** Undefined when there is no such object, or when it has another size. */
async function readSized(output: Store, key: string, sizeBytes: number): Promise<Uint8Array | undefined> {
  const object = await output.get(key)
  return object?.bytes.byteLength === sizeBytes ? object.bytes : undefined
}

/** Little-endian 16-bit numbers as they lie there; copied where they begin at an odd address. */
export function halfPatterns(bytes: Uint8Array): Uint16Array {
  const aligned = bytes.byteOffset % 2 === 0 ? bytes : new Uint8Array(bytes)
  return new Uint16Array(aligned.buffer, aligned.byteOffset, aligned.byteLength / 2)
}
