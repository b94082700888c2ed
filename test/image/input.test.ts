import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import type { DecodedImage } from '../../src/image/codec.ts'
import { cropToInput, type CropRule } from '../../src/image/crop.ts'

interface InputCase {
  image: [number, number]
  box: [number, number, number, number] | null
  rule: CropRule
  crop: [number, number, number, number]
  /** Of the pixels; the first 16 hex digits. */
  sha256: string
}
const cases = JSON.parse(readFileSync(new URL('../golden/inputs/cases.json', import.meta.url), 'utf8')) as InputCase[]

/** The picture that the cases were made from. */
function pattern(width: number, height: number): DecodedImage {
  const pixels = new Uint8Array(width * height * 3)
  let at = 0
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      for (let c = 0; c < 3; c++) pixels[at++] = (x * 7 + y * 13 + c * 31 + ((x * y) >> 3)) & 255
    }
  }
  return { width, height, pixels }
}

const names = [...new Set(cases.map(({ rule }) => nameOf(rule)))]

function nameOf({ width, height, resize, resizeTo, filter, channels = 'rgb' }: CropRule): string {
  return `${resize}${resizeTo === undefined ? '' : ` to ${resizeTo}`}, ${width} × ${height}, ${filter ?? 'pillow'}, ${channels}`
}

describe('what a network is shown is Pillow’s and OpenCV’s, bit for bit', () => {
  it.each(names)('%s', (name) => {
    const shown = cases
      .filter(({ rule }) => nameOf(rule) === name)
      .map(({ image, box, rule, crop, sha256 }) => {
        const corners = box && { x0: box[0], y0: box[1], x1: box[2], y1: box[3] }
        const result = cropToInput(pattern(...image), corners, rule)
        const found = { length: result.pixels.length, sha256: digest(result.pixels), crop: rounded(result.crop) }
        const length = rule.width * rule.height * (rule.channels === 'gray' ? 1 : 3)
        return { found: { image, box, ...found }, expected: { image, box, length, sha256, crop: rounded(crop) } }
      })
    expect(shown.map(({ found }) => found)).toEqual(shown.map(({ expected }) => expected))
  })

  it('has all cases', () => {
    expect(names).toHaveLength(9 * 2 * 2)
    expect(cases).toHaveLength(10 * names.length)
  })
})

it('gray is rounded as the library rounds it, where the two differ', () => {
  // Pillow 12.3's convert('L') and OpenCV 5.0's cvtColor of these colours.
  const colours = { width: 4, height: 1, pixels: Uint8Array.of(0, 1, 201, 0, 2, 152, 0, 5, 119, 9, 9, 9) }
  const gray = (filter?: 'opencv') => {
    const rule = { width: 4, height: 1, resize: 'stretch', channels: 'gray', filter } as const
    return [...cropToInput(colours, null, rule).pixels]
  }
  expect(gray()).toEqual([24, 19, 17, 9])
  expect(gray('opencv')).toEqual([23, 18, 16, 9])
})

function digest(pixels: Uint8Array): string {
  return createHash('sha256').update(pixels).digest('hex').slice(0, 16)
}

/** To a billionth of a pixel: Python sums in another order. */
function rounded(crop: readonly number[]): number[] {
  return crop.map((edge) => Math.round(edge * 1e9) / 1e9 + 0)
}
