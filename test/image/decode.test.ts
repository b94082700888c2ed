import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import sharp from 'sharp'
import { describe, expect, it } from 'vitest'
import { SampleError } from '../../src/base/errors.ts'
import { decodeImage } from '../../src/image/codec.ts'

const asPillow = { maxPixels: 100_000_000, applyExifOrientation: false }

interface Expected {
  mode: string
  width: number
  height: number
  sha256: string
}
const expected = JSON.parse(fixture('expected.json').toString()) as Record<string, Expected>

function fixture(name: string): Buffer {
  return readFileSync(new URL(`pillow/${name}`, import.meta.url))
}

async function failure(bytes: Uint8Array, options = asPillow): Promise<SampleError> {
  const error = await decodeImage(bytes, options).catch((caught: unknown) => caught)
  expect(error).toBeInstanceOf(SampleError)
  return error as SampleError
}

describe('decodeImage gives what Pillow gives', () => {
  it.each(Object.entries(expected))('%s', async (name, { width, height, sha256 }) => {
    const image = await decodeImage(fixture(name), asPillow)
    expect([image.width, image.height, image.pixels.length]).toEqual([width, height, width * height * 3])
    expect(createHash('sha256').update(image.pixels).digest('hex')).toBe(sha256)
  })

  it('goes by the bytes, not by a name', async () => {
    const wanted = await decodeImage(fixture('plain.tif'), asPillow)
    const asPng = await sharp(fixture('plain.tif')).png().toBuffer()
    expect(Buffer.compare((await decodeImage(asPng, asPillow)).pixels, wanted.pixels)).toBe(0)
  })

  it('reads a view into a larger buffer', async () => {
    const bytes = fixture('rgba.png')
    const padded = new Uint8Array(bytes.length + 20).fill(1)
    padded.set(bytes, 7)
    const image = await decodeImage(padded.subarray(7, 7 + bytes.length), asPillow)
    expect(createHash('sha256').update(image.pixels).digest('hex')).toBe(expected['rgba.png']?.sha256)
  })

  it('reads AVIF, if not to the last bit', async () => {
    const grey = await sharp({ create: { width: 40, height: 30, channels: 3, background: '#646464' } })
      .avif({ lossless: true })
      .toBuffer()
    const image = await decodeImage(grey, asPillow)
    expect([image.width, image.height]).toEqual([40, 30])
    expect(image.pixels.every((value) => Math.abs(value - 100) <= 1)).toBe(true)
  })

  it('decodes many at once without mixing them up', async () => {
    const names = Object.keys(expected)
    const images = await Promise.all(names.map(async (name) => await decodeImage(fixture(name), asPillow)))
    const digests = images.map(({ pixels }) => createHash('sha256').update(pixels).digest('hex'))
    expect(digests).toEqual(names.map((name) => expected[name]?.sha256))
  })
})

describe('EXIF orientation', () => {
  it.each(['rotated.jpg', 'rotated.png', 'rotated.webp'])('of %s is applied when asked for', async (name) => {
    const ignored = await decodeImage(fixture(name), asPillow)
    const applied = await decodeImage(fixture(name), { ...asPillow, applyExifOrientation: true })
    expect([applied.width, applied.height]).toEqual([ignored.height, ignored.width])
    // Orientation 6: the first column, from the bottom up, is the first row to be shown.
    for (let x = 0; x < applied.width; x++) {
      const from = (ignored.height - 1 - x) * ignored.width * 3
      expect(applied.pixels.subarray(x * 3, x * 3 + 3)).toEqual(ignored.pixels.subarray(from, from + 3))
    }
  })
})

describe('what is no whole image fails with a code', () => {
  it('no bytes', async () => {
    expect((await failure(new Uint8Array())).code).toBe('empty-object')
  })

  const svg = '<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"><rect width="9" height="9"/></svg>'
  it.each([
    ['text', 'hello world\n', 'text'],
    ['HTML around an SVG', `<!doctype html><html><body>${svg}</body></html>`, 'markup'],
    ['SVG', svg, 'markup'],
    ['SVG after a byte-order mark', `\u{feff}\n${svg}`, 'markup'],
    ['BMP', 'BM\x46\0\0\0\0\0\0\0\x36\0\0\0', 'BMP'],
    ['PDF', '%PDF-1.7\n', 'PDF'],
    ['HEIC', '\0\0\0\x18ftypheic\0\0\0\0mif1heic', 'HEIC'],
    ['zeros', '\0'.repeat(100), 'no image format'],
    ['a PNG signature cut short', '\x89PN', 'no image format'],
  ])('%s', async (_what, text, named) => {
    const error = await failure(Buffer.from(text, text.startsWith('\u{feff}') ? 'utf8' : 'latin1'))
    expect(error.code).toBe('not-an-image')
    expect(error.message).toContain(named)
  })

  const complete = [
    'rgb-interlaced.png',
    'rgba.png',
    'palette8.png',
    'subsampled2.jpg',
    'progressive.jpg',
    'cmyk.jpg',
    'lossy.webp',
    'lossless.webp',
    'animated.webp',
    'plain.gif',
    'plain.tif',
    'jpeg.tif',
    'lzw.tif',
  ]
  it.each(complete)('%s without its last fifth is truncated', async (name) => {
    const whole = fixture(name)
    const error = await failure(whole.subarray(0, Math.floor(whole.length * 0.8)))
    expect(error.code).toBe('truncated-image')
    expect(error.message).toMatch(
      /^the (PNG|JPEG|WEBP|GIF|TIFF) image ends before its last row; put a whole one in its place$/,
    )
  })

  it.each(complete)('%s cut anywhere gives a SampleError or the whole picture', async (name) => {
    const whole = fixture(name)
    for (let length = 1; length < whole.length; length += Math.max(1, Math.floor(whole.length / 40))) {
      const image = await decodeImage(whole.subarray(0, length), asPillow).catch((error: unknown) => error)
      if (image instanceof SampleError) expect(image.code).toMatch(/^(truncated-image|not-an-image)$/)
      else expect(image).toMatchObject({ width: expected[name]?.width, height: expected[name]?.height })
    }
  })

  it('an AVIF cut short is truncated', async () => {
    const whole = await sharp(fixture('plain.tif')).avif().toBuffer()
    expect((await failure(whole.subarray(0, whole.length - 9))).code).toBe('truncated-image')
  })

  it.each([
    ['rgba.png', 60],
    ['rgb-interlaced.png', 300],
    ['lossless.webp', 60],
    ['lzw.tif', 30],
  ])('%s with damaged bytes is corrupt', async (name, at) => {
    const damaged = Buffer.from(fixture(name))
    damaged.fill(0xa5, at, at + 24)
    const error = await failure(damaged)
    expect(error.code).toBe('corrupt-image')
    // Nothing of the decoder's own words, which may be about another image.
    expect(error.message).toMatch(/^the (PNG|WEBP|TIFF) image is damaged; replace it$/)
    expect(error.cause).toBeInstanceOf(Error)
  })

  it('nothing but SampleError, whatever the bytes', async () => {
    for (const name of complete) {
      const noise = Buffer.from(fixture(name))
      for (let round = 0; round < 6; round++) {
        // A fixed linear congruence: the test must not depend on the day.
        for (let index = 0, state = round * 7919 + 1; index < 12; index++) {
          state = (state * 1103515245 + 12345) % 2147483648
          noise[8 + (state % (noise.length - 8))] = (state >> 8) & 0xff
        }
        const outcome = await decodeImage(noise, { ...asPillow, maxPixels: 1_000_000 }).catch((error: unknown) => error)
        if (outcome instanceof Error) expect(outcome).toBeInstanceOf(SampleError)
      }
    }
  })
})

describe('the pixel limit', () => {
  it('holds from the header alone, before any pixel is decoded', async () => {
    // 50,000 × 50,000 in 57 bytes, and no pixel data at all: a decoder that began would say that it ends early.
    const bomb = Buffer.from(fixture('grey8.png').subarray(0, 57))
    bomb.writeUInt32BE(50_000, 16)
    bomb.writeUInt32BE(50_000, 20)
    bomb.writeUInt32BE(crc32(bomb.subarray(12, 29)), 29)
    const error = await failure(bomb)
    expect(error.code).toBe('too-many-pixels')
    expect(error.message).toContain('50000 × 50000')
  })

  it('is the last count allowed', async () => {
    const bytes = fixture('plain.tif')
    expect((await decodeImage(bytes, { ...asPillow, maxPixels: 23 * 17 })).width).toBe(23)
    expect((await failure(bytes, { ...asPillow, maxPixels: 23 * 17 - 1 })).code).toBe('too-many-pixels')
  })
})

function crc32(bytes: Uint8Array): number {
  let crc = 0xffffffff
  for (const byte of bytes) {
    crc ^= byte
    for (let bit = 0; bit < 8; bit++) crc = (crc >>> 1) ^ (crc & 1 ? 0xedb88320 : 0)
  }
  return ~crc >>> 0
}
