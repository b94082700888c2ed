import fc from 'fast-check'
import { expect, it } from 'vitest'
import { Selection, type ReportRow } from '../../src/report/selection.ts'

function row(key: string, errors: readonly [number, number, number] | null, labelYaw = 0): ReportRow {
  return {
    key,
    status: 'ok',
    code: null,
    message: null,
    yaw: 0,
    pitch: 0,
    roll: 0,
    labelYaw: errors === null ? null : labelYaw,
    labelPitch: errors === null ? null : 0,
    labelRoll: errors === null ? null : 0,
    errorYaw: errors?.[0] ?? null,
    errorPitch: errors?.[1] ?? null,
    errorRoll: errors?.[2] ?? null,
    cropX0: 0,
    cropY0: 0,
    cropX1: 1,
    cropY1: 1,
  }
}

function choose(rows: readonly ReportRow[], each: number) {
  const selection = new Selection({ each, okTotal: rows.filter(({ status }) => status === 'ok').length })
  for (const next of rows) selection.add(next)
  return selection.finish()
}

it('takes the worst by mean absolute error, worst first, as sorting all of them would', () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: -50, max: 50 }), { maxLength: 60 }), (errors) => {
      const rows = errors.map((error, i) => row(`k${i}`, [error, 0, 0]))
      const worst = choose(rows, 7).filter((chosen) => chosen.worst)
      const sorted = errors.map((error, i) => ({ key: `k${i}`, size: Math.abs(error) }))
      sorted.sort((a, b) => b.size - a.size)
      expect(worst.map((chosen) => chosen.row.key)).toEqual(sorted.slice(0, 7).map(({ key }) => key))
    }),
  )
})

it('spaces the others evenly over the rows that did not fail', () => {
  const rows = Array.from({ length: 1000 }, (_, i) => row(`k${i}`, null))
  const failed = { ...row('failed', null), status: 'failed', code: 'vanished' }
  const chosen = choose([failed, ...rows, failed], 10)
  expect(chosen.map(({ row: { key } }) => key)).toEqual(
    [99, 199, 299, 399, 499, 599, 699, 799, 899, 999].map((i) => `k${i}`),
  )
  expect(chosen.every(({ worst, spaced, meanError }) => !worst && spaced && meanError === null)).toBe(true)
})

it('takes everything once when there is less than asked for', () => {
  const chosen = choose([row('a', [1, 1, 1]), row('b', [9, 9, 9]), row('c', null)], 10)
  expect(chosen.map(({ row: { key }, worst, spaced, order }) => [key, worst, spaced, order])).toEqual([
    ['b', true, true, 1],
    ['a', true, true, 0],
    ['c', false, true, 2],
  ])
})

it('never calls a sample with a label beyond ±99° one of the worst', () => {
  const chosen = choose([row('beyond', [150, 0, 0], 120), row('within', [3, 0, 0])], 1)
  expect(chosen.filter(({ worst }) => worst).map(({ row: { key } }) => key)).toEqual(['within'])
})
