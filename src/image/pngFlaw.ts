import { crc32 } from 'node:zlib'
import { bigEndian, latin1 } from './byteOrder.ts'

/**
 * Whether Pillow refuses a PNG of which libvips makes a picture: it checks what stands before the pixels to the last
 * byte, things that are never shown (a text, a profile) included, and looks at fields of what stands behind them.
 */
export function hasPngFlaw(bytes: Uint8Array): boolean {
  let at = 8
  let isBehindPixels = false
  const animation = new Animation(bytes)
  for (;;) {
    const length = bigEndian(bytes, at, 4)
    const name = latin1(bytes, at + 4, 4)
    const from = at + 8
    const end = from + length
    // Pillow takes anything behind the pixels for the end, but for a chunk that it begins to read.
    if (!/^\w{4}$/.test(name)) return !isBehindPixels
    if (name === 'IEND') return !isBehindPixels
    if (name === 'IDAT') {
      isBehindPixels = true
    } else {
      if (isBehindPixels && name === 'fcTL' && animation.hasFrames) return false
      if (end > bytes.length) return true
      const content = bytes.subarray(from, end)
      if (!isBehindPixels && crc32(bytes.subarray(at + 4, end)) !== bigEndian(bytes, end, 4)) return true
      if (content.length < (leastBytes[name] ?? 0) || hasWrongField(name, content)) return true
      if (!animation.takes(name, content)) return true
    }
    at = end + 4
  }
}

/** Chunks in which Pillow looks at fields without asking whether they are there. */
const leastBytes: Readonly<Record<string, number>> = { IHDR: 13, gAMA: 4, sRGB: 1, pHYs: 9, acTL: 8, fcTL: 26, fdAT: 4 }

/** Whether a chunk of `name` holds a value that Pillow refuses: a method of compression other than 0, a cut chromaticity. */
function hasWrongField(name: string, content: Uint8Array): boolean {
  // Method of compression: 0 is the only one that there is.
  if (name === 'iCCP' || name === 'zTXt') {
    const named = content.indexOf(0)
    if (name === 'iCCP' && named + 1 >= content.length) return true
    const method = named < 0 && name === 'zTXt' ? 0 : content[named + 1]
    return (method ?? 0) !== 0
  }
  if (name === 'cHRM') return content.length % 4 !== 0
  return false
}

/** What Pillow asks of an animation's chunks, though the first picture alone is shown. */
class Animation {
  readonly #width: number
  readonly #height: number
  #frames: number | undefined
  #next = 0

  constructor(bytes: Uint8Array) {
    this.#width = bigEndian(bytes, 16, 4)
    this.#height = bigEndian(bytes, 20, 4)
  }

  get hasFrames(): boolean {
    return this.#frames !== undefined
  }

  takes(name: string, content: Uint8Array): boolean {
    if (name === 'acTL') {
      const frames = bigEndian(content, 0, 4)
      this.#frames = this.#frames === undefined && frames > 0 && frames <= 0x80000000 ? frames : undefined
    } else if (name === 'fcTL') {
      const [number = 0, width = 0, height = 0, left = 0, top = 0] = [0, 4, 8, 12, 16].map((at) =>
        bigEndian(content, at, 4),
      )
      if (number !== this.#next++ || left + width > this.#width || top + height > this.#height) return false
    } else if (name === 'fdAT') {
      return bigEndian(content, 0, 4) === this.#next++
    }
    return true
  }
}
