import { rotationOf } from '../../pose/geodesic.ts'
import { measureReader, type MeasureReader, type TableArrays } from './tableArrays.ts'

/**
 * The rows whose pose is nearest to that of `row`, nearest first and without itself: by the angle of the rotation from one
 * to the other where a row has all three angles, else by the distance in yaw and pitch. None where the row has no pose.
 */
export function nearestInPose(table: TableArrays, row: number, count: number): number[] {
  const yawOf = measureReader(table, 'poseYaw')
  const pitchOf = measureReader(table, 'posePitch')
  const rollOf = measureReader(table, 'poseRoll')
  if (yawOf === undefined || pitchOf === undefined || rollOf === undefined) return []
  const [yaw, pitch, roll] = [yawOf(row), pitchOf(row), rollOf(row)]
  if (Number.isNaN(yaw) || Number.isNaN(pitch)) return []
  const distance = Number.isNaN(roll)
    ? (other: number) => Math.hypot(yawOf(other) - yaw, pitchOf(other) - pitch)
    : rotationDistance({ yaw, pitch, roll }, yawOf, pitchOf, rollOf)
  const nearest = new Nearest(count)
  for (let other = 0; other < table.rows; other++) if (other !== row) nearest.offer(other, distance(other))
  return nearest.rows()
}

/** Falls with the trace of the rotation between both, as the angle rises: there is no need for the angle itself. */
function rotationDistance(
  pose: { readonly yaw: number; readonly pitch: number; readonly roll: number },
  yawOf: MeasureReader,
  pitchOf: MeasureReader,
  rollOf: MeasureReader,
): (other: number) => number {
  const [[a, b, c], [d, e, f], [g, h, i]] = rotationOf(pose)
  const radians = Math.PI / 180
  return (other) => {
    // The matrix of `rotationOf`, written out: a million small arrays would take ten times as long.
    const [p, y, r] = [-pitchOf(other) * radians, yawOf(other) * radians, rollOf(other) * radians]
    const [sinP, cosP, sinY, cosY, sinR, cosR] = [
      Math.sin(p),
      Math.cos(p),
      Math.sin(y),
      Math.cos(y),
      Math.sin(r),
      Math.cos(r),
    ]
    const trace =
      a * cosY * cosR -
      b * cosY * sinR +
      c * sinY +
      d * (cosP * sinR + sinP * sinY * cosR) +
      e * (cosP * cosR - sinP * sinY * sinR) -
      f * sinP * cosY +
      g * (sinP * sinR - cosP * sinY * cosR) +
      h * (sinP * cosR + cosP * sinY * sinR) +
      i * cosP * cosY
    return -trace
  }
}

/** The few nearest of many; of equally near ones the first that was offered. */
class Nearest {
  readonly #count: number
  readonly #found: { row: number; distance: number }[] = []

  constructor(count: number) {
    this.#count = count
  }

  offer(row: number, distance: number): void {
    if (Number.isNaN(distance)) return
    const last = this.#found.at(-1)
    if (this.#found.length === this.#count && (last === undefined || distance >= last.distance)) return
    let at = this.#found.length
    while (at > 0 && (this.#found[at - 1]?.distance ?? 0) > distance) at--
    this.#found.splice(at, 0, { row, distance })
    this.#found.length = Math.min(this.#found.length, this.#count)
  }

  rows(): number[] {
    return this.#found.map(({ row }) => row)
  }
}
