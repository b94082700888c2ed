import type { Random } from './random.ts'

/** Moves points of the head at rest to where one person has them. Writes x, y, z over the given positions. */
export type Warp = (positions: Float64Array) => void

interface Bump {
  readonly at: readonly [number, number, number]
  readonly radius: number
  readonly move: readonly [number, number, number]
  /** What everybody is moved by: the mesh itself looks sullen. */
  readonly mean?: readonly [number, number, number]
}

/**
 * Where people differ: a place (mirrored to the other side where it is off the middle), how far its influence reaches,
 * and how far it moves along each axis in one standard deviation; centimetres.
 */
const differences: readonly Bump[] = [
  { at: [0, 3.1, -9.5], radius: 3, move: [0, 0.25, 0.5] },
  { at: [1.7, 3, -7], radius: 1.8, move: [0.22, 0.08, 0.1] },
  { at: [0, 0, -7.5], radius: 2.6, move: [0, 0, 0.35] },
  { at: [0, 10.5, -6.3], radius: 5, move: [0, 0.55, 0.5] },
  { at: [6, 8, -1.5], radius: 6, move: [0.6, 0.3, 0.3] },
  { at: [5, 2, -5], radius: 4.5, move: [0.3, 0.1, 0.25] },
  { at: [5, 6, -4], radius: 4.5, move: [0.45, 0, 0.2] },
  { at: [3, -2, -6.5], radius: 3, move: [0, 0.15, 0.25] },
  { at: [3.15, -0.6, -5.5], radius: 2.6, move: [0.15, 0.12, 0.12] },
  { at: [0, 6.3, -7.8], radius: 2.6, move: [0, 0.15, 0.25] },
  { at: [2.4, 6.3, -6.3], radius: 2, move: [0.2, 0.2, 0.1], mean: [0.05, -0.15, 0] },
  { at: [0, -5, -6.5], radius: 6, move: [0, 0.3, 0.5] },
  { at: [0, -3, 11], radius: 9, move: [0, 0.3, 0.8] },
  { at: [0, -12, 1], radius: 9, move: [0, 0.7, 0.3] },
  { at: [6, -7, 2], radius: 7, move: [0.4, 0.2, 0] },
]

/** Lower edge of the upper lip and upper edge of the lower one, at rest. */
const lips = { above: 6, below: 6.5 } as const

/** One person's proportions, from narrow to broad, and how far the mouth is open (centimetres). */
export function randomWarp(random: Random, mouthOpen: number): Warp {
  const scale = [1 + 0.05 * random.bell(), 1 + 0.05 * random.bell(), 1 + 0.04 * random.bell()] as const
  const bumps = differences.flatMap(({ at, radius, move, mean }): Bump[] => {
    const amounts = move.map((deviation, axis) => (mean?.[axis] ?? 0) + deviation * random.bell()) as [
      number,
      number,
      number,
    ]
    if (at[0] === 0) return [{ at, radius, move: amounts }]
    // No face is quite the same on both sides.
    const other = amounts.map((amount, axis) => (axis === 0 ? -1 : 1) * amount * random.between(0.85, 1.15))
    return [
      { at, radius, move: amounts },
      { at: [-at[0], at[1], at[2]], radius, move: other as [number, number, number] },
    ]
  })
  return (positions) => {
    for (let to = 0; to < positions.length; to += 3) {
      const [x, y, z] = [positions[to]!, positions[to + 1]!, positions[to + 2]!]
      let [dx, dy, dz] = [0, jaw(x, y, z) * mouthOpen, 0]
      for (const { at, radius, move } of bumps) {
        const [ox, oy, oz] = [x - at[0], y - at[1], z - at[2]]
        const near = 1 - (ox * ox + oy * oy + oz * oz) / (radius * radius)
        if (near <= 0) continue
        const weight = near * near
        dx += weight * move[0]
        dy += weight * move[1]
        dz += weight * move[2]
      }
      positions[to] = (x + dx) * scale[0]
      positions[to + 1] = (y + dy) * scale[1]
      positions[to + 2] = (z + dz) * scale[2]
    }
  }
}

/** How much of the jaw's opening a point takes part in. The step from lip to lip widens towards the cheeks. */
function jaw(x: number, y: number, z: number): number {
  if (z > 0) return 0
  const side = Math.max(0, Math.abs(x) - 1.2)
  const t = (y - lips.above + side) / (lips.below - lips.above + 3 * side)
  const opened = t <= 0 ? 0 : t >= 1 ? 1 : t * t * (3 - 2 * t)
  return opened * Math.max(0, 1 - Math.max(0, z + 4) / 4)
}
