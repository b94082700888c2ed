import { toFloat16 } from '../base/float16.ts'
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
