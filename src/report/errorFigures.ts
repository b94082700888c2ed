import type { Summary } from '../output/summary.ts'
import { angleNames, type AngleName, type Degrees } from '../pose/euler.ts'

type ByAngle = { readonly [K in AngleName | 'mean']?: Degrees | undefined }

/** The errors of a summary, whichever angles the network gives, as `run` and the report show them. */
export interface ErrorFigures {
  /** The angles that have errors, and their mean where these are all three. */
  readonly columns: readonly (AngleName | 'mean')[]
  readonly mae: ByAngle
  readonly median: ByAngle
  /** Has no mean: one of the three would let yaw's make up for roll's. Summaries of earlier versions have none at all. */
  readonly bias: ByAngle | undefined
  /** How many samples they are over, and how many are left out for a label beyond ±99°. */
  readonly n: number
  readonly excluded: number
  /** Undefined where an angle is missing. */
  readonly geodesicMean: Degrees | undefined
}

/** Undefined where no sample has both an estimate and a label. */
export function errorFigures({
  mae,
  bias,
  errors,
  partialErrors,
}: Pick<Summary, 'mae' | 'bias' | 'errors' | 'partialErrors'>): ErrorFigures | undefined {
  if (mae !== null && errors !== null) {
    return { columns: [...angleNames, 'mean'], mae, bias: bias ?? undefined, ...errors }
  }
  if (partialErrors === undefined) return undefined
  const columns = angleNames.filter((angle) => partialErrors.mae[angle] !== undefined)
  return { columns, ...partialErrors, geodesicMean: undefined }
}

/** Mean over the angles that the network gives; null where no sample has an error. */
export function meanError(figures: ErrorFigures | null): Degrees | null {
  if (figures === null) return null
  const angles = figures.columns.filter((column) => column !== 'mean')
  const sum = angles.reduce((total, angle) => total + (figures.mae[angle] ?? 0), 0)
  return figures.mae.mean ?? sum / angles.length
}

/** The angles that the network does not give, for people: `roll`, `pitch and roll`; undefined where it gives all. */
export function missingAngles({ columns }: ErrorFigures): string | undefined {
  const missing = angleNames.filter((angle) => !columns.includes(angle))
  return missing.length === 0 ? undefined : missing.join(' and ')
}
