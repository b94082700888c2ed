import { bigEndian, latin1 } from './byteOrder.ts'

/**
 * Whether Pillow refuses an AVIF of which libvips makes a picture: Pillow's parser (libavif) wants each box to end within
 * the one around it, to be of a version that there is, and what says nothing to be zero. libvips' (libheif) passes over
 * that.
 */
export function hasAvifFlaw(bytes: Uint8Array): boolean {
  return !areBoxes(bytes, 'file')
}

/** Boxes that hold boxes, by the bytes that stand before these. */
const containers: Readonly<Record<string, number>> = { meta: 4, iprp: 0, ipco: 0, iref: 4, iinf: 6 }

/** Of boxes that have one: the largest that there is. */
const largestVersion: Readonly<Record<string, number>> = {
  meta: 0,
  hdlr: 0,
  pitm: 1,
  iloc: 2,
  iinf: 1,
  iref: 1,
  ipma: 1,
  ispe: 0,
  pixi: 0,
  auxC: 0,
}

function areBoxes(bytes: Uint8Array, parent: string): boolean {
  let at = 0
  while (at < bytes.length) {
    const { size, headBytes } = sizeOf(bytes, at)
    const type = latin1(bytes, at + 4, 4)
    // Pixels may go on to the end of the file, or be cut off by it: then whoever decodes them says so.
    const isData = parent === 'file' && type === 'mdat'
    const end = size === 0 && isData ? bytes.length : at + size
    if (end < at + headBytes || (end > bytes.length && !isData)) return false
    if (!isBox(type, bytes.subarray(at + headBytes, end), parent)) return false
    at = end
  }
  return true
}

/** A size of 1 says that the real one follows, in 8 bytes. */
function sizeOf(bytes: Uint8Array, at: number): { size: number; headBytes: number } {
  const size = bigEndian(bytes, at, 4)
  return size === 1 ? { size: bigEndian(bytes, at + 8, 8), headBytes: 16 } : { size, headBytes: 8 }
}

function isBox(type: string, content: Uint8Array, parent: string): boolean {
  if (parent === 'iinf' && type !== 'infe') return false
  if ((content[0] ?? 0) > (largestVersion[type] ?? 255)) return false
  const before = type === 'iinf' && content[0] === 1 ? 8 : containers[type]
  if (before !== undefined && !areBoxes(content.subarray(before), type)) return false
  return fields[type]?.(content) ?? true
}

const fields: Readonly<Record<string, (content: Uint8Array) => boolean>> = {
  hdlr: (content) => bigEndian(content, 4, 4) === 0 && latin1(content, 8, 4) === 'pict' && endsText(content, 24),
  infe: (content) => (content[0] === 2 || content[0] === 3) && endsText(content, 12),
  /** Sizes of offsets, lengths, bases and, from version 1 on, indices. */
  iloc: (content) =>
    [content[4] ?? 0, (content[5] ?? 0) & (content[0] === 0 ? 0xf0 : 0xff)]
      .flatMap((sizes) => [sizes >> 4, sizes & 15])
      .every((size) => size === 0 || size === 4 || size === 8),
  /** Marker and version. */
  av1C: (content) => content.length >= 4 && content[0] === 0x81,
  pixi: (content) => content.length === 5 + (content[4] ?? 0),
  auxC: (content) => endsText(content, 4),
  colr: (content) => latin1(content, 0, 4) !== 'nclx' || convertedMatrices.has(bigEndian(content, 8, 2)),
}

/** Codes of the matrices between YCbCr and RGB (ISO/IEC 23091-2) that Pillow's decoder converts by. */
const convertedMatrices = new Set([0, 1, 2, 4, 5, 6, 7, 8, 9, 12])

/** Whether a text that begins at `from` has its end within. */
function endsText(content: Uint8Array, from: number): boolean {
  return content.indexOf(0, from) >= 0
}
