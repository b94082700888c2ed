import { describe, expect, it } from 'vitest'
import { evaluate } from '../../src/saliency/engines/reference.ts'
import { make } from '../../src/saliency/ops.ts'
import { drawMap, magnitudeMap, statistics } from '../../src/saliency/picture.ts'
import { seededRandom } from '../support/operationExamples.ts'

const [height, width] = [40, 33]
const g = make('input', [], { name: 'g', shape: [1, 3, height, width], dtype: 'float32' })

function run(outputs: Record<string, ReturnType<typeof drawMap>>, gradient: ArrayLike<number>) {
  return evaluate({ outputs: new Map(Object.entries(outputs)) }, new Map([['g', gradient]]))
}

const random = seededRandom(5)
const gradient = Float64Array.from({ length: 3 * height * width }, () => random() ** 3 + 0.1)

describe('pictures of a gradient', () => {
  it('style origin: mean 0.5, standard deviation 0.1, clipped, height × width × 3', () => {
    const map = run({ map: drawMap(g, 'origin') }, gradient).get('map') ?? []
    const mean = gradient.reduce((a, b) => a + b) / gradient.length
    const std = Math.sqrt(gradient.reduce((a, b) => a + (b - mean) ** 2, 0) / gradient.length)
    const expected = (y: number, x: number, c: number): number => {
      const value = gradient[(c * height + y) * width + x] ?? NaN
      return Math.round(Math.min(1, Math.max(0, ((value - mean) / std) * 0.1 + 0.5)) * 255)
    }
    for (const [y, x, c] of [
      [0, 0, 0],
      [3, 7, 1],
      [39, 32, 2],
    ] as const) {
      expect(map[(y * width + x) * 3 + c]).toBe(expected(y, x, c))
    }
  })

  it('style magnitude: max |g| over channels, over its 99.5th percentile', () => {
    const map = run({ map: drawMap(g, 'magnitude') }, gradient).get('map') ?? []
    const magnitude = Array.from({ length: height * width }, (_, i) =>
      Math.max(...[0, 1, 2].map((c) => Math.abs(gradient[c * height * width + i] ?? NaN))),
    )
    const sorted = magnitude.toSorted((a, b) => a - b)
    const rank = 0.995 * (sorted.length - 1)
    const [low = NaN, high = NaN] = [sorted[Math.floor(rank)], sorted[Math.ceil(rank)]]
    const percentile = low + (high - low) * (rank - Math.floor(rank))
    expect([...map]).toEqual(magnitude.map((value) => Math.round(Math.min(1, value / percentile) * 255)))
  })

  it('a gradient of zeros gives flat pictures, not NaN', () => {
    const results = run(
      {
        origin: drawMap(g, 'origin'),
        magnitude: drawMap(g, 'magnitude'),
        small: magnitudeMap(g),
        stats: statistics(g),
      },
      new Float64Array(gradient.length),
    )
    expect(new Set(results.get('origin'))).toEqual(new Set([128]))
    expect(new Set(results.get('magnitude'))).toEqual(new Set([0]))
    expect(new Set(results.get('small'))).toEqual(new Set([0]))
    expect([...(results.get('stats') ?? [])]).toEqual([0, 0, 0])
  })
})

describe('numbers beside the picture', () => {
  it('mean, population standard deviation and largest magnitude', () => {
    const [mean, std, max] = run({ stats: statistics(g) }, gradient).get('stats') ?? []
    const expectedMean = gradient.reduce((a, b) => a + b) / gradient.length
    expect(mean).toBeCloseTo(expectedMean, 6)
    expect(std).toBeCloseTo(Math.sqrt(gradient.reduce((a, b) => a + (b - expectedMean) ** 2, 0) / gradient.length), 6)
    expect(max).toBe(Math.max(...gradient.map(Math.abs)))
  })

  it('28 × 28 means with unit sum; a bright corner stays in its corner', () => {
    const corner = new Float64Array(gradient.length)
    corner[2 * height * width] = -4
    const small = [...(run({ small: magnitudeMap(g) }, corner).get('small') ?? [])]
    expect(small).toHaveLength(28 * 28)
    expect(small.reduce((a, b) => a + b, 0)).toBeCloseTo(1, 6)
    // 40 × 33 pixels: the first of 28 stretches is longer than one pixel both ways, so all of it lies in the first cell.
    expect(small[0]).toBeCloseTo(1, 6)
  })
})
