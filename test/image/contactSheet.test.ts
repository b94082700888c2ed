import { expect, it } from 'vitest'
import { decodeImage } from '../../src/image/codec.ts'
import { drawContactSheet, type Tile } from '../../src/image/contactSheet.ts'

const side = 20
const grey = (level: number): Uint8Array => new Uint8Array(side * side * 3).fill(level)

it('lays tiles ten a row and draws boxes and axes over them', async () => {
  const tiles: Tile[] = Array.from({ length: 11 }, (_, n) => ({ pixels: grey(10 * n), box: null, axes: null }))
  tiles[10] = {
    pixels: grey(100),
    box: { x0: 2, y0: 2, x1: 18, y1: 18 },
    // The blue one leaves its tile.
    axes: {
      from: [10, 10],
      to: [
        [15, 10],
        [10, 15],
        [10, -30],
      ],
    },
  }
  const sheet = await decodeImage(await drawContactSheet(tiles, side), { maxPixels: 1e6, applyExifOrientation: false })
  expect([sheet.width, sheet.height]).toEqual([236, 44])
  const at = (x: number, y: number) => [
    ...sheet.pixels.subarray(3 * (y * sheet.width + x), 3 * (y * sheet.width + x) + 3),
  ]
  expect([at(0, 0), at(24, 0), at(235, 19)]).toEqual([
    [0, 0, 0],
    [10, 10, 10],
    [90, 90, 90],
  ])
  expect([at(21, 0), at(30, 30)]).toEqual([
    [255, 255, 255],
    [255, 255, 255],
  ])
  const second = 24
  expect(at(0, second)).toEqual([100, 100, 100])
  expect(at(10, second + 2)).not.toEqual([100, 100, 100])
  expect(at(2, second + 10)).toEqual([255, 208, 0])
  expect(at(14, second + 10)).toEqual([255, 64, 48])
  expect(at(10, second + 14)).toEqual([48, 208, 48])
  expect(at(10, second + 5)).toEqual([64, 112, 255])
  // Not into the gap, nor into the tile above.
  expect(at(10, second - 2)).toEqual([255, 255, 255])
  expect(at(10, 10)).toEqual([0, 0, 0])
})
