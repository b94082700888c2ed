import sharp from 'sharp'
import { describe, expect, it } from 'vitest'
import { fitGallery, type DrawnSample } from '../../src/report/fitGallery.ts'

let state = 1
const noise = () => (state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0) >>> 24

async function thumbnail(pixel: () => number, [width, height]: readonly [number, number]): Promise<Uint8Array> {
  const pixels = Uint8Array.from({ length: width * height * 3 }, pixel)
  return await sharp(pixels, { raw: { width, height, channels: 3 } })
    .webp({ quality: 68 })
    .toBuffer()
}

function samples(count: number, bytes: Uint8Array): DrawnSample[] {
  const angles = { estimate: [1, 2, 3], label: [1, 2, 3], error: [0, 0, 0] }
  const flags = { top: null, mean: 1, worst: true, spaced: false, maps: [], notes: [] }
  return Array.from({ length: count }, (_, order) => ({
    key: `k${order}.png`,
    order,
    ...angles,
    ...flags,
    thumbnail: bytes,
  }))
}

describe('the gallery', () => {
  it('keeps its thumbnails as they were drawn where all fit', async () => {
    const bytes = await thumbnail(() => 120, [452, 179])
    const fitted = await fitGallery(samples(400, bytes), 1_900_000)
    expect(fitted).toHaveLength(400)
    expect(fitted[7]?.picture).toBe(`data:image/webp;base64,${Buffer.from(bytes).toString('base64')}`)
  })

  it('makes thumbnails of noise coarser and smaller until all of them fit, and leaves none out', async () => {
    const bytes = await thumbnail(noise, [452, 179])
    // A tenth of the page's own numbers.
    const fitted = await fitGallery(samples(40, bytes), 190_000)
    expect(fitted).toHaveLength(40)
    expect(JSON.stringify(fitted).length).toBeLessThanOrEqual(190_000)
    const picture = Buffer.from(fitted[0]?.picture.split(',')[1] ?? '', 'base64')
    const { width, height, format } = await sharp(picture).metadata()
    expect(format).toBe('webp')
    expect(width / height).toBeCloseTo(452 / 179, 1)
  })

  it('loses no more than it must', async () => {
    const bytes = await thumbnail(noise, [90, 36])
    const full = samples(40, bytes)
    const length = JSON.stringify(await fitGallery(full, Infinity)).length
    const fitted = JSON.stringify(await fitGallery(full, 0.9 * length)).length
    expect(fitted).toBeGreaterThan(0.6 * length)
    expect(fitted).toBeLessThanOrEqual(0.9 * length)
  })

  it('is empty without samples', async () => {
    expect(await fitGallery([], 100)).toEqual([])
  })
})
