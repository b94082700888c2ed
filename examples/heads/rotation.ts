import type { Pose } from '../../src/pose/euler.ts'

/** Centimetres; x right, y down, z away from the camera. */
export type Vector = readonly [x: number, y: number, z: number]

/** Row-major 3×3. */
export type Matrix = readonly [number, number, number, number, number, number, number, number, number]

const perDegree = Math.PI / 180

/**
 * M = Rx(−pitch) · Ry(yaw) · Rz(roll), which turns a point of the head into the camera's axes. It is the matrix that BIWI's
 * `_pose.txt` holds, in the angles' convention of `src/pose/euler.ts`. The mirrored order or signs give heads that look
 * right one by one, with labels that no network could learn together.
 */
export function headRotation({ yaw, pitch, roll }: Pose): Matrix {
  return multiply(multiply(aboutX(-pitch * perDegree), aboutY(yaw * perDegree)), aboutZ(roll * perDegree))
}

/** The pose of a matrix, read as BIWI's is: from R, the transpose. */
export function poseOf(m: Matrix): Pose {
  const [m00, m01, m02, , , m12, , , m22] = m
  const degrees = (radians: number) => radians / perDegree
  return {
    yaw: degrees(Math.atan2(m02, Math.sqrt(m12 * m12 + m22 * m22))),
    pitch: degrees(Math.atan2(m12, m22)),
    roll: degrees(-Math.atan2(m01, m00)),
  }
}

export function multiply(a: Matrix, b: Matrix): Matrix {
  const cell = (row: number, column: number) =>
    (a[3 * row] ?? 0) * (b[column] ?? 0) +
    (a[3 * row + 1] ?? 0) * (b[column + 3] ?? 0) +
    (a[3 * row + 2] ?? 0) * (b[column + 6] ?? 0)
  return [cell(0, 0), cell(0, 1), cell(0, 2), cell(1, 0), cell(1, 1), cell(1, 2), cell(2, 0), cell(2, 1), cell(2, 2)]
}

export function apply(m: Matrix, [x, y, z]: Vector, t: Vector = [0, 0, 0]): Vector {
  return [
    m[0] * x + m[1] * y + m[2] * z + t[0],
    m[3] * x + m[4] * y + m[5] * z + t[1],
    m[6] * x + m[7] * y + m[8] * z + t[2],
  ]
}

function aboutX(a: number): Matrix {
  const [c, s] = [Math.cos(a), Math.sin(a)]
  return [1, 0, 0, 0, c, -s, 0, s, c]
}

function aboutY(a: number): Matrix {
  const [c, s] = [Math.cos(a), Math.sin(a)]
  return [c, 0, s, 0, 1, 0, -s, 0, c]
}

function aboutZ(a: number): Matrix {
  const [c, s] = [Math.cos(a), Math.sin(a)]
  return [c, -s, 0, s, c, 0, 0, 0, 1]
}
