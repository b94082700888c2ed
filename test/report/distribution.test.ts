import { expect, it } from 'vitest'
import { angleError } from '../../src/pose/euler.ts'
import { AngleDistribution } from '../../src/report/distribution.ts'
import { drawErrorHistogram } from '../../src/report/histogram.ts'
import { drawScatter } from '../../src/report/scatter.ts'

function labelled(pairs: Iterable<readonly [estimate: number, label: number]>): AngleDistribution {
  const distribution = new AngleDistribution()
  for (const [estimate, label] of pairs) distribution.addLabelled(estimate, label, angleError(estimate, label))
  return distribution
}

it('bins signed errors, none lost', () => {
  const histogram = labelled([[1.5, 0], [1.5, 0], [-1.5, 0], [0.01, 0]]).errorHistogram() // prettier-ignore
  expect(histogram).toMatchObject({ limit: 2, outside: 0 })
  // 20 bins of 0.2° from −2°.
  expect(histogram.counts[17]).toBe(2)
  expect(histogram.counts[2]).toBe(1)
  expect(histogram.counts[10]).toBe(1)
})

it('leaves the farthest hundredth of the errors out of the range and counts it', () => {
  const pairs = Array.from({ length: 1000 }, (_, i) => [i < 5 ? 80 : (i % 90) / 10 - 4.5, 0] as const)
  const histogram = labelled(pairs).errorHistogram()
  expect(histogram.limit).toBe(5)
  expect(histogram.outside).toBe(5)
  expect(histogram.counts.reduce((sum, count) => sum + count, 0)).toBe(995)
  expect(drawErrorHistogram('yaw', labelled(pairs))).toContain('5 beyond ±5°')
})

it('draws a point a sample up to a limit, then a density that still holds them all', () => {
  const pairs = Array.from({ length: 2001 }, (_, i) => [(i % 61) - 30, (i % 59) - 29] as const)
  const few = labelled(pairs.slice(0, 2000))
  expect(few.points()).toHaveLength(2000)
  expect(drawScatter('yaw', few)).toContain('class="dots')
  const many = labelled(pairs)
  expect(many.points()).toBeNull()
  expect(many.density().cells.reduce((sum, cell) => sum + cell.count, 0)).toBe(2001)
  expect(drawScatter('yaw', many)).toContain('class="cells"')
})

it('puts a sample into the cell that holds it, also at the end of the range', () => {
  const distribution = labelled(Array.from({ length: 2001 }, () => [180, -44.5] as const))
  expect(distribution.density().cells).toEqual([{ label: -45, estimate: 177, count: 2001 }])
})
