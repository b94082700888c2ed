import { anglesWithErrors, beyondLabelLimit, posesOf, type RowAngles } from '../../output/rowErrors.ts'
import { angleError, angleNames, type AngleName, type Degrees, type Pose } from '../../pose/euler.ts'
import { geodesicError } from '../../pose/geodesic.ts'
import type { ComparedRow } from './comparedRow.ts'

/** The errors of one row. */
export interface RowErrors {
  readonly signed: Readonly<Record<AngleName, Degrees>>
  /** Mean of |error| over the angles that are compared. */
  readonly mean: Degrees
  /** NaN where an angle is missing. */
  readonly geodesic: Degrees
}

/** The errors of two rows of one image, over the angles that both have an error of. */
export interface PairedErrors {
  readonly angles: readonly AngleName[]
  readonly a: RowErrors
  readonly b: RowErrors
}

/** Null where the two have no error in common, or a label lies beyond ±99°. */
export function pairedErrors(a: ComparedRow, b: ComparedRow): PairedErrors | null {
  if (beyondLabelLimit(a) || beyondLabelLimit(b)) return null
  const ofB = anglesWithErrors(b)
  const angles = anglesWithErrors(a).filter((angle) => ofB.includes(angle))
  return angles.length === 0 ? null : { angles, a: rowErrors(a, angles), b: rowErrors(b, angles) }
}

/** The errors of one row alone; null where it has none, or its label lies beyond ±99°. */
export function ownErrors(
  row: ComparedRow,
): { readonly angles: readonly AngleName[]; readonly errors: RowErrors } | null {
  if (row.status === 'failed' || beyondLabelLimit(row)) return null
  const angles = anglesWithErrors(row)
  return angles.length === 0 ? null : { angles, errors: rowErrors(row, angles) }
}

function rowErrors(row: ComparedRow, angles: readonly AngleName[]): RowErrors {
  const signed = { yaw: row.errorYaw ?? NaN, pitch: row.errorPitch ?? NaN, roll: row.errorRoll ?? NaN }
  let sum = 0
  for (const angle of angles) sum += Math.abs(signed[angle])
  const poses = posesOf(row)
  return {
    signed,
    mean: sum / angles.length,
    geodesic: poses === null ? NaN : geodesicError(poses.estimate, poses.label),
  }
}

/** How far two estimates of one image lie apart. */
export interface Disagreement {
  readonly angles: readonly AngleName[]
  /** Estimate of B − estimate of A, wrapped to [−180, 180). */
  readonly signed: Readonly<Record<AngleName, Degrees>>
  /** Mean of |estimate of B − estimate of A| over the angles that both give. */
  readonly mean: Degrees
  /** The angle of the one rotation from one to the other; NaN where an angle is missing. */
  readonly geodesic: Degrees
}

/** Null where the two give no angle in common, as classifiers. */
export function disagreement(a: RowAngles, b: RowAngles): Disagreement | null {
  const angles = angleNames.filter((angle) => a[angle] !== null && b[angle] !== null)
  if (angles.length === 0) return null
  const apart = (angle: AngleName): Degrees => {
    const [before, after] = [a[angle], b[angle]]
    return before === null || after === null ? NaN : angleError(after, before)
  }
  const signed = { yaw: apart('yaw'), pitch: apart('pitch'), roll: apart('roll') }
  let sum = 0
  for (const angle of angles) sum += Math.abs(signed[angle])
  const [poseA, poseB] = [poseOf(a), poseOf(b)]
  return {
    angles,
    signed,
    mean: sum / angles.length,
    geodesic: poseA === null || poseB === null ? NaN : geodesicError(poseB, poseA),
  }
}

function poseOf({ yaw, pitch, roll }: RowAngles): Pose | null {
  return yaw === null || pitch === null || roll === null ? null : { yaw, pitch, roll }
}
