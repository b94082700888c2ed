import type { GeodesicErrors, Group } from '../../output/aggregates.ts'
import { angleNames, type AngleName, type Degrees } from '../../pose/euler.ts'

/** The angles that have an error in the group: those that the network gives, where a label has them. */
export function anglesOf(group: Group): readonly AngleName[] {
  return angleNames.filter((angle) => (group.errors[angle]?.n ?? 0) > 0)
}

/** How many images of the group have an error. */
export function measured(group: Group): number {
  return Math.max(0, ...angleNames.map((angle) => group.errors[angle]?.n ?? 0))
}

/** Mean |error|; undefined where nothing has one. */
export function meanAbsolute(errors: GeodesicErrors | undefined): Degrees | undefined {
  return errors === undefined || errors.n === 0 ? undefined : errors.absoluteSum / errors.n
}

/** Mean |error| over the angles that the network gives; an image has an error of all of them or of none. */
export function meanOfAngles(group: Group): Degrees | undefined {
  const means = angleNames.map((angle) => meanAbsolute(group.errors[angle])).filter((mean) => mean !== undefined)
  return means.length === 0 ? undefined : means.reduce((sum, mean) => sum + mean, 0) / means.length
}

/** Mean of estimate − label; undefined where nothing has an error. */
export function biasOf(group: Group, angle: AngleName): Degrees | undefined {
  const errors = group.errors[angle]
  return errors === undefined || errors.n === 0 ? undefined : errors.signedSum / errors.n
}
