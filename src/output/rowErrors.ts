import { angleNames, type AngleName, type Degrees, type Pose } from '../pose/euler.ts'
import { geodesicError } from '../pose/geodesic.ts'
import { isBeyondLabelLimit } from '../pose/labelLimit.ts'

/** The columns of a table row that its errors follow from. */
export interface RowAngles {
  readonly yaw: Degrees | null
  readonly pitch: Degrees | null
  readonly roll: Degrees | null
  readonly labelYaw: Degrees | null
  readonly labelPitch: Degrees | null
  readonly labelRoll: Degrees | null
}

/** Whether a label lies beyond ±99°, which leaves the sample out of all means of errors. */
export function beyondLabelLimit({
  labelYaw,
  labelPitch,
  labelRoll,
}: Omit<RowAngles, 'yaw' | 'pitch' | 'roll'>): boolean {
  return isBeyondLabelLimit([labelYaw, labelPitch, labelRoll])
}

/** Estimate and label of a row; null unless it has all six angles. */
export function posesOf(row: RowAngles): { readonly estimate: Pose; readonly label: Pose } | null {
  const estimate = poseOf(row.yaw, row.pitch, row.roll)
  const label = poseOf(row.labelYaw, row.labelPitch, row.labelRoll)
  return estimate === null || label === null ? null : { estimate, label }
}

/** Column `errorGeodesic`; null where the row has no error of all three angles. */
export function rowGeodesicError(row: RowAngles): Degrees | null {
  const poses = posesOf(row)
  return poses === null ? null : geodesicError(poses.estimate, poses.label)
}

/** Column `leftOutOfErrors`: null where there is no error that could be left out. */
export function rowLeftOutOfErrors(row: RowAngles): boolean | null {
  return anglesWithErrors(row).length === 0 ? null : beyondLabelLimit(row)
}

/** The angles that the network gives, where a label has them all: other labels count for none. */
export function anglesWithErrors(row: RowAngles): readonly AngleName[] {
  const label = { yaw: row.labelYaw, pitch: row.labelPitch, roll: row.labelRoll }
  const estimated = angleNames.filter((angle) => row[angle] !== null)
  return estimated.every((angle) => label[angle] !== null) ? estimated : []
}

function poseOf(yaw: Degrees | null, pitch: Degrees | null, roll: Degrees | null): Pose | null {
  return yaw === null || pitch === null || roll === null ? null : { yaw, pitch, roll }
}
