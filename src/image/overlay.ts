import { mix, samplePoints } from './enlarge.ts'

/**
 * Ten evenly spaced colours of Inferno, by Stéfan van der Walt and Nathaniel Smith (CC0), as Matplotlib has it. Its
 * lightness rises evenly, so that twice as bright reads as twice as much, also in grey and to most colour-blind eyes; a
 * rainbow would invent edges.
 */
export const overlayColours = [
  [0x00, 0x00, 0x04],
  [0x1b, 0x0c, 0x41],
  [0x4a, 0x0c, 0x6b],
  [0x78, 0x1c, 0x6d],
  [0xa5, 0x2c, 0x60],
  [0xcf, 0x44, 0x46],
  [0xed, 0x69, 0x25],
  [0xfb, 0x9b, 0x06],
  [0xf7, 0xd1, 0x3d],
  [0xfc, 0xff, 0xa4],
] as const

export type Colours = readonly (readonly [red: number, green: number, blue: number])[]

/** Share of the magnitudes that are shown at less than full strength: one extreme pixel would darken all the others. */
const percentile = 0.995
/** How much of the picture the strongest colour covers. The face stays to be seen beneath it. */
const strongest = 0.85

/**
 * `crop` (height × width × 3, RGB) with the magnitude of a gradient as colours over it: where it is zero the crop is
 * unchanged. `magnitude` is height × width, or a square map of any side that is enlarged smoothly; its scale does not
 * matter, negative or non-finite values count as zero. Returns height × width × 3.
 */
export function drawOverlay(crop: Uint8Array, magnitude: Float32Array, width: number, height: number): Uint8Array {
  if (crop.length !== width * height * 3) {
    throw new RangeError(`${crop.length} bytes are no ${width} × ${height} RGB picture`)
  }
  const side = Math.sqrt(magnitude.length)
  const own = magnitude.length === width * height
  if (!own && !Number.isInteger(side)) {
    throw new RangeError(`${magnitude.length} magnitudes are neither ${width} × ${height} nor a square`)
  }
  const rows = samplePoints(height, own ? height : side)
  const columns = samplePoints(width, own ? width : side)
  const stride = own ? width : side
  const cleaned = magnitude.map((value) => (value > 0 && value < Infinity ? value : 0))
  const full = valueAtPercentile(cleaned)
  const result = crop.slice()
  if (full === 0) return result

  let at = 0
  for (const row of rows) {
    const above = row.first * stride
    const below = row.second * stride
    for (const column of columns) {
      const top = mix(cleaned[above + column.first] ?? 0, cleaned[above + column.second] ?? 0, column.share)
      const bottom = mix(cleaned[below + column.first] ?? 0, cleaned[below + column.second] ?? 0, column.share)
      const strength = Math.min(1, mix(top, bottom, row.share) / full)
      const opacity = strength * strongest
      for (let channel = 0; channel < 3; channel++, at++) {
        result[at] = Math.round(mix(crop[at] ?? 0, colourAt(strength, channel), opacity))
      }
    }
  }
  return result
}

/** Channel value of Inferno, or of other evenly spaced `colours`, at `strength` in [0, 1]. */
export function colourAt(strength: number, channel: number, colours: Colours = overlayColours): number {
  const place = strength * (colours.length - 1)
  const below = Math.min(Math.floor(place), colours.length - 2)
  return mix(colours[below]?.[channel] ?? 0, colours[below + 1]?.[channel] ?? 0, place - below)
}

function valueAtPercentile(values: Float32Array): number {
  const sorted = values.toSorted()
  // A map with fewer lit pixels than the percentile leaves out is scaled by its maximum.
  return sorted[Math.floor(percentile * (sorted.length - 1))] || (sorted.at(-1) ?? 0)
}
