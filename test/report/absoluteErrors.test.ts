import { expect, it } from 'vitest'
import { AbsoluteErrors, exactMedianLimit } from '../../src/report/absoluteErrors.ts'

function errorsOf(values: Iterable<number>): AbsoluteErrors {
  const errors = new AbsoluteErrors()
  for (const value of values) errors.add(value)
  return errors
}

it('takes the middle of the two middle samples when their number is even', () => {
  expect(errorsOf([-4, 1, 3, -2]).median()).toBe(2.5)
  expect(errorsOf([-4, 1, 3]).median()).toBe(3)
})

it('is exact up to the limit and right to half a bin beyond', () => {
  const values = Array.from({ length: exactMedianLimit }, (_, i) => ((i * 7919) % exactMedianLimit) / 1000)
  const exact = (exactMedianLimit - 1) / 2 / 1000
  expect(errorsOf(values).median()).toBeCloseTo(exact, 10)
  const binned = errorsOf([...values, 180]).median()
  expect(Math.abs(binned - exact)).toBeLessThan(0.006)
  expect(binned).not.toBe(exact)
})

it('holds an error of exactly 180°', () => {
  expect(errorsOf(Array.from({ length: exactMedianLimit + 1 }, () => -180)).median()).toBeCloseTo(180, 1)
})
