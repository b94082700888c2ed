import { angleNames, type AngleName } from '../../../pose/euler.ts'
import type { Node } from '../../graph.ts'
import { constant, make, scalar } from '../../ops.ts'

// Rotations as graph nodes. Vectors are N×3, numbers N×1.

/** A matrix by rows; what no angle needs never becomes part of the graph. */
export type RotationNodes = readonly [Row, Row, Row]
type Row = readonly [Node, Node, Node]

/** Below it a length counts as this one: 6DRepNet's, so that nothing is divided by zero. */
const smallestLength = 1e-8

/** 6DRepNet's: where the cosine of yaw is below it, pitch and roll turn about one axis. */
const gimbalLock = 1e-6

/** Columns `start` to `start + count − 1`. */
export function part(values: Node, start: number, count: number): Node {
  return make('slice', [values], { axis: 1, start, end: start + count })
}

/** v / max(‖v‖, 1e-8), over the columns. A vector of zeros stays one, and no gradient passes it. */
export function unit(v: Node): Node {
  const square = make('reduceSum', [make('mul', [v, v])], { axes: [1] })
  return make('div', [v, make('clip', [make('sqrt', [square])], { min: smallestLength, max: 1e30 })])
}

/** u × v. */
export function cross(u: Node, v: Node): Node {
  return make('sub', [make('mul', [turned(u, 1), turned(v, 2)]), make('mul', [turned(u, 2), turned(v, 1)])])
}

/** Component (i + by) mod 3 in place i. A product with zeros and ones is exact, and its gradient is one node. */
function turned(v: Node, by: 1 | 2): Node {
  const permutation = new Float32Array(9)
  for (let i = 0; i < 3; i++) permutation[((i + by) % 3) * 3 + i] = 1
  return make('matmul', [v, constant(permutation, [3, 3])], { transposeB: false })
}

/** The three numbers of a vector. */
export function components(v: Node): Row {
  return [part(v, 0, 1), part(v, 1, 1), part(v, 2, 1)]
}

export function transposed([a, b, c]: RotationNodes): RotationNodes {
  return [
    [a[0], b[0], c[0]],
    [a[1], b[1], c[1]],
    [a[2], b[2], c[2]],
  ]
}

interface AngleRule {
  readonly euler: 'zyx' | 'xyz'
  readonly transpose?: true | undefined
  readonly signs?: { readonly [K in AngleName]?: 1 | -1 | undefined } | undefined
}

/** Yaw, pitch and roll in degrees, N×1 each, as `rule` reads them in the matrix. */
export function anglesOfRotation(matrix: RotationNodes, rule: AngleRule): ReadonlyMap<AngleName, Node> {
  const rotation = rule.transpose ? transposed(matrix) : matrix
  const radians = rule.euler === 'zyx' ? zyxAngles(rotation) : xyzAngles(rotation)
  return new Map(
    angleNames.map((name) => [name, make('mul', [radians[name], scalar(((rule.signs?.[name] ?? 1) * 180) / Math.PI)])]),
  )
}

/**
 * The angles of R = Rz(roll) · Ry(yaw) · Rx(pitch), as 6DRepNet's `compute_euler_angles_from_rotation_matrices` reads them
 * (github.com/thohemp/6DRepNet). Yaw lies within ±90°.
 *
 * Where the nose points straight to a side (cos yaw < 1e-6) that code sets roll to 0 and reads pitch in other entries; so
 * does this. The gradient there is that of what is read: roll has none, pitch that of its other form. Yaw has the slope 0
 * at exactly ±90°, which is a corner of it: no rotation has a larger one.
 */
function zyxAngles([r0, r1, r2]: RotationNodes): Readonly<Record<AngleName, Node>> {
  const cosine = make('sqrt', [make('sum', [make('mul', [r0[0], r0[0]]), make('mul', [r1[0], r1[0]])])])
  const usual = make('step', [make('sub', [cosine, scalar(gimbalLock)])])
  const locked = make('sub', [scalar(1), usual])
  // The arguments are chosen, not the angles: an angle that is not chosen may have a slope beyond all numbers, and 0 times
  // that is NaN.
  const choose = (value: Node, otherwise: Node) =>
    make('add', [make('mul', [usual, value]), make('mul', [locked, otherwise])])
  return {
    yaw: make('atan2', [negative(r2[0]), cosine]),
    pitch: make('atan2', [choose(r2[1], negative(r1[2])), choose(r2[2], r1[1])]),
    roll: make('atan2', [make('mul', [usual, r1[0]]), make('add', [make('mul', [usual, r0[0]]), locked])]),
  }
}

/**
 * The angles of M = Rx(−pitch) · Ry(yaw) · Rz(roll), see `poseOfRotation` of pose/geodesic.ts. Yaw lies within ±90°; at
 * these, pitch and roll are read from zeros, which gives 0 and no gradient.
 */
function xyzAngles([m0, m1, m2]: RotationNodes): Readonly<Record<AngleName, Node>> {
  const cosine = make('sqrt', [make('sum', [make('mul', [m1[2], m1[2]]), make('mul', [m2[2], m2[2]])])])
  return {
    yaw: make('atan2', [m0[2], cosine]),
    pitch: make('atan2', [m1[2], m2[2]]),
    roll: make('atan2', [negative(m0[1]), m0[0]]),
  }
}

function negative(x: Node): Node {
  return make('mul', [x, scalar(-1)])
}
