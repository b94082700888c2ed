import { float16Values, toFloat16 } from '../base/float16.ts'
import type { Explanation } from '../saliency/explainer.ts'
import { magnitudeSide } from '../saliency/picture.ts'

/**
 * Bytes of one map in a shard's `.mag` file: for each `ok` record in record order, for each objective in option order,
 * a 28 × 28 magnitude map of unit sum as little-endian float16, row-major. No header: counts follow from the record file.
 */
export const magnitudeBytes = magnitudeSide * magnitudeSide * 2

/** One sample's part of the file. */
export function magnitudeBlock(explanation: Explanation, objectives: readonly string[]): Uint8Array {
  return Buffer.concat(
    objectives.map((name) => toFloat16(explanation.objectives[name]?.magnitude ?? new Float32Array())),
  )
}

/** The maps in the file's bytes, by objective, one sample after the other. */
export function* magnitudeMaps(
  bytes: Uint8Array,
  objectives: readonly string[],
): Generator<ReadonlyMap<string, Float32Array>> {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const values = float16Values()
  const sampleBytes = magnitudeBytes * objectives.length
  for (let start = 0; start + sampleBytes <= bytes.byteLength; start += sampleBytes) {
    const maps = new Map<string, Float32Array>()
    for (const [i, objective] of objectives.entries()) {
      const map = new Float32Array(magnitudeSide * magnitudeSide)
      for (let j = 0; j < map.length; j++) {
        map[j] = values[view.getUint16(start + i * magnitudeBytes + 2 * j, true)] ?? 0
      }
      maps.set(objective, map)
    }
    yield maps
  }
}
