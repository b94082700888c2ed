import { describe, expect, it } from 'vitest'
import {
  contentTopAt,
  exactPixels,
  movedTo,
  scrolledHeight,
  scrollTopAt,
  tallestPixels,
} from '../../../../src/serve/client/browse/scrollMapping.ts'

const view = 800
const short = { content: 50_000, view }
/** Ten million cards, three in a row. */
const tall = { content: 800_000_000, view }
const reach = tallestPixels - view
const contentReach = tall.content - view

describe('a list that a browser can scroll', () => {
  it('stands where the scroll bar says, pixel by pixel', () => {
    expect(scrolledHeight(short)).toBe(50_000)
    expect(contentTopAt(1234, short)).toBe(1234)
    expect(scrollTopAt(49_200, short)).toBe(49_200)
    expect(movedTo(100, 100, 40_000, short)).toBe(40_000)
  })

  it('does not scroll when all of it is in sight', () => {
    expect(contentTopAt(0, { content: 300, view })).toBe(0)
    expect(scrollTopAt(100, { content: 300, view })).toBe(0)
  })
})

describe('a list that is taller than any browser can scroll', () => {
  it('is as tall as a browser can take', () => {
    expect(scrolledHeight(tall)).toBe(tallestPixels)
  })

  it('reaches from its first to its last pixel', () => {
    expect(contentTopAt(0, tall)).toBe(0)
    expect(contentTopAt(reach, tall)).toBe(contentReach)
    expect(scrollTopAt(contentReach, tall)).toBe(reach)
  })

  it('shows as much of it beyond as the scroll bar does', () => {
    expect(contentTopAt(reach / 2, tall)).toBeCloseTo(contentReach / 2, 3)
  })

  it.each([0, 1, exactPixels, 5_000_000, 399_999_600, contentReach - exactPixels, contentReach - 1, contentReach])(
    'finds the place %d again by the position of the scroll bar',
    (place) => {
      expect(contentTopAt(scrollTopAt(place, tall), tall)).toBeCloseTo(place, 3)
    },
  )

  it('lets a wheel turn back to the very beginning and end, with as much bar as list', () => {
    expect(scrollTopAt(5000, tall)).toBe(5000)
    expect(reach - scrollTopAt(contentReach - 5000, tall)).toBe(5000)
  })

  it('moves by as many pixels as a wheel does, and goes where the bar is dragged to', () => {
    const bar = scrollTopAt(400_000_000, tall)
    expect(movedTo(400_000_000, bar, bar + 120, tall)).toBe(400_000_120)
    expect(movedTo(400_000_000, bar, bar + 1_000_000, tall)).toBe(contentTopAt(bar + 1_000_000, tall))
    expect(movedTo(60, 60, 0, tall)).toBe(0)
    expect(movedTo(contentReach - 10, reach - 50, reach, tall)).toBe(contentReach)
  })
})
