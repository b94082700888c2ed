import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { SampleError } from '../../src/base/errors.ts'
import { decodeImage, type DecodedImage } from '../../src/image/codec.ts'
import { cropToInput } from '../../src/image/crop.ts'
import { resizeBilinear } from '../../src/image/resize.ts'
import { readNpy } from '../support/npy.ts'

const input = { width: 224, height: 224, resize: 'shorter-side' } as const

interface ResizeCase {
  w: number
  h: number
  resized_wh: [number, number]
  crop_left_top: [number, number]
  crop_sha256_hwc_rgb: string
  resized_sha256_hwc_rgb: string
}
const { cases } = json('../golden/preprocess_cases.json') as { cases: ResizeCase[] }

interface BoxCase {
  image: [number, number]
  box: { x0: number; y0: number; x1: number; y1: number }
  side: number
  shorterSideSha256: string
  stretchSha256: string
}
const boxCases = json('pillow/boxes.json') as BoxCase[]

interface GoldenImage {
  id: string
  image: string
  crop_u8_sha256: string
}
const { images } = json('../golden/index.json') as { images: GoldenImage[] }

function json(path: string): unknown {
  return JSON.parse(readFileSync(new URL(path, import.meta.url), 'utf8'))
}

function sha256(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex')
}

/** The picture that the golden cases were made from. */
function pattern(width: number, height: number): DecodedImage {
  const pixels = new Uint8Array(width * height * 3)
  let at = 0
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      for (let c = 0; c < 3; c++) pixels[at++] = (x * 7 + y * 13 + c * 31 + ((x * y) >> 3)) & 255
    }
  }
  return { width, height, pixels }
}

describe('resize and centre crop are torchvision’s, bit for bit', () => {
  it.each(cases.map((golden) => [`${golden.w} × ${golden.h}`, golden] as const))('%s', (_size, golden) => {
    const image = pattern(golden.w, golden.h)
    const [width, height] = golden.resized_wh
    const whole = { x: 0, y: 0, width: golden.w, height: golden.h }
    expect(sha256(resizeBilinear(image, whole, { width, height }))).toBe(golden.resized_sha256_hwc_rgb)

    const { pixels, crop } = cropToInput(image, null, input)
    expect(sha256(pixels)).toBe(golden.crop_sha256_hwc_rgb)
    const [left, top] = golden.crop_left_top
    const [perColumn, perRow] = [golden.w / width, golden.h / height]
    expect(crop[0]).toBeCloseTo(left * perColumn, 9)
    expect(crop[1]).toBeCloseTo(top * perRow, 9)
    expect(crop[2]).toBeCloseTo((left + 224) * perColumn, 9)
    expect(crop[3]).toBeCloseTo((top + 224) * perRow, 9)
  })

  it('has all 25 cases', () => {
    expect(cases).toHaveLength(25)
  })

  it.each(images.map((golden) => [golden.id, golden] as const))('from the file on: %s', async (_id, golden) => {
    const bytes = readFileSync(new URL(`../images/${golden.image.replace(/^.*\//, '')}`, import.meta.url))
    const image = await decodeImage(bytes, { maxPixels: 1_000_000, applyExifOrientation: false })
    expect(sha256(cropToInput(image, null, input).pixels)).toBe(golden.crop_u8_sha256)
  })

  it.each(['BIWI00000001', 'BIWI00000004'])('the very bytes of %s', async (id) => {
    const name = images.find((golden) => golden.id === `tiny/${id}`)?.image.replace(/^.*\//, '') ?? ''
    const bytes = readFileSync(new URL(`../images/${name}`, import.meta.url))
    const image = await decodeImage(bytes, { maxPixels: 1_000_000, applyExifOrientation: false })
    const golden = readNpy(new URL(`../golden/tiny/${id}/crop_u8.npy.gz`, import.meta.url))
    expect(golden.shape).toEqual([224, 224, 3])
    expect(Buffer.compare(cropToInput(image, null, input).pixels, golden.data as Uint8Array)).toBe(0)
  })
})

describe('a box', () => {
  it.each(boxCases.map((golden) => [JSON.stringify(golden.box), golden] as const))(
    '%s is cut out as Pillow does, black beyond the edge',
    (_box, { image, box, side, shorterSideSha256, stretchSha256 }) => {
      const square = { width: side, height: side }
      const shorterSide = cropToInput(pattern(...image), box, { ...square, resize: 'shorter-side' })
      expect(sha256(shorterSide.pixels)).toBe(shorterSideSha256)
      const stretched = cropToInput(pattern(...image), box, { ...square, resize: 'stretch' })
      expect(sha256(stretched.pixels)).toBe(stretchSha256)
      expect(stretched.crop).toEqual([box.x0, box.y0, box.x1, box.y1].map(roundedAsPythonDoes))
    },
  )

  it('and crop say where in the image the result lies', () => {
    // 100 × 50 from (20, 10), to a height of 25: 50 wide, of which columns 12 to 37 are kept; 12.5 rounds to even.
    const { crop } = cropToInput(
      pattern(200, 100),
      { x0: 20, y0: 10, x1: 120, y1: 60 },
      { width: 25, height: 25, resize: 'shorter-side' },
    )
    expect(crop).toEqual([44, 10, 94, 60])
  })

  it.each([
    ['empty', { x0: 10, y0: 10, x1: 10, y1: 20 }],
    ['turned over', { x0: 20, y0: 10, x1: 10, y1: 20 }],
    ['left of the image', { x0: -20, y0: 0, x1: 0, y1: 10 }],
    ['below the image', { x0: 0, y0: 48, x1: 10, y1: 60 }],
    ['not a number', { x0: NaN, y0: 0, x1: 10, y1: 10 }],
    ['endless', { x0: -Infinity, y0: 0, x1: Infinity, y1: 10 }],
    ['absurdly long', { x0: 0, y0: 0, x1: 1e9, y1: 10 }],
  ])('that is %s is a bad label', (_what, box) => {
    const cut = () => cropToInput(pattern(64, 48), box, input)
    expect(cut).toThrow(SampleError)
    expect(cut).toThrow(expect.objectContaining({ code: 'bad-label' }))
  })
})

describe('inputs that are not square', () => {
  it('are covered without a border', () => {
    const rule = { width: 40, height: 24, resize: 'shorter-side' } as const
    for (const [width, height] of [
      [300, 100],
      [100, 300],
      [40, 24],
      [41, 24],
      [40, 25],
      [5, 3],
    ] as const) {
      const white = { width, height, pixels: new Uint8Array(width * height * 3).fill(255) }
      const { pixels, crop } = cropToInput(white, null, rule)
      expect(pixels).toHaveLength(40 * 24 * 3)
      expect(pixels.every((value) => value === 255)).toBe(true)
      expect(crop[0]).toBeGreaterThanOrEqual(0)
      expect(crop[1]).toBeGreaterThanOrEqual(0)
      expect(crop[2]).toBeLessThanOrEqual(width)
      expect(crop[3]).toBeLessThanOrEqual(height)
    }
  })
})

it('a part of a resized image is the same as in the whole', () => {
  const image = pattern(97, 61)
  const source = { x: -7, y: 5, width: 90, height: 70 }
  const size = { width: 33, height: 47 }
  const whole = resizeBilinear(image, source, size)
  const part = resizeBilinear(image, source, size, { x: 4, y: 9, width: 21, height: 30 })
  for (let row = 0; row < 30; row++) {
    const from = ((9 + row) * 33 + 4) * 3
    expect(part.subarray(row * 63, row * 63 + 63)).toEqual(whole.subarray(from, from + 63))
  }
})

it('a hair-thin image is resized without computing its millions of rows', () => {
  const thin = { width: 1, height: 60_000, pixels: new Uint8Array(180_000).fill(7) }
  const { pixels, crop } = cropToInput(thin, null, input)
  expect(pixels.every((value) => value === 7)).toBe(true)
  expect(crop).toEqual([0, 29_999.5, 1, 30_000.5])
})

function roundedAsPythonDoes(value: number): number {
  const near = Math.round(value)
  return Math.abs(value % 1) === 0.5 && near % 2 !== 0 ? near - 1 : near + 0
}
