import { describe, expect, it } from 'vitest'
import { binStatistics } from '../../src/pose/bins.ts'

describe('binStatistics', () => {
  it('of logits that are all alike', () => {
    const { topBin, topProbability, binsStd, binsEntropy } = binStatistics(new Float32Array(61).fill(4), 3)
    expect(topBin).toBe(0)
    expect(topProbability).toBeCloseTo(1 / 61, 12)
    // A uniform distribution over n steps has the variance (n² − 1)/12.
    expect(binsStd).toBeCloseTo(3 * Math.sqrt((61 ** 2 - 1) / 12), 10)
    expect(binsEntropy).toBeCloseTo(Math.log(61), 12)
  })

  it('of two bins of known odds', () => {
    const logits = new Float32Array(5).fill(-Infinity)
    logits[1] = Math.fround(Math.log(3))
    logits[4] = 0
    const { topBin, topProbability, binsStd, binsEntropy } = binStatistics(logits, 2)
    expect(topBin).toBe(1)
    expect(topProbability).toBeCloseTo(0.75, 7)
    expect(binsStd).toBeCloseTo(2 * 3 * Math.sqrt(0.75 * 0.25), 6)
    expect(binsEntropy).toBeCloseTo(-0.75 * Math.log(0.75) - 0.25 * Math.log(0.25), 7)
  })

  it('stays finite and non-negative when one bin holds everything', () => {
    const logits = new Float32Array(66).fill(-800)
    logits[65] = 800
    expect(binStatistics(logits, 3)).toEqual({ topBin: 65, topProbability: 1, binsStd: 0, binsEntropy: 0 })
    logits[64] = 760
    const { binsStd, binsEntropy } = binStatistics(logits, 3)
    expect(binsStd).toBeCloseTo(3 * Math.exp(-20), 15)
    expect(binsEntropy).toBeGreaterThan(0)
    expect(binsEntropy).toBeLessThan(1e-14)
  })

  it('does not depend on what is added to all logits, nor on the sign of the step', () => {
    const logits = Float32Array.from({ length: 61 }, (_, bin) => Math.fround(((bin * 37) % 19) / 4))
    const here = binStatistics(logits, 3)
    const there = binStatistics(
      logits.map((logit) => logit + 64),
      -3,
    )
    expect(there).toEqual(here)
  })

  it('takes the first of equal bins', () => {
    expect(binStatistics(Float32Array.from([1, 7, 3, 7]), 3).topBin).toBe(1)
  })
})
