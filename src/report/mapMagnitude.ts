import type { DecodedImage } from '../image/codec.ts'
import type { MapStyle } from '../saliency/choices.ts'
import { magnitudeSide } from '../saliency/picture.ts'

/**
 * A 28 × 28 magnitude map read back from a stored picture, for the overlay; arbitrary scale. Row-major.
 *
 * The picture of style `origin` is (g − mean) / std · 0.1 + 0.5 per channel, so its distance from mid-grey is |g| but
 * for the mean, which is tiny beside the deviation, and for steps of 0.04 deviations. The exact magnitudes lie beside
 * the records, but those of unchanged samples are scattered over all former runs.
 */
export function magnitudeOfMap(map: DecodedImage, style: MapStyle): Float32Array {
  const cells = new Float32Array(magnitudeSide * magnitudeSide)
  const counts = new Float32Array(cells.length)
  for (let y = 0; y < map.height; y++) {
    const row = Math.floor((y * magnitudeSide) / map.height)
    for (let x = 0; x < map.width; x++) {
      const cell = row * magnitudeSide + Math.floor((x * magnitudeSide) / map.width)
      cells[cell] = (cells[cell] ?? 0) + pixelMagnitude(map.pixels, (y * map.width + x) * 3, style)
      counts[cell] = (counts[cell] ?? 0) + 1
    }
  }
  return cells.map((sum, cell) => sum / Math.max(1, counts[cell] ?? 0))
}

function pixelMagnitude(pixels: Uint8Array, at: number, style: MapStyle): number {
  const [r, g, b] = [pixels[at] ?? 0, pixels[at + 1] ?? 0, pixels[at + 2] ?? 0]
  if (style === 'magnitude') return r
  return Math.max(Math.abs(r - 127.5), Math.abs(g - 127.5), Math.abs(b - 127.5))
}
