import { describe, expect, it } from 'vitest'
import { decodeImage } from '../../src/image/codec.ts'

const [byte, ascii, short, long, signedShort, signedLong] = [1, 2, 3, 4, 8, 9]

interface Orientation {
  readonly type: number
  readonly count: number
  readonly value: number
}

/** Two pixels beside each other, red and blue. */
function tiff(kind: 'little' | 'big' | 'BigTIFF', { type, count, value }: Orientation): Buffer {
  const isLittle = kind !== 'big'
  const isLarge = kind === 'BigTIFF'
  const bytes = Buffer.alloc(400)
  const view = new DataView(bytes.buffer, bytes.byteOffset)
  const wide = (at: number, number: number): void => {
    if (isLarge) view.setBigUint64(at, BigInt(number), isLittle)
    else view.setUint32(at, number, isLittle)
  }
  bytes.write(isLittle ? 'II' : 'MM', 'latin1')
  view.setUint16(2, isLarge ? 43 : 42, isLittle)
  if (isLarge) view.setUint16(4, 8, isLittle)
  wide(isLarge ? 8 : 4, 16)
  const pixels = 380
  bytes.set([255, 0, 0, 0, 0, 255], pixels)
  // Bits per sample lie elsewhere in a classic TIFF: one value stands for all three.
  const entries: readonly (readonly [tag: number, type: number, count: number, value: number])[] = [
    [256, short, 1, 2],
    [257, short, 1, 1],
    [258, short, 1, 8],
    [259, short, 1, 1],
    [262, short, 1, 2],
    [273, long, 1, pixels],
    [274, type, count, value],
    [277, short, 1, 3],
    [278, short, 1, 1],
    [279, long, 1, 6],
  ]
  if (isLarge) view.setBigUint64(16, BigInt(entries.length), isLittle)
  else view.setUint16(16, entries.length, isLittle)
  let at = isLarge ? 24 : 18
  for (const [tag, typed, many, number] of entries) {
    view.setUint16(at, tag, isLittle)
    view.setUint16(at + 2, typed, isLittle)
    wide(at + 4, many)
    const place = at + (isLarge ? 12 : 8)
    if (typed === byte || typed === ascii) view.setUint8(place, number)
    else if (typed === short || typed === signedShort) view.setUint16(place, number, isLittle)
    else view.setUint32(place, number, isLittle)
    at = place + (isLarge ? 8 : 4)
  }
  return bytes
}

const upright = { width: 2, height: 1, pixels: [255, 0, 0, 0, 0, 255] }
const upsideDown = { width: 2, height: 1, pixels: [0, 0, 255, 255, 0, 0] }
const onItsSide = { width: 1, height: 2, pixels: [255, 0, 0, 0, 0, 255] }

describe.each(['little', 'big', 'BigTIFF'] as const)(
  'the orientation of a TIFF is what Pillow makes of it (%s)',
  (kind) => {
    it.each([
      ['1', { type: short, count: 1, value: 1 }, upright],
      ['3', { type: short, count: 1, value: 3 }, upsideDown],
      ['6', { type: short, count: 1, value: 6 }, onItsSide],
      ['0, as some scanners write it', { type: short, count: 1, value: 0 }, upright],
      ['9', { type: short, count: 1, value: 9 }, upright],
      ['65535', { type: short, count: 1, value: 65_535 }, upright],
      ['0 in a long', { type: long, count: 1, value: 0 }, upright],
      ['3 in a long', { type: long, count: 1, value: 3 }, upsideDown],
      ['−1', { type: signedLong, count: 1, value: 2 ** 32 - 1 }, upright],
      ['3 with a sign', { type: signedShort, count: 1, value: 3 }, upsideDown],
      ['3 and another number', { type: short, count: 2, value: 3 }, upsideDown],
      ['a byte', { type: byte, count: 1, value: 3 }, upright],
      ['text', { type: ascii, count: 2, value: 0x33 }, upright],
      ['no number at all', { type: short, count: 0, value: 3 }, upright],
      ['a type that there is not', { type: 99, count: 1, value: 3 }, upright],
    ])('%s', async (_, orientation, picture) => {
      const bytes = tiff(kind, orientation)
      for (const applyExifOrientation of [false, true]) {
        const { width, height, pixels } = await decodeImage(bytes, { maxPixels: 100, applyExifOrientation })
        expect({ width, height, pixels: [...pixels] }).toEqual(picture)
      }
    })
  },
)
