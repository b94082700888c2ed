import { readTiffDirectory } from './tiffDirectory.ts'

const short = 3
/** Whole numbers, with a sign or without. To Pillow a field of bytes or text is no number, whatever it holds. */
const wholeNumbers = new Set([short, 4, 6, 8, 9, 13, 16])
const fractions = new Set([5, 10, 11, 12])

/**
 * The TIFF with an orientation that the decoder takes as Pillow does: to Pillow, 0, 9 and all else that is none of the
 * eight is upright (scanners write such), where libtiff calls the file damaged. Of several values the first counts, which
 * libtiff leaves out. Mostly there is nothing to mend, and the bytes come back as they are.
 */
export function withUsableOrientation(bytes: Uint8Array): Uint8Array {
  const { isBigEndian, isLarge, orientation } = readTiffDirectory(bytes)
  if (orientation === undefined || fractions.has(orientation.type)) return bytes
  const { at, type, count, value } = orientation
  const isUsable = wholeNumbers.has(type) && value >= 1 && value <= 8
  if (isUsable && count === 1 && type === short) return bytes
  const mended = Uint8Array.from(bytes)
  const view = new DataView(mended.buffer)
  view.setUint16(at + 2, short, !isBigEndian)
  if (isLarge) view.setBigUint64(at + 4, 1n, !isBigEndian)
  else view.setUint32(at + 4, 1, !isBigEndian)
  view.setUint16(at + (isLarge ? 12 : 8), isUsable ? value : 1, !isBigEndian)
  return mended
}
