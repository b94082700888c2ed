import { readFileSync } from 'node:fs'
import { expect, it } from 'vitest'
import { decodeImage } from '../../src/image/codec.ts'

const decode = (bytes: Uint8Array) => decodeImage(bytes, { maxPixels: 1e6, applyExifOrientation: false })

function fixture(name: string, folder = 'pillow'): Buffer {
  return readFileSync(new URL(`${folder}/${name}`, import.meta.url))
}

/** A little-endian TIFF with the first value of one field replaced. */
function tiffWith(name: string, tag: number, value: number): Buffer {
  const bytes = fixture(name)
  const directory = bytes.readUInt32LE(4)
  for (let at = directory + 2; at < directory + 2 + 12 * bytes.readUInt16LE(directory); at += 12) {
    if (bytes.readUInt16LE(at) === tag) bytes.writeUInt16LE(value, at + 8)
  }
  return bytes
}

/** A JPEG whose frame is said to be of another process, or of so many bits or components. */
function jpegWith(name: string, change: { process?: number; bits?: number; components?: number }): Buffer {
  const bytes = fixture(name)
  const at = bytes.indexOf(Buffer.of(0xff, 0xc0))
  bytes[at + 1] = change.process ?? 0xc0
  bytes[at + 4] = change.bits ?? 8
  bytes[at + 9] = change.components ?? bytes[at + 9] ?? 0
  return bytes
}

const compression = 259
const photometric = 262

it.each([
  ['Zstandard', tiffWith('lzw.tif', compression, 50000), 'a TIFF compressed with Zstandard'],
  ['LZMA', tiffWith('lzw.tif', compression, 34925), 'a TIFF compressed with LZMA'],
  ['JPEG of the old kind', tiffWith('jpeg.tif', compression, 6), 'a TIFF compressed with JPEG of the old kind'],
  ['JPEG 2000', tiffWith('lzw.tif', compression, 34712), 'a TIFF compressed with JPEG 2000'],
  ['JBIG', tiffWith('bilevel.tif', compression, 34661), 'a TIFF compressed with JBIG'],
  ['LERC', tiffWith('lzw.tif', compression, 34887), 'a TIFF compressed with LERC'],
  ['an unknown number', tiffWith('lzw.tif', compression, 12345), 'a TIFF compressed with a method of the number 12345'],
  [
    'a raw picture of a camera',
    tiffWith('grey16.tif', photometric, 32803),
    'a TIFF with 1 samples a pixel of 16 bits (photometric interpretation 32803, sample format 1)',
  ],
  ['colours without a map', tiffWith('grey16.tif', photometric, 3), 'a TIFF with indexed colours and no colour map'],
  ['12-bit JPEG', jpegWith('grey.jpg', { bits: 12 }), 'a JPEG image of 12 bits a sample'],
  ['two-component JPEG', jpegWith('grey.jpg', { components: 2 }), 'a JPEG image of 2 components'],
  ['hierarchical JPEG', jpegWith('grey.jpg', { process: 0xc5 }), 'a hierarchical JPEG image'],
  ['arithmetic lossless', jpegWith('grey.jpg', { process: 0xcb }), 'a lossless JPEG image in arithmetic code'],
  ['JPEG-LS', jpegWith('grey.jpg', { process: 0xf7 }), 'a JPEG-LS image'],
  ['animated AVIF', fixture('animated.avif', 'mutated/whole'), 'an animated AVIF image'],
])('%s is named, and not called damaged', async (_, bytes, kind) => {
  await expect(decode(bytes)).rejects.toMatchObject({
    code: 'not-an-image',
    message: `the file is ${kind}, which headlight does not read; store it as an 8-bit PNG`,
  })
})

it('an AVIF is read whose pixels say their size in eight bytes', async () => {
  const plain = fixture('plain.avif', 'mutated/whole')
  const data = plain.indexOf('mdat') - 4
  // One extent, whose place and length stand at the end of the box.
  const locations = plain.indexOf('iloc') - 4
  const extent = locations + plain.readUInt32BE(locations) - 8
  expect(plain.readUInt32BE(extent)).toBe(data + 8)
  plain.writeUInt32BE(data + 16, extent)
  const head = Buffer.alloc(16)
  head.writeUInt32BE(1)
  head.write('mdat', 4)
  head.writeBigUInt64BE(BigInt(plain.readUInt32BE(data) + 8), 8)
  const large = Buffer.concat([plain.subarray(0, data), head, plain.subarray(data + 8)])
  expect((await decode(large)).pixels).toEqual((await decode(fixture('plain.avif', 'mutated/whole'))).pixels)
})

it('a kind that is read stays damaged when it is', async () => {
  const bytes = fixture('lzw.tif')
  bytes.fill(0xa5, 30, 54)
  await expect(decode(bytes)).rejects.toMatchObject({ code: 'corrupt-image' })
})

it.each([
  ['P6\n23 17\n255\n', 'a Netpbm image'],
  ['\x76\x2f\x31\x01\0\0\0\0', 'an OpenEXR image'],
  ['qoif\0\0\0\x10', 'a QOI image'],
  ['SIMPLE  =                    T', 'a FITS image'],
  ['#?RADIANCE\n', 'a Radiance picture'],
  [`${'\0'.repeat(128)}DICM`, 'a DICOM image'],
  ['\0\0\0\x18ftypcrx \0\0\0\x01', 'a raw picture of a camera'],
  ['\0\0\0\x18ftypheic\0\0\0\0', 'an HEIC image or a video'],
])('%j is named', async (text, kind) => {
  await expect(decode(Buffer.from(text, 'latin1'))).rejects.toMatchObject({
    code: 'not-an-image',
    message: `the file is ${kind}; headlight reads JPEG, PNG, WebP, TIFF, GIF and AVIF`,
  })
})

it('a TIFF whose fields all point to one large piece of it is refused at once', async () => {
  const entries = 20_000
  const bytes = Buffer.alloc(8 + 2 + 12 * entries + 2 ** 20)
  bytes.write('II*\0', 'latin1')
  bytes.writeUInt32LE(8, 4)
  bytes.writeUInt16LE(entries, 8)
  for (let at = 10; at < 10 + 12 * entries; at += 12) {
    bytes.writeUInt16LE(273, at)
    bytes.writeUInt16LE(3, at + 2)
    bytes.writeUInt32LE(2 ** 19, at + 4)
    bytes.writeUInt32LE(10 + 12 * entries, at + 8)
  }
  await expect(decode(bytes)).rejects.toMatchObject({ name: 'SampleError' })
})
