import { expect, it } from 'vitest'
import type { Call } from '../../../src/cli/command.ts'
import { conclude } from '../../../src/cli/shared/conclude.ts'
import type { ResultSet } from '../../../src/output/resultSet.ts'
import type { RunSummary, Summary } from '../../../src/output/summary.ts'
import { emptySummary } from '../../support/emptySummary.ts'

/** What a run prints at its end. */
function said(summary: Summary): string {
  let text = ''
  const call = {
    settings: { json: false, quiet: false, strict: false },
    surroundings: { results: { write: (more: string) => (text += more) } },
    display: { end: () => undefined },
  } as unknown as Call
  expect(conclude(call, { id: 's', options: { objectives: ['yaw'] } } as unknown as ResultSet, summary)).toBe(0)
  return text
}

const figures = (n: number, yaw: number) => {
  const mae = { yaw, pitch: 2, roll: 3, mean: 4 }
  return { mae, bias: { yaw: 0, pitch: 0, roll: 0 }, errors: { n, excluded: 0, median: mae, geodesicMean: 5 } }
}
const state = { ...emptySummary, ...figures(98, 1.5), failures: { 'corrupt-image': 2 } }
const counts = { ...emptySummary.counts, total: 100, failed: 2, computed: 10, unchanged: 90 }
const own: RunSummary = { n: 10, ...figures(9, 7), failures: { 'corrupt-image': 1 } }

it("says of errors and failures which are this run's own, where the state has others", () => {
  const text = said({ ...state, counts, thisRun: own })
  expect(text).toContain('2: corrupt-image 2 (1 of them in this run); listed in')
  expect(text).toMatch(/\nover 98 labelled images; .*\nover the 9 of this run alone: mean absolute error yaw 7.00, /)
  expect(said({ ...state, counts, thisRun: { ...own, failures: {} } })).toContain(' (none of them in this run);')
})

it('says no more than the state where that is all of this run, or the run computed nothing', () => {
  const first = said({ ...state, counts, thisRun: { n: 100, ...figures(98, 1.5), failures: state.failures } })
  expect(first).not.toContain('this run')
  expect(first).toBe(said({ ...state, counts }))
})
