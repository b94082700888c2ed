import type { ErrorFigures } from '../../src/report/errorFigures.ts'
import type { TrendRun } from '../../src/report/trend.ts'

/** Errors that are the same in each angle. */
export function figures(mean: number, n = 1000): ErrorFigures {
  const mae = { yaw: mean, pitch: mean, roll: mean, mean }
  return {
    columns: ['yaw', 'pitch', 'roll', 'mean'],
    mae,
    median: mae,
    bias: undefined,
    n,
    excluded: 0,
    geodesicMean: mean,
  }
}

/** A nightly run, the i-th; `own`: its own errors. */
export function trendRun(i: number, own: ErrorFigures | null, parts: Partial<TrendRun> = {}): TrendRun {
  return {
    run: `run ${i}`,
    closedAt: new Date(Date.UTC(2026, 10, 1 + i, 2)).toISOString(),
    state: 'completed',
    counts: { total: 100_000, computed: 1000, unchanged: 99_000, failed: 3, gone: 0 },
    imagesPerSecond: 900,
    stateErrors: figures(4),
    ownErrors: own,
    ownFailed: 1,
    ...parts,
  }
}
