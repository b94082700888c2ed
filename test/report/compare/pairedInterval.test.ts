import { describe, expect, it } from 'vitest'
import { clusterLimit, ClusterTally, type ClusterSums } from '../../../src/report/compare/clusterSums.ts'
import { expandedTail } from '../../../src/report/compare/expandedLevel.ts'
import { clusterIntervals, RunningSpread, type Interval } from '../../../src/report/compare/pairedInterval.ts'
import { seededRandom } from '../../support/operationExamples.ts'

const images = [1, 8, 4, 11, 7, 3, 10, 6, 2, 9, 5, 1]
const sums = [
  3.024413, 25.823138, 3.69344, -19.474482, -16.63741, -1.014739, 24.709598, 20.808448, 3.472711, -10.18857, -12.499853,
  -1.109719,
]
const unequal: ClusterSums = { n: Float64Array.from(images), sums: [Float64Array.from(sums)], areShared: false }

describe('resampling of clusters', () => {
  // NumPy 2 with the same xorshift: percentiles 1.07566 and 98.92434 of sums[draws].sum() / images[draws].sum(), 2,000
  // times.
  it('gives the percentiles that NumPy gives for the same draws', () => {
    const [interval] = clusterIntervals(unequal, 1)
    expect(interval?.low).toBeCloseTo(-1.344226, 3)
    expect(interval?.high).toBeCloseTo(2.21843, 3)
  })

  // NumPy with 400,000 draws of its own generator: −1.345 and 2.098.
  it('gives, within what 2,000 draws can tell, the percentiles of very many', () => {
    const [interval] = clusterIntervals(unequal, 12_345)
    expect(Math.abs((interval?.low ?? NaN) - -1.345)).toBeLessThan(0.1)
    expect(Math.abs((interval?.high ?? NaN) - 2.098)).toBeLessThan(0.1)
  })

  it('is the same each time, and shares its draws among the metrics', () => {
    const twice = { ...unequal, sums: [...unequal.sums, Float64Array.from(sums, (sum) => 2 * sum)] }
    const [one, two] = clusterIntervals(twice, 1)
    expect(one).toEqual(clusterIntervals(unequal, 1)[0])
    expect(two?.high).toBeCloseTo(2 * (one?.high ?? NaN))
  })

  it('says nothing of one cluster alone, nor of a metric without numbers', () => {
    const one = { n: Float64Array.of(7), sums: [Float64Array.of(3)], areShared: false }
    expect(clusterIntervals(one, 1)).toEqual([null])
    const lacking = { ...unequal, sums: [Float64Array.from(sums, () => NaN)] }
    expect(clusterIntervals(lacking, 1)).toEqual([null])
  })
})

describe('of few clusters', () => {
  // By the integral of Student's t and the complementary error function in double precision.
  it.each([
    [3, 6.834137e-8],
    [5, 9.541006e-4],
    [10, 8.550639e-3],
    [20, 1.588083e-2],
    [32, 1.912583e-2],
    [41, 2.036919e-2],
    [1000, 2.480431e-2],
  ])('less is left out at the ends of an interval: %i', (clusters, share) => {
    expect(Math.abs(expandedTail(clusters) - share)).toBeLessThan(1e-5)
  })
})

describe('of very many independent images', () => {
  // NumPy: mean ± 1.959963984540054 · std(ddof=1) / √500.
  it('the interval is the one by the normal distribution', () => {
    const spread = new RunningSpread()
    for (let i = 0; i < 500; i++) spread.add(Math.round((Math.cos(i * 0.37) * 4 + 1) * 1e6) / 1e6)
    expect(spread.interval()?.low).toBeCloseTo(0.7671763920980141, 9)
    expect(spread.interval()?.high).toBeCloseTo(1.2631453079019859, 9)
  })
})

describe('an interval of 95 %', () => {
  const rounds = 300
  const uniform = seededRandom(20_261_130)
  const random = () => (uniform() + 1) / 2
  const normal = () => Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random())

  /** Differences of 40 subjects with 5 to 60 images each; each subject has one of its own, and the true mean is 0. */
  const drawn = () => {
    const subjects = new ClusterTally(1)
    const single = new RunningSpread()
    for (let subject = 0; subject < 40; subject++) {
      const own = normal()
      const count = 5 + Math.floor(random() * 56)
      for (let image = 0; image < count; image++) {
        const difference = own + 2 * normal()
        subjects.add(String(subject), [difference])
        single.add(difference)
      }
    }
    return { bySubject: clusterIntervals(subjects.finish(), 1)[0], byImage: single.interval() }
  }
  const holdsZero = (interval: Interval | null | undefined) => (interval?.low ?? 1) <= 0 && (interval?.high ?? -1) >= 0

  it('holds the truth in about 95 of 100 cases where subjects are resampled, and far less often where images are', () => {
    let [bySubject, byImage] = [0, 0]
    for (let round = 0; round < rounds; round++) {
      const intervals = drawn()
      if (holdsZero(intervals.bySubject)) bySubject++
      if (holdsZero(intervals.byImage)) byImage++
    }
    expect(bySubject / rounds).toBeGreaterThan(0.9)
    expect(bySubject / rounds).toBeLessThan(0.985)
    expect(byImage / rounds).toBeLessThan(0.7)
  })
})

describe('clusters', () => {
  it('beyond the limit share the places of others, and lose no image', () => {
    const tally = new ClusterTally(1)
    for (let i = 0; i < clusterLimit + 500; i++) tally.add(`subject ${i}`, [1])
    const { n, sums: told, areShared } = tally.finish()
    expect(areShared).toBe(true)
    expect(n).toHaveLength(clusterLimit)
    expect(n.reduce((sum, count) => sum + count, 0)).toBe(clusterLimit + 500)
    expect(told[0]?.reduce((sum, value) => sum + value, 0)).toBe(clusterLimit + 500)
    expect(Math.max(...n)).toBeLessThan(10)
  })
})
