import { expect, it } from 'vitest'
import { isBeyondLabelLimit } from '../../src/pose/labelLimit.ts'

it.each([
  [[99, -99, 0], false],
  [[0, 0, -99.001], true],
  [[100, 0, 0], true],
  // The table holds float32, in which this is 99.
  [[99.000001, 0, 0], false],
  [[null, null, 120], true],
  [[null, null, null], false],
])('of %j: %s', (label, expected) => {
  expect(isBeyondLabelLimit(label)).toBe(expected)
})
