import type { Degrees } from '../../pose/euler.ts'
import { meanError } from '../errorFigures.ts'
import { fewImages } from '../fewImages.ts'
import type { TrendRun } from '../trend.ts'
import { medianOf, worseFactor } from './standsOut.ts'

/** A run as it is drawn. */
export interface DrawnRun extends TrendRun {
  /** Mean over the angles that the network gives. */
  readonly stateError: Degrees | null
  readonly ownError: Degrees | null
  /** Its own error is more than half as large again as the median of those of the runs before. */
  readonly isWorse: boolean
}

/** In the order of the runs. */
export function drawnRuns(runs: readonly TrendRun[]): DrawnRun[] {
  const before: Degrees[] = []
  return runs.map((run) => {
    const ownError = meanError(run.ownErrors)
    const counts = ownError !== null && (run.ownErrors?.n ?? 0) >= fewImages
    const isWorse = counts && before.length > 0 && ownError > worseFactor * medianOf(before)
    if (counts) before.push(ownError)
    return { ...run, stateError: meanError(run.stateErrors), ownError, isWorse }
  })
}
