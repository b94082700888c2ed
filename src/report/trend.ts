import { InputError, SampleError } from '../base/errors.ts'
import { runIds } from '../output/runs.ts'
import { readSummary, type Summary } from '../output/summary.ts'
import type { Store } from '../storage/store.ts'
import { errorFigures, type ErrorFigures } from './errorFigures.ts'
import { mapBounded } from './mapBounded.ts'

/** The report shows so many runs: two months of nights. */
const shownRuns = 60
/** Summaries that are read at the same time. */
const concurrency = 16

/** One run as the course of runs shows it. */
export interface TrendRun {
  readonly run: string
  /** ISO instant. */
  readonly closedAt: string
  readonly state: Summary['state']
  readonly counts: Summary['counts']
  readonly imagesPerSecond: number | null
  /** Errors of the whole state that the run left; null where no image has one. */
  readonly stateErrors: ErrorFigures | null
  /** Errors of the images that the run itself computed; null where none has one, and of runs of earlier versions. */
  readonly ownErrors: ErrorFigures | null
  /** How many of the images that the run itself computed failed; null of runs of earlier versions. */
  readonly ownFailed: number | null
}

/**
 * The last runs of a result set that have a summary, oldest first. A summary that cannot be read, or is another's, is left
 * out: a report of tonight is not to fail for a run of last month. Raises what the store raises when it does not answer.
 */
export async function readTrend(output: Store, set: string): Promise<TrendRun[]> {
  const runs = (await runIds(output, set)).slice(-shownRuns)
  const summaries = await mapBounded(runs, concurrency, (run) => summaryIfAny(output, set, run))
  return summaries.filter((summary) => summary !== undefined).map(trendRun)
}

async function summaryIfAny(output: Store, set: string, run: string): Promise<Summary | undefined> {
  try {
    return await readSummary(output, set, run)
  } catch (error) {
    if (error instanceof InputError || error instanceof SampleError) return undefined
    throw error
  }
}

function failedOf(own: Summary['thisRun']): number | undefined {
  return own === undefined ? undefined : Object.values(own.failures).reduce((sum, count) => sum + count, 0)
}

function trendRun(summary: Summary): TrendRun {
  const { run, closedAt, state, counts, imagesPerSecond, thisRun } = summary
  return {
    run,
    closedAt,
    state,
    counts,
    imagesPerSecond,
    stateErrors: errorFigures(summary) ?? null,
    ownErrors: thisRun === undefined ? null : (errorFigures(thisRun) ?? null),
    ownFailed: counts.computed === 0 ? 0 : (failedOf(thisRun) ?? null),
  }
}
