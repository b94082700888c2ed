import { toFloat16 } from '../../src/base/float16.ts'
import { mapPixels } from '../../src/output/poseMaps.ts'

/**
 * Magnitude maps of a row as a worker stores them, each of unit sum: float16 patterns, one objective after the other.
 *
 * @param random numbers in [−1, 1)
 */
export function randomMaps(random: () => number, objectives: number): Uint16Array {
  const patterns = new Uint16Array(objectives * mapPixels)
  for (let objective = 0; objective < objectives; objective++) {
    // To the fourth: most of a map's sum lies in a few places.
    const map = Float32Array.from({ length: mapPixels }, () => random() ** 4)
    const sum = map.reduce((total, value) => total + value, 0)
    const bytes = toFloat16(map.map((value) => value / sum))
    patterns.set(new Uint16Array(bytes.buffer, bytes.byteOffset, mapPixels), objective * mapPixels)
  }
  return patterns
}

/** What the network saw of a row: 28 × 28 grey levels. */
export function randomInput(random: () => number): Uint8Array {
  return Uint8Array.from({ length: mapPixels }, () => Math.floor((random() + 1) * 128))
}
