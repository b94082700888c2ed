import { expect, test } from 'vitest'
import { errorTable } from '../../../src/cli/messages/errorTable.ts'

test('errors of a network that gives all three angles', () => {
  const mae = { yaw: 2.5, pitch: 3, roll: 12.345, mean: 5.948 }
  const bias = { yaw: -1.5, pitch: 1, roll: 0 }
  const columns = ['yaw', 'pitch', 'roll', 'mean'] as const
  expect(errorTable({ columns, mae, median: mae, bias, n: 1200, excluded: 3, geodesicMean: 7 })).toBe(
    `degrees                    yaw   pitch    roll    mean
mean absolute error       2.50    3.00   12.35    5.95
median absolute error     2.50    3.00   12.35    5.95
bias                     -1.50   +1.00    0.00
over 1,200 labelled images, 3 with a label beyond ±99° left out; mean geodesic error 7.00°
`,
  )
})

test('and of one that gives two', () => {
  const two = { yaw: 2.5, pitch: 3 }
  const figures = { columns: ['yaw', 'pitch'] as const, mae: two, median: two, bias: two, n: 2, excluded: 0 }
  expect(errorTable({ ...figures, geodesicMean: undefined })).toBe(
    `degrees                    yaw   pitch
mean absolute error       2.50    3.00
median absolute error     2.50    3.00
bias                     +2.50   +3.00
over 2 labelled images; the network gives no roll
`,
  )
})

test("and of the run's own images beside those of the state, where these are more", () => {
  const mae = { yaw: 2.5, pitch: 3, roll: 12.345, mean: 5.948 }
  const figures = { columns: ['yaw', 'pitch', 'roll', 'mean'] as const, mae, median: mae, bias: mae, excluded: 0 }
  const state = { ...figures, n: 1200, geodesicMean: 7 }
  expect(errorTable(state, { ...state, n: 12 }).slice(errorTable(state).length)).toBe(
    'over the 12 of this run alone: mean absolute error yaw 2.50, pitch 3.00, roll 12.35, mean 5.95\n',
  )
  expect(errorTable(state, { ...state, n: 1 })).toContain('over the one of this run alone: ')
  expect(errorTable(state, state)).toBe(errorTable(state))
})
