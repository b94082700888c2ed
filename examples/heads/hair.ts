import { ramp } from './faceLayers.ts'
import { hairDepth, type HairStyle } from './hairline.ts'
import { gridTriangles } from './mesh.ts'

/** Lifts a head's surface where hair grows, from nothing at the hairline. `marks` says where each vertex rested. */
export function liftHair(positions: Float64Array, marks: Float64Array, style: HairStyle): void {
  if (style.kind === 'none') return
  for (let vertex = 0; 3 * vertex < positions.length; vertex++) {
    const [x, y, z] = [marks[5 * vertex]!, marks[5 * vertex + 1]!, marks[5 * vertex + 2]!]
    const depth = hairDepth(style, x, y, z) + 0.2
    if (depth <= 0) continue
    const near = ramp(depth, -0.3, 3.5)
    const wave = 1 + 0.18 * style.waviness * Math.sin(0.9 * x + style.phase) * Math.cos(0.7 * z + 0.8 * y)
    // More on the crown than at the sides.
    const lift = style.thickness * near * wave * (y < -6 ? 1.15 : 0.85)
    const length = Math.sqrt(x * x + (y + 2) * (y + 2) + (z - 1.5) * (z - 1.5))
    positions[3 * vertex] = positions[3 * vertex]! + (lift * x) / length
    positions[3 * vertex + 1] = positions[3 * vertex + 1]! + (lift * (y + 2)) / length
    positions[3 * vertex + 2] = positions[3 * vertex + 2]! + (lift * (z - 1.5)) / length
  }
}

const [rows, columns] = [9, 25] as const
export const longHairTriangles = gridTriangles(rows, columns, false)

/** A curtain from temple to temple around the back of the head, for hair that falls below the ears. */
export function longHair(style: HairStyle): Float64Array {
  const positions = new Float64Array(3 * rows * columns)
  const top = -5.5
  for (let row = 0; row < rows; row++) {
    const t = row / (rows - 1)
    const y = top + (style.length - top) * t
    // Inside the skull at the top, off the ears further down, and hanging straight below.
    const out = 0.74 + 0.4 * Math.min(1, t * 2.2) + 0.03 * style.thickness
    for (let column = 0; column < columns; column++) {
      const angle = (column / (columns - 1) - 0.5) * 2 * style.reach
      const wave = 1 + 0.035 * style.waviness * Math.sin(9 * angle + style.phase + 2 * t) * t
      // The front edges run in under the hair above them.
      const edge = Math.abs(column / (columns - 1) - 0.5) * 2
      const inward = 1 - 0.14 * edge * edge * edge * edge
      const [across, along] = [8.7 * out * wave * inward, 9.2 * out * wave]
      const to = 3 * (row * columns + column)
      positions[to] = across * Math.sin(angle)
      positions[to + 1] = y + 0.35 * Math.sin(13 * angle + style.phase) * t
      positions[to + 2] = 1.8 + along * Math.cos(angle) - 1.5 * t
    }
  }
  return positions
}
