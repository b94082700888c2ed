import type { Degrees, Pose } from './euler.ts'

/** Rows of a rotation matrix. */
export type Rotation = readonly [Row, Row, Row]
type Row = readonly [number, number, number]

/**
 * The matrix M = Rx(−pitch) · Ry(yaw) · Rz(roll) that turns head coordinates into camera coordinates (x right, y down, z
 * away from the camera). This is how BIWI's pose files hold it.
 */
export function rotationOf(pose: Pose): Rotation {
  const [sinP, cosP] = sinCos(-pose.pitch)
  const [sinY, cosY] = sinCos(pose.yaw)
  const [sinR, cosR] = sinCos(pose.roll)
  return [
    [cosY * cosR, -cosY * sinR, sinY],
    [cosP * sinR + sinP * sinY * cosR, cosP * cosR - sinP * sinY * sinR, -sinP * cosY],
    [sinP * sinR - cosP * sinY * cosR, sinP * cosR + cosP * sinY * sinR, cosP * cosY],
  ]
}

/**
 * The pose whose matrix this is, see `rotationOf`; how Hopenet reads BIWI's files, there from the transpose. Where the
 * nose points straight to a side (yaw ±90°) pitch and roll turn about one axis, and only their sum or difference counts.
 */
export function poseOfRotation([[m00, m01, m02], [, , m12], [, , m22]]: Rotation): Pose {
  return {
    yaw: degrees(Math.atan2(m02, Math.hypot(m12, m22))),
    pitch: degrees(Math.atan2(m12, m22)),
    roll: degrees(Math.atan2(-m01, m00)),
  }
}

/**
 * The angle in [0, 180] of the one rotation that leads from one pose to the other. Unlike errors of single angles it is
 * not inflated near ±90° yaw, where pitch and roll turn about the same axis.
 */
export function geodesicError(estimate: Pose, label: Pose): Degrees {
  const a = rotationOf(estimate)
  const b = rotationOf(label)
  const between = (row: 0 | 1 | 2, column: 0 | 1 | 2) =>
    a[0][row] * b[0][column] + a[1][row] * b[1][column] + a[2][row] * b[2][column]
  const twiceCosine = between(0, 0) + between(1, 1) + between(2, 2) - 1
  const twiceSine = Math.hypot(
    between(2, 1) - between(1, 2),
    between(0, 2) - between(2, 0),
    between(1, 0) - between(0, 1),
  )
  // Not acos of the trace: near 0° it loses half the digits, and rounding can push its argument past 1 (NaN).
  return degrees(Math.atan2(twiceSine, twiceCosine))
}

function degrees(radians: number): Degrees {
  return (radians * 180) / Math.PI
}

function sinCos(angle: Degrees): [number, number] {
  const radians = (angle * Math.PI) / 180
  return [Math.sin(radians), Math.cos(radians)]
}
