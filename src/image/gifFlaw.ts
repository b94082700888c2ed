import { littleEndian } from './byteOrder.ts'

/**
 * Whether Pillow refuses a GIF of which libvips makes a picture: libvips fills up what a damaged code leaves open. The
 * first picture's code is read through, without drawing it: it must be without an impossible step and reach its last
 * pixel.
 */
export function hasGifFlaw(bytes: Uint8Array, { width, height }: Size): boolean {
  const frame = firstFrame(bytes)
  // Pillow has no picture without pixels, and libvips takes a large screen around a small picture for a mistake.
  if (frame === undefined || frame.pixels === 0) return true
  if (frame.right > width || frame.bottom > height) return true
  return pixelsOf(bytes, frame.dataAt, frame.pixels) < frame.pixels
}

interface Size {
  readonly width: number
  readonly height: number
}

interface Frame {
  /** Where its code begins, with its size first. */
  readonly dataAt: number
  readonly pixels: number
  /** Edges of the whole picture, which is at least the screen. */
  readonly right: number
  readonly bottom: number
}

function firstFrame(bytes: Uint8Array): Frame | undefined {
  let at = 13 + colourTableBytes(bytes[10] ?? 0)
  while (bytes[at] === 0x21) {
    at += 2
    for (let size = bytes[at]; size !== undefined && size !== 0; size = bytes[at]) at += size + 1
    at++
  }
  if (bytes[at] !== 0x2c) return undefined
  const number = (from: number): number => littleEndian(bytes, from, 2)
  const [width, height] = [number(at + 5), number(at + 7)]
  return {
    dataAt: at + 10 + colourTableBytes(bytes[at + 9] ?? 0),
    pixels: width * height,
    right: Math.max(number(6), number(at + 1) + width),
    bottom: Math.max(number(8), number(at + 3) + height),
  }
}

export function colourTableBytes(flags: number): number {
  return (flags & 0x80) !== 0 ? 3 << ((flags & 7) + 1) : 0
}

const largestTable = 4096
/** How many pixels each code stands for. */
const lengths = new Uint16Array(largestTable)

/** How many pixels the code (LZW, in sub-blocks) yields before its end or an impossible step; at most `wanted`. */
function pixelsOf(bytes: Uint8Array, dataAt: number, wanted: number): number {
  const firstBits = bytes[dataAt] ?? 0
  if (firstBits > 11) return 0
  const clear = 1 << firstBits
  lengths.fill(1, 0, clear)
  let bits = firstBits + 1
  let next = clear + 2
  let previous = -1
  let pixels = 0
  let at = dataAt + 1
  let left = 0
  let buffer = 0
  let buffered = 0
  for (;;) {
    while (buffered < bits) {
      if (left === 0) {
        left = bytes[at++] ?? 0
        if (left === 0 || at + left > bytes.length) return pixels
      }
      buffer |= (bytes[at++] ?? 0) << buffered
      buffered += 8
      left--
    }
    const code = buffer & ((1 << bits) - 1)
    buffer >>= bits
    buffered -= bits
    if (code === clear) {
      bits = firstBits + 1
      next = clear + 2
      previous = -1
      continue
    }
    if (code === clear + 1) return pixels
    if (previous < 0) {
      if (code > clear) return pixels
      pixels++
    } else {
      if (code > next || code >= largestTable) return pixels
      const length = code === next ? (lengths[previous] ?? 0) + 1 : (lengths[code] ?? 0)
      if (next < largestTable) {
        lengths[next] = (lengths[previous] ?? 0) + 1
        if (next === (1 << bits) - 1 && bits < 12) bits++
        next++
      }
      pixels += length
    }
    previous = code
    if (pixels >= wanted) return wanted
  }
}
