import { describe, expect, it } from 'vitest'
import { float16Values } from '../../../src/base/float16.ts'
import { correlationStep, encodePoseMaps, mapPixels } from '../../../src/output/poseMaps.ts'
import { InputSums, MagnitudeSums } from '../../../src/report/aggregates/poseSums.ts'
import { seededRandom } from '../../support/operationExamples.ts'
import { randomInput, randomMaps } from '../../support/randomMaps.ts'

const objectives = ['yaw', '-yaw', 'pitch']
const random = seededRandom(1)
const rows = Array.from({ length: 12 }, (_, i) => ({
  cell: i % 5 === 4 ? -1 : 300 + (i % 3),
  maps: randomMaps(random, objectives.length),
}))

function sumOf(some: typeof rows): MagnitudeSums {
  const sums = new MagnitudeSums(objectives)
  for (const { cell, maps } of some) sums.add(cell, maps)
  return sums
}

/** As text: arrays of that length are compared number by number, which takes a while. */
function bytesOf(sums: MagnitudeSums): string {
  return Buffer.from(encodePoseMaps(sums.finish())).toString('base64')
}

/** The maps of one objective as numbers. */
function valuesOf(maps: Uint16Array, objective: number): number[] {
  return Array.from(
    maps.subarray(objective * mapPixels, (objective + 1) * mapPixels),
    (bits) => float16Values()[bits] ?? NaN,
  )
}

/** Pearson's, as its definition has it. */
function correlationOf(a: readonly number[], b: readonly number[]): number {
  const mean = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length
  const product = (p: readonly number[], q: readonly number[]) =>
    p.reduce((sum, value, i) => sum + (value - mean(p)) * ((q[i] ?? 0) - mean(q)), 0)
  return product(a, b) / Math.sqrt(product(a, a) * product(b, b))
}

describe('sums of magnitude maps', () => {
  it('are whole numbers of 2^-24 by cell and objective, with how many rows they are of', () => {
    const { channels, cells } = sumOf(rows).finish()
    expect(channels).toEqual(objectives)
    expect(new Map([...cells].map(([cell, { n }]) => [cell, n]))).toEqual(
      new Map([
        [300, 3],
        [301, 3],
        [302, 4],
        [-1, 2],
      ]),
    )
    const own = rows.filter(({ cell }) => cell === 301).map(({ maps }) => valuesOf(maps, 2))
    for (const pixel of [0, 391, 783]) {
      const sum = own.reduce((total, map) => total + (map[pixel] ?? NaN), 0)
      expect(cells.get(301)?.sums[2 * mapPixels + pixel]).toBe(sum * 2 ** 24)
    }
  })

  it('are the same in any order, and after rows have come and gone', () => {
    const fresh = bytesOf(sumOf(rows.slice(0, 7)))
    expect(bytesOf(sumOf(rows.slice(0, 7).reverse()))).toBe(fresh)
    const changed = new MagnitudeSums(objectives, sumOf(rows).finish())
    for (const { cell, maps } of rows.slice(7)) changed.subtract(cell, maps)
    expect(changed.n).toBe(7)
    expect(bytesOf(changed)).toBe(fresh)
  })

  it('lack a cell, and a pair, of which nothing is left', () => {
    const sums = new MagnitudeSums(objectives, sumOf(rows).finish())
    for (const { cell, maps } of rows) sums.subtract(cell, maps)
    const left = sums.finish()
    expect(left.cells.size).toBe(0)
    expect(left.pairs.size).toBe(0)
    expect(bytesOf(sums)).toBe(bytesOf(new MagnitudeSums(objectives)))
  })

  it('do not change what they began from', () => {
    const before = sumOf(rows.slice(0, 1)).finish()
    const bytes = Buffer.from(encodePoseMaps(before)).toString('base64')
    new MagnitudeSums(objectives, before).add(rows[0]?.cell ?? 0, rows[0]?.maps ?? new Uint16Array())
    expect(Buffer.from(encodePoseMaps(before)).toString('base64')).toBe(bytes)
  })

  it('stay whole though a damaged file holds what is no number', () => {
    const maps = new Uint16Array(objectives.length * mapPixels).fill(0x7e00)
    const sums = new MagnitudeSums(objectives)
    sums.add(0, maps)
    expect(
      sums
        .finish()
        .cells.get(0)
        ?.sums.every((sum) => sum === 0),
    ).toBe(true)
  })
})

describe('correlations between the maps of two objectives', () => {
  it('are those of each row, to 2^-27, summed over all rows', () => {
    const { pairs } = sumOf(rows).finish()
    expect([...pairs.keys()]).toEqual(['yaw~-yaw', 'yaw~pitch', '-yaw~pitch'])
    const each = rows.map(({ maps }) => correlationOf(valuesOf(maps, 1), valuesOf(maps, 2)))
    const pair = pairs.get('-yaw~pitch')
    expect(pair?.n).toBe(rows.length)
    const mean = each.reduce((sum, value) => sum + value, 0) / each.length
    expect(Math.abs(((pair?.steps ?? NaN) * correlationStep) / rows.length - mean)).toBeLessThan(2 ** -26)
    expect(Number.isInteger(pair?.steps)).toBe(true)
  })

  it.each([0, 0x0001, 0x14e5, 0x3c00, 0x7bff])('are none where one map is constant: %d', (pattern) => {
    const sums = new MagnitudeSums(['yaw', 'pitch'])
    const maps = randomMaps(seededRandom(2), 2)
    maps.fill(pattern, 0, mapPixels)
    sums.add(0, maps)
    expect(sums.finish().pairs.size).toBe(0)
    maps[5] = pattern === 0 ? 1 : pattern - 1
    sums.add(0, maps)
    expect(sums.finish().pairs.get('yaw~pitch')?.n).toBe(1)
  })

  it('are 1 of a map with itself', () => {
    const sums = new MagnitudeSums(['a', 'b'])
    const first = rows[0]?.maps.subarray(0, mapPixels) ?? []
    sums.add(0, Uint16Array.from([...first, ...first]))
    expect(sums.finish().pairs.get('a~b')).toEqual({ n: 1, steps: 2 ** 26 })
  })
})

it('sums of inputs come back to what they were as well', () => {
  const inputs = Array.from({ length: 4 }, () => randomInput(random))
  const sums = new InputSums()
  for (const [i, input] of inputs.entries()) sums.add(i % 2, input)
  const { channels, cells } = sums.finish()
  expect(channels).toEqual(['input'])
  expect(cells.get(1)).toEqual({
    n: 2,
    sums: Float64Array.from(inputs[1] ?? [], (level, i) => level + (inputs[3]?.[i] ?? 0)),
  })
  const changed = new InputSums(sums.finish())
  for (const [i, input] of inputs.entries()) if (i !== 2) changed.subtract(i % 2, input)
  expect(changed.n).toBe(1)
  expect(changed.finish().cells).toEqual(new Map([[0, { n: 1, sums: Float64Array.from(inputs[2] ?? []) }]]))
})
