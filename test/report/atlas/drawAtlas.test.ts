import sharp from 'sharp'
import { describe, expect, it } from 'vitest'
import { unplaced } from '../../../src/output/poseMaps.ts'
import { poseCell } from '../../../src/pose/poseCell.ts'
import { atlasBudget, dataUri, drawAtlas, type AtlasPicture } from '../../../src/report/atlas/drawAtlas.ts'
import { cellOf, poseMaps, spotAt } from '../../support/poseMaps.ts'

async function pixels({ webp }: AtlasPicture) {
  const { data, info } = await sharp(webp).ensureAlpha().raw().toBuffer({ resolveWithObject: true })
  return {
    width: info.width,
    height: info.height,
    at: (x: number, y: number) => [...data.subarray((y * info.width + x) * 4, (y * info.width + x) * 4 + 4)],
  }
}

const bright = (colour: readonly number[]) => (colour[0] ?? 0) + (colour[1] ?? 0) + (colour[2] ?? 0)

describe('the pictures of an atlas', () => {
  const cells = [
    [poseCell(40, 5), cellOf(30, spotAt(7, 14), spotAt(14, 7))],
    [poseCell(-40, -20), cellOf(25, spotAt(21, 14), spotAt(14, 21))],
  ] as const
  const atlas = poseMaps(['yaw', 'pitch'], cells)
  const inputs = poseMaps(['input'], [[poseCell(40, 5), cellOf(12, (pixel) => (pixel % 28) * 9)]])

  it('are mean and difference by objective, and the inputs once, with an n of their own', async () => {
    const drawn = await drawAtlas(atlas, inputs)
    expect(drawn?.pictures.map(({ view, objective, n }) => [view, objective, n])).toEqual([
      ['mean', 'yaw', 55],
      ['difference', 'yaw', 55],
      ['mean', 'pitch', 55],
      ['difference', 'pitch', 55],
      ['input', null, 12],
    ])
    expect(drawn?.pictures[0]?.counts).toEqual(
      new Map([
        [poseCell(40, 5), 30],
        [poseCell(-40, -20), 25],
      ]),
    )
    expect(drawn?.left).toBe(0)
  })

  it('lie with yaw rising to the right and pitch upwards, with transparent gaps', async () => {
    const drawn = await drawAtlas(atlas, null)
    expect(drawn?.grid).toMatchObject({ columns: 6, rows: 3, left: -45, top: 15 })
    expect(drawn?.grid?.cells.map(({ yaw, pitch, column, row }) => [yaw, pitch, column, row])).toEqual([
      [30, 0, 5, 0],
      [-45, -30, 0, 2],
    ])
    const [mean] = drawn?.pictures ?? []
    const { width, height, at } = await pixels(mean!)
    expect([width, height]).toEqual([6 * 64, 4 * 64])
    // The spot of the first cell is on its left, that of the second on its right.
    expect(bright(at(5 * 64 + 15, 30))).toBeGreaterThan(bright(at(5 * 64 + 45, 30)) + 200)
    expect(bright(at(45, 2 * 64 + 30))).toBeGreaterThan(bright(at(15, 2 * 64 + 30)) + 200)
    for (const [x, y] of [
      [5 * 64 - 2, 30],
      [5 * 64 + 30, 62],
      [4 * 64 + 30, 30],
    ] as const)
      expect(at(x, y)[3]).toBe(0)
    // The mean over all rows has both.
    expect(Math.abs(bright(at(15, 3 * 64 + 30)) - bright(at(45, 3 * 64 + 30)))).toBeLessThan(80)
  })

  it('of a difference are blue below the overall mean, orange above it, over a scale that is even about zero', async () => {
    const drawn = await drawAtlas(atlas, null)
    const difference = drawn?.pictures.find(({ view }) => view === 'difference')
    expect(difference?.scale.low).toBe(-(difference?.scale.high ?? 0))
    const { at } = await pixels(difference!)
    const [[red = 0, , blue = 0], [otherRed = 0, , otherBlue = 0]] = [at(5 * 64 + 15, 30), at(5 * 64 + 45, 30)]
    expect(red).toBeGreaterThan(blue + 40)
    expect(otherBlue).toBeGreaterThan(otherRed + 40)
  })

  it('are of the first four objectives, and the others are counted', async () => {
    const names = ['a', 'b', 'c', 'd', 'e', 'f']
    const drawn = await drawAtlas(poseMaps(names, [[300, cellOf(20, ...names.map(() => spotAt(14, 14)))]]), null)
    expect(drawn?.pictures.filter(({ view }) => view === 'mean').map(({ objective }) => objective)).toEqual([
      'a',
      'b',
      'c',
      'd',
    ])
    expect(drawn?.left).toBe(2)
  })

  it('are the means over all alone where no row is placed', async () => {
    const drawn = await drawAtlas(poseMaps(['class:top'], [[unplaced, cellOf(9, spotAt(14, 14))]]), null)
    expect(drawn?.grid).toBeNull()
    expect(drawn?.pictures.map(({ view, n }) => [view, n])).toEqual([['mean', 9]])
  })

  it('of noise are made coarser and smaller until all fit', async () => {
    let state = 1
    const noise = () => (state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0) >>> 9
    // Two full rows of the circle, and their part of what a page has for half of it.
    const numbers = Array.from({ length: 48 }, (_, cell) => cell)
    const maps = numbers.map((cell) => [cell, cellOf(200, noise, noise, noise, noise)] as const)
    const inputs = numbers.map((cell) => [cell, cellOf(200, () => noise() % 256)] as const)
    const budget = (atlasBudget * 48) / 300
    const drawn = await drawAtlas(poseMaps(['yaw', 'pitch', 'roll', 'sum'], maps), poseMaps(['input'], inputs), budget)
    expect(drawn?.pictures).toHaveLength(9)
    const length = drawn?.pictures.reduce((sum, picture) => sum + dataUri(picture).length, 0)
    expect(length).toBeLessThanOrEqual(budget)
    // No coarser than it must be.
    expect(length).toBeGreaterThan(0.4 * budget)
  })

  it('are none where there is no row', async () => {
    expect(await drawAtlas(poseMaps(['yaw'], []), null)).toBeNull()
  })
})
