import { describe, expect, it } from 'vitest'
import { mapPixels, unplaced } from '../../../src/output/poseMaps.ts'
import { commonRange, differences, evenShares, greyLevels, meanMaps } from '../../../src/report/atlas/meanMaps.ts'
import { cellOf, poseMaps } from '../../support/poseMaps.ts'

const even = 2 ** 24 / mapPixels

describe('means of an atlas', () => {
  const atlas = poseMaps(
    ['yaw', 'pitch'],
    [
      [
        300,
        cellOf(
          3,
          () => even,
          (pixel) => pixel,
        ),
      ],
      [
        301,
        cellOf(
          1,
          () => 5 * even,
          () => 0,
        ),
      ],
      [
        unplaced,
        cellOf(
          4,
          () => 2 * even,
          () => 0,
        ),
      ],
      [
        302,
        cellOf(
          0,
          () => 0,
          () => 0,
        ),
      ],
    ],
  )

  it('are sum over n by cell, in multiples of the even share', () => {
    const means = meanMaps(atlas, 0, evenShares)
    expect([...(means?.cells.keys() ?? [])]).toEqual([300, 301])
    expect(means?.cells.get(300)?.n).toBe(3)
    expect(means?.cells.get(300)?.values[17]).toBeCloseTo(1, 12)
    expect(means?.cells.get(301)?.values[783]).toBeCloseTo(5, 12)
  })

  it('are over all rows overall, those that no pose places among them', () => {
    const overall = meanMaps(atlas, 0, evenShares)?.overall
    expect(overall?.n).toBe(8)
    expect(overall?.values[0]).toBeCloseTo((3 * 1 + 5 + 4 * 2) / 8, 12)
  })

  it('are of the channel that was asked for', () => {
    expect(meanMaps(atlas, 1, greyLevels)?.cells.get(300)?.values[41]).toBe(41)
  })

  it('differ from the overall mean by what is left of them', () => {
    const means = meanMaps(atlas, 0, evenShares)
    const apart = means && differences(means)
    expect(apart?.get(301)?.values[5]).toBeCloseTo(5 - 2, 12)
    expect(apart?.get(300)?.values[5]).toBeCloseTo(1 - 2, 12)
    expect(apart?.get(300)?.n).toBe(3)
  })

  it('are none where there is no row', () => {
    expect(meanMaps(poseMaps(['yaw'], []), 0, evenShares)).toBeUndefined()
  })
})

describe('a common scale', () => {
  const ramp = (n: number, times: number) => ({ n, values: Float64Array.from({ length: 1000 }, (_, i) => times * i) })

  it('leaves out half a percent at either end', () => {
    expect(commonRange([ramp(20, 1)])).toEqual({ low: 5, high: 994 })
  })

  it('is that of the cells with 20 images and more', () => {
    expect(commonRange([ramp(20, 1), ramp(19, 100)])).toEqual({ low: 5, high: 994 })
  })

  it('is that of all where none has so many', () => {
    expect(commonRange([ramp(19, 100)]).high).toBe(99_400)
  })
})
