import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { errorBin, errorBinCount, errorBinEdges, percentile } from '../../../src/report/aggregates/errorBins.ts'

/** Not `fc.double`: nearly all of its numbers lie close to 0. */
const degrees = fc.integer({ min: 0, max: 18_000 }).map((hundredths) => hundredths / 100)

function histogramOf(errors: readonly number[]): [number, number][] {
  const counts = new Map<number, number>()
  for (const error of errors) counts.set(errorBin(error), (counts.get(errorBin(error)) ?? 0) + 1)
  return [...counts].sort(([a], [b]) => a - b)
}

describe('bins of errors', () => {
  it('hold what lies between their edges, the lower one among it, whatever the sign', () => {
    fc.assert(
      fc.property(fc.oneof(degrees, fc.constantFrom(...errorBinEdges)), (error) => {
        const bin = errorBin(error)
        expect(errorBin(-error)).toBe(bin)
        expect(errorBinEdges[bin]).toBeLessThanOrEqual(error)
        if (error < 180) expect(errorBinEdges[bin + 1]).toBeGreaterThan(error)
        else expect(bin).toBe(errorBinCount - 1)
      }),
    )
  })

  it('stay what they are, since counts lie in files', () => {
    expect(errorBinEdges).toHaveLength(33)
    expect(errorBinEdges.slice(18)).toEqual([9, 9.5, 10, 12, 15, 20, 25, 30, 40, 50, 60, 75, 90, 120, 180])
  })
})

describe('percentiles', () => {
  it('lie in the bin that holds the sample of their rank', () => {
    fc.assert(
      fc.property(
        fc.array(degrees, { minLength: 1 }),
        fc.integer({ min: 1, max: 8 }).map((eighths) => eighths / 8),
        (errors, share) => {
          const sorted = [...errors].sort((a, b) => a - b)
          const bin = errorBin(sorted[Math.ceil(share * errors.length) - 1] ?? Number.NaN)
          const found = percentile(histogramOf(errors), share)
          expect(found).toBeGreaterThanOrEqual(errorBinEdges[bin] ?? Number.NaN)
          expect(found).toBeLessThanOrEqual(errorBinEdges[bin + 1] ?? Number.NaN)
        },
      ),
    )
  })

  it('are interpolated within their bin', () => {
    expect(percentile([[4, 10]], 0.2)).toBe(2.1)
    expect(
      percentile(
        [
          [0, 90],
          [20, 10],
        ],
        0.95,
      ),
    ).toBe(11)
  })

  it('are none where there is no sample', () => {
    expect(percentile([], 0.5)).toBeNaN()
  })
})
