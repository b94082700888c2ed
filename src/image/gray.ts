import type { DecodedImage } from './codec.ts'
import type { Picture, Region } from './resize.ts'

/**
 * Luma weights in the whole numbers that the library calculates with. Both are ITU-R BT.601's, but rounded to 16 and to 15
 * bits, so that one colour in eight hundred differs by a level.
 */
const lumas = {
  /** Pillow's `convert('L')`. */
  pillow: { red: 19_595, green: 38_470, blue: 7471, bits: 16 },
  /** OpenCV's `cvtColor` with COLOR_RGB2GRAY. `imread` with IMREAD_GRAYSCALE is something else: the JPEG's own luma. */
  opencv: { red: 9798, green: 19_235, blue: 3735, bits: 15 },
} as const

/** `part` of an image, which lies within it, in gray. */
export function grayPart({ pixels, width }: DecodedImage, part: Region, library: keyof typeof lumas): Picture {
  const { red, green, blue, bits } = lumas[library]
  const half = 1 << (bits - 1)
  const gray = new Uint8Array(part.width * part.height)
  let to = 0
  for (let row = 0; row < part.height; row++) {
    let from = ((part.y + row) * width + part.x) * 3
    for (const end = to + part.width; to < end; to++, from += 3) {
      gray[to] = (red * pixels[from]! + green * pixels[from + 1]! + blue * pixels[from + 2]! + half) >> bits
    }
  }
  return { width: part.width, height: part.height, pixels: gray, channels: 1 }
}

/** The same gray as RGB, to be shown. */
export function grayToRgb(gray: Uint8Array): Uint8Array {
  const rgb = new Uint8Array(3 * gray.length)
  for (let index = 0, to = 0; index < gray.length; index++, to += 3) rgb.fill(gray[index]!, to, to + 3)
  return rgb
}
