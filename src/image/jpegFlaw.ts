import { latin1 } from './byteOrder.ts'
import { isFrame, isRestart, jpegMarkers, jpegSegments } from './jpegSegments.ts'

/**
 * Whether Pillow refuses a JPEG of which libvips makes a picture. libvips stops at the last row. Pillow goes on to the
 * end-of-image marker and refuses a file in which something impossible comes before it, as it does where a block of the
 * pixels' code was overwritten: the decoder stops at the first marker by chance in it, and leaves the rest grey. Pillow
 * also reads the segments of the header itself.
 *
 * Not libjpeg's warnings, the tempting measure: it warns of much that Pillow reads, and libvips keeps them in one buffer
 * for all threads.
 */
export function hasJpegFlaw(bytes: Uint8Array): boolean {
  const header = readHeader(bytes)
  if (header === undefined) return true
  // All scans of such a file are read before its first row is shown, by either.
  return header.isSingleScan && hasFlawBehindRows(bytes, header.scanAt)
}

/** Where the first scan's code begins; undefined for a header that Pillow does not take. */
function readHeader(bytes: Uint8Array): { scanAt: number; isSingleScan: boolean } | undefined {
  let components = 0
  let isProgressive = false
  for (const { code, content, end } of jpegSegments(bytes, 2)) {
    if (code < 0xc0 || end > bytes.length) return undefined
    if (code === jpegMarkers.sos) return { scanAt: end, isSingleScan: !isProgressive && content[0] === components }
    if (isFrame(code)) {
      isProgressive = code === 0xc2 || code === 0xca
      components = content[5] ?? 0
      if (content[0] !== 8 || ![1, 3, 4].includes(components) || content.length % 3 !== 0) return undefined
    }
    if (code === jpegMarkers.dqt && isWrongQuantizationTable(content, content.length)) return undefined
    if (isShortApplicationSegment(code, content)) return undefined
  }
  return undefined
}

/** Pillow looks at these fields without asking whether they are there. */
function isShortApplicationSegment(code: number, content: Uint8Array): boolean {
  const starts = (text: string): boolean => latin1(content, 0, text.length) === text
  if (code === jpegMarkers.app0 && starts('JFIF')) return content.length < 7
  if (code === jpegMarkers.app14 && starts('Adobe')) return content.length < 7
  if (code === jpegMarkers.app2 && starts('ICC_PROFILE\0')) return content.length < 14
  return false
}

/** As libjpeg reads what follows the last row: it waits for what the file's end cut off, and refuses what is wrong. */
function hasFlawBehindRows(bytes: Uint8Array, scanAt: number): boolean {
  for (const { code, content, length } of jpegSegments(bytes, scanAt)) {
    if (code === jpegMarkers.eoi) return false
    if (code === 1 || isRestart(code)) continue
    if (isUnknown(code)) return true
    // A second frame or scan is one too many.
    if (isFrame(code) || code === jpegMarkers.sos) return true
    if (isWrongTable(code, content, length)) return true
  }
  return false
}

function isUnknown(code: number): boolean {
  const { jpg, soi, dhp, exp, jpg0, jpg13 } = jpegMarkers
  return code < 0xc0 || code === jpg || code === soi || code === dhp || code === exp || (code >= jpg0 && code <= jpg13)
}

/** `content` ends where the file does, and may be shorter than the segment's `length`. */
function isWrongTable(code: number, content: Uint8Array, length: number): boolean {
  switch (code) {
    case jpegMarkers.dht:
      return isWrongHuffmanTable(content, length)
    case jpegMarkers.dqt:
      return isWrongQuantizationTable(content, length)
    case jpegMarkers.dac:
      return isWrongConditioning(content, length)
    case jpegMarkers.dri:
      return length !== 2
    default:
      return false
  }
}

function isWrongHuffmanTable(content: Uint8Array, length: number): boolean {
  let at = 0
  while (length - at > 16) {
    const number = content[at] ?? 0
    const counts = content.subarray(at + 1, at + 17)
    if (counts.length < 16) return false
    const count = counts.reduce((sum, value) => sum + value, 0)
    at += 17 + count
    if (count > 256 || at > length) return true
    if (at > content.length) return false
    if ((number & ~0x10) > 3) return true
  }
  return at !== length
}

function isWrongQuantizationTable(content: Uint8Array, length: number): boolean {
  let at = 0
  while (at < length) {
    const number = content[at]
    if (number === undefined) return false
    if ((number & 15) > 3) return true
    at += number < 16 ? 65 : 129
    if (at > content.length) return content.length === length
  }
  return false
}

function isWrongConditioning(content: Uint8Array, length: number): boolean {
  for (let at = 0; at < length; at += 2) {
    const [number, value] = content.subarray(at, at + 2)
    if (number === undefined || value === undefined) return content.length === length
    if (number > 31 || (number < 16 && (value & 15) > value >> 4)) return true
  }
  return false
}
