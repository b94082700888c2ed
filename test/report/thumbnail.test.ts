import { createHash } from 'node:crypto'
import sharp from 'sharp'
import { expect, it } from 'vitest'
import type { DecodedImage } from '../../src/image/codec.ts'
import { magnitudeOfMap } from '../../src/report/mapMagnitude.ts'
import { drawingVersion, drawThumbnail, thumbnailLayout } from '../../src/report/thumbnail.ts'

function solid(width: number, height: number, rgb: readonly [number, number, number]): DecodedImage {
  const pixels = new Uint8Array(width * height * 3)
  for (let i = 0; i < width * height; i++) pixels.set(rgb, i * 3)
  return { width, height, pixels }
}

async function decoded(webp: Uint8Array) {
  const { data, info } = await sharp(webp).ensureAlpha().raw().toBuffer({ resolveWithObject: true })
  return {
    info,
    at: (x: number, y: number) => [...data.subarray((y * info.width + x) * 4, (y * info.width + x) * 4 + 4)],
  }
}

function middle({ x, y, width, height }: { x: number; y: number; width: number; height: number }) {
  return [x + (width >> 1), y + (height >> 2)] as const
}

const near = (rgba: readonly number[]) => rgba.map((value) => expect.closeTo(value, -1.2) as number)

it('shows the part of the image that the network saw, its map and the overlay side by side', async () => {
  const image = solid(300, 100, [0, 0, 0])
  // Only the crop rectangle is green.
  for (let y = 0; y < 100; y++) for (let x = 100; x < 200; x++) image.pixels.set([20, 200, 20], (y * 300 + x) * 3)
  const layout = thumbnailLayout(1, 1)
  const flat = solid(32, 32, [128, 128, 128])
  const sources = { image, crop: { x0: 100, y0: 0, x1: 200, y1: 100 }, maps: [flat] }
  const { picture, isWhole } = await drawThumbnail(sources, layout, 'magnitude')
  expect(isWhole).toBe(true)
  const { info, at } = await decoded(picture)
  expect([info.width, info.height]).toEqual([layout.width, layout.height])
  expect(at(...middle(layout.image))).toEqual(near([20, 200, 20, 255]))
  expect(at(2, 2)).toEqual(near([20, 200, 20, 255]))
  expect(at(...middle(layout.objectives[0]!.map))).toEqual(near([128, 128, 128, 255]))
})

it('puts placeholders where image or map is missing', async () => {
  const layout = thumbnailLayout(2, 1)
  const map = solid(8, 8, [255, 128, 128])
  const sources = { image: null, crop: null, maps: [map, null] }
  const { picture, isWhole } = await drawThumbnail(sources, layout, 'origin')
  expect(isWhole).toBe(false)
  const { at } = await decoded(picture)
  expect(at(...middle(layout.image))[3]).toBeLessThan(255)
  expect(at(...middle(layout.objectives[0]!.map))).toEqual(near([255, 128, 128, 255]))
  expect(at(...middle(layout.objectives[0]!.overlay))[3]).toBeLessThan(255)
  expect(at(...middle(layout.objectives[1]!.map))[3]).toBeLessThan(255)
})

it('puts a placeholder where the crop rectangle shows nothing of the image, which was replaced since', async () => {
  const layout = thumbnailLayout(1, 1)
  const sources = { image: solid(10, 10, [9, 9, 9]), crop: { x0: 500, y0: 0, x1: 600, y1: 100 }, maps: [null] }
  const { picture, isWhole } = await drawThumbnail(sources, layout, 'origin')
  expect(isWhole).toBe(false)
  const { at } = await decoded(picture)
  expect(at(...middle(layout.image))[3]).toBeLessThan(255)
})

it('is drawn as at this version of the drawing: where this fails, raise drawingVersion and put the new digest here', async () => {
  const striped = (side: number, step: number): DecodedImage => ({
    ...solid(side, side, [0, 0, 0]),
    pixels: Uint8Array.from({ length: side * side * 3 }, (_, i) => (Math.floor(i / step) * 37) % 256),
  })
  const crop = { x0: 10, y0: 20, x1: 110, y1: 120 }
  const sources = { image: striped(128, 50), crop, maps: [striped(56, 17), striped(56, 29)] }
  const digests = await Promise.all(
    [1, 2].map(async (objectives) => {
      const layout = thumbnailLayout(objectives, 1)
      const { picture } = await drawThumbnail({ ...sources, maps: sources.maps.slice(0, objectives) }, layout, 'origin')
      const { data } = await sharp(picture).raw().toBuffer({ resolveWithObject: true })
      return createHash('sha256').update(data).digest('hex').slice(0, 16)
    }),
  )
  expect({ drawingVersion, digests }).toEqual({ drawingVersion: 1, digests: ['1c3f59c55b8eea24', '36320d535b171aee'] })
})

it('keeps the shape of the network’s input', () => {
  const { image } = thumbnailLayout(1, 1.5)
  expect(image.height / image.width).toBeCloseTo(1.5)
})

it('reads the magnitude back from the distance to mid-grey', () => {
  const map = solid(56, 56, [128, 128, 128])
  for (let y = 0; y < 2; y++) for (let x = 0; x < 2; x++) map.pixels.set([120, 20, 130], (y * 56 + x) * 3)
  const origin = magnitudeOfMap(map, 'origin')
  expect(origin).toHaveLength(784)
  expect(origin[0]).toBeCloseTo(107.5)
  expect(origin[1]).toBeCloseTo(0.5)
  expect(magnitudeOfMap(map, 'magnitude')[0]).toBe(120)
})

it('takes so little that a page of 400 stays below ten megabytes even when every picture is noise', async () => {
  const noise = (side: number): DecodedImage => {
    const pixels = Uint8Array.from({ length: side * side * 3 }, (_, i) => (Math.imul(i + 1, 2654435761) >>> 13) & 0xff)
    return { width: side, height: side, pixels }
  }
  for (const objectives of [1, 3]) {
    const maps = Array.from({ length: objectives }, () => noise(224))
    const sources = { image: noise(224), crop: null, maps }
    const { picture } = await drawThumbnail(sources, thumbnailLayout(objectives, 1), 'origin')
    expect((picture.length * 400 * 4) / 3).toBeLessThan(10e6)
  }
})
