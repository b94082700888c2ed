import { ramp } from './faceLayers.ts'
import { hairDepth, type HairStyle } from './hairline.ts'
import type { Colour } from './identity.ts'

/** Paints hair over skin where it grows at a place of the resting head; returns how much of the skin it covers. */
export function coverWithHair(
  style: HairStyle,
  colour: Colour,
  x: number,
  y: number,
  z: number,
  into: Float64Array,
): number {
  const depth = hairDepth(style, x, y, z)
  if (depth <= -0.25) return 0
  // What is shaved still shows a little.
  const covered = style.kind === 'none' ? 0.16 * ramp(depth, -0.4, 1.2) : ramp(depth, -0.25, 0.3)
  const around = Math.atan2(x, -(y + 2)) + 0.06 * style.waviness * Math.sin(0.8 * z + style.phase)
  const bright = strands(around, style.phase)
  for (let channel = 0; channel < 3; channel++) {
    into[channel] = into[channel]! + (colour[channel]! * bright - into[channel]!) * covered
  }
  return covered
}

/** Brightness of hair across its strands: a sum of waves whose lengths have no common measure, so no comb shows. */
export function strands(around: number, phase: number): number {
  return (
    0.9 +
    0.12 * Math.sin(23 * around + phase) +
    0.12 * Math.sin(61 * around + 2 * phase + Math.sin(17 * around)) +
    0.1 * Math.sin(137 * around)
  )
}
