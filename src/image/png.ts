import { promisify } from 'node:util'
import { constants, crc32, deflate } from 'node:zlib'

const compress = promisify(deflate)

const signature = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a])
/** PNG's colour types, by the number of channels. */
const colourTypes = { 1: 0, 3: 2 } as const

/**
 * An 8-bit PNG of `pixels` (height × width × channels, row-major). The same pixels always give the same bytes, on one
 * version of zlib.
 *
 * Written here rather than by sharp because a map is close to noise: looking for repetitions, which is all that a PNG
 * encoder lets one turn up or down, takes four fifths of the time and makes the file larger. So: no row filter, runs
 * and Huffman codes only. The work is done on libuv's threads.
 */
export async function encodePng(
  pixels: Uint8Array,
  width: number,
  height: number,
  channels: 1 | 3,
): Promise<Uint8Array> {
  const rowBytes = width * channels
  if (pixels.length !== rowBytes * height) {
    throw new RangeError(`${pixels.length} bytes are no ${width} × ${height} × ${channels} picture`)
  }
  const header = Buffer.alloc(13)
  header.writeUInt32BE(width, 0)
  header.writeUInt32BE(height, 4)
  header[8] = 8
  header[9] = colourTypes[channels]
  // Each row is preceded by the number of its filter, 0 for none.
  const rows = Buffer.alloc((rowBytes + 1) * height)
  for (let row = 0; row < height; row++) {
    rows.set(pixels.subarray(row * rowBytes, (row + 1) * rowBytes), row * (rowBytes + 1) + 1)
  }
  // In one piece: each further piece is a turn of the event loop and a copy.
  const data = await compress(rows, { level: 1, strategy: constants.Z_RLE, chunkSize: Math.max(64, rows.length) })
  return Buffer.concat([signature, ...chunk('IHDR', header), ...chunk('IDAT', data), ...chunk('IEND', Buffer.alloc(0))])
}

function chunk(type: 'IHDR' | 'IDAT' | 'IEND', data: Uint8Array): Uint8Array[] {
  const length = Buffer.alloc(4)
  length.writeUInt32BE(data.length)
  const name = Buffer.from(type, 'latin1')
  const checksum = Buffer.alloc(4)
  checksum.writeUInt32BE(crc32(data, crc32(name)))
  return [length, name, data, checksum]
}
