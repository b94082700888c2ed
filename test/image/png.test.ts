import sharp from 'sharp'
import { describe, expect, it } from 'vitest'
import { encodePng } from '../../src/image/png.ts'

const [width, height] = [31, 18]

function noise(length: number): Uint8Array {
  return Uint8Array.from({ length }, (_, index) => (index * index * 37 + index * 11) & 255)
}

describe('encodePng', () => {
  it.each([
    [1, 0],
    [3, 2],
  ] as const)('writes %i channels as PNG colour type %i, and the pixels come back', async (channels, colourType) => {
    const pixels = noise(width * height * channels)
    const png = await encodePng(pixels, width, height, channels)
    // Bytes 24 and 25 of a PNG: bit depth and colour type.
    expect([png[24], png[25]]).toEqual([8, colourType])
    const { data, info } = await sharp(png)
      .toColourspace(channels === 1 ? 'b-w' : 'srgb')
      .raw()
      .toBuffer({ resolveWithObject: true })
    expect([info.width, info.height, info.channels]).toEqual([width, height, channels])
    expect(Buffer.compare(data, pixels)).toBe(0)
  })

  it('writes few colours as RGB too, not as a palette', async () => {
    const png = await encodePng(new Uint8Array(width * height * 3).fill(128), width, height, 3)
    expect(png[25]).toBe(2)
  })

  it('gives the same bytes every time, also side by side', async () => {
    const pixels = noise(width * height * 3)
    const first = await encodePng(pixels, width, height, 3)
    const others = await Promise.all(Array.from({ length: 8 }, async () => await encodePng(pixels, width, height, 3)))
    for (const other of others) expect(Buffer.compare(other, first)).toBe(0)
  })

  it('holds nothing but the picture', async () => {
    const png = Buffer.from(await encodePng(noise(width * height), width, height, 1))
    const kinds: string[] = []
    for (let at = 8; at < png.length; at += 12 + png.readUInt32BE(at))
      kinds.push(png.toString('latin1', at + 4, at + 8))
    expect(kinds.filter((kind) => kind !== 'IDAT')).toEqual(['IHDR', 'IEND'])
  })

  it('refuses pixels that do not fill the picture', async () => {
    await expect(encodePng(new Uint8Array(10), 3, 3, 1)).rejects.toThrow(RangeError)
  })
})
