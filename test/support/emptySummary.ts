import type { Summary } from '../../src/output/summary.ts'

/** Of a run without failures, labels or engines. */
export const emptySummary: Summary = {
  run: 'r',
  output: 'file:///o/s/',
  state: 'completed',
  counts: { total: 0, computed: 0, unchanged: 0, failed: 0, gone: 0 },
  mae: null,
  errors: null,
  failures: {},
  imagesPerSecond: null,
  engine: [],
  mapCorrelations: {},
  startedAt: '2026-11-24T17:00:00.000Z',
  closedAt: '2026-11-24T17:09:00.000Z',
  headlightVersion: '0.1.0',
}
