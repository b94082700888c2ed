import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { greyCells } from '../../src/image/greyCells.ts'

const side = 28

interface Case {
  width: number
  height: number
  /** Hexadecimal. */
  cells: string
}
const cases = JSON.parse(readFileSync(new URL('../golden/inputs/greyCells.json', import.meta.url), 'utf8')) as Case[]

/** The picture that the cases were made from. */
function pattern(width: number, height: number): Uint8Array {
  return Uint8Array.from({ length: width * height * 3 }, (_, i) => {
    const [x, y, c] = [Math.floor(i / 3) % width, Math.floor(i / 3 / width), i % 3]
    return (x * 7 + y * 13 + c * 31 + ((x * y) >> 3)) & 255
  })
}

/** The definition: each pixel counts to each cell with the area that both share. */
function definition(grey: (x: number, y: number) => number, width: number, height: number): number[] {
  const shared = (pixel: number, cell: number, length: number): number =>
    Math.max(0, Math.min(side * (pixel + 1), length * (cell + 1)) - Math.max(side * pixel, length * cell))
  return Array.from({ length: side * side }, (_, cell) => {
    let sum = 0
    for (let y = 0; y < height; y++) {
      for (let x = 0; x < width; x++) {
        sum += grey(x, y) * shared(x, cell % side, width) * shared(y, Math.floor(cell / side), height)
      }
    }
    return Math.floor((2 * sum + width * height) / (2 * width * height))
  })
}

describe('the grey of a network’s input in 28 × 28 cells', () => {
  it.each(cases)('is the mean of Pillow’s grey at $width × $height, to the last level', ({ width, height, cells }) => {
    const found = greyCells({ width, height, pixels: pattern(width, height) }, side)
    expect(Buffer.from(found).toString('hex')).toBe(cells)
  })

  it('follows the definition at every size, also below one pixel for a cell', () => {
    for (const [width, height] of [
      [1, 5],
      [27, 29],
      [28, 28],
      [55, 57],
      [100, 3],
    ] as const) {
      const level = (x: number, y: number): number => (x * 89 + y * 37 + x * y) & 255
      const pixels = Uint8Array.from({ length: width * height }, (_, i) => level(i % width, Math.floor(i / width)))
      expect([...greyCells({ width, height, pixels }, side)]).toEqual(definition(level, width, height))
    }
  })

  it('takes one channel as it is, and leaves the pixels alone', () => {
    const pixels = new Uint8Array(28 * 28).fill(9)
    pixels[1] = 200
    const before = pixels.slice()
    const cells = greyCells({ width: 28, height: 28, pixels }, side)
    expect(cells).toEqual(before)
    cells.fill(0)
    expect(pixels).toEqual(before)
  })

  it('reaches black and white, and rounds halves up', () => {
    const of = (...levels: number[]): number => {
      const pixels = Uint8Array.from({ length: 56 * 28 }, (_, i) => levels[i % 2] ?? 0)
      return greyCells({ width: 56, height: 28, pixels }, side)[0] ?? NaN
    }
    expect([of(0, 0), of(255, 255), of(0, 1), of(254, 255)]).toEqual([0, 255, 1, 255])
  })
})
