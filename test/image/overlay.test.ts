import { describe, expect, it } from 'vitest'
import { drawOverlay } from '../../src/image/overlay.ts'

const [width, height] = [12, 8]
const crop = Uint8Array.from({ length: width * height * 3 }, (_, index) => (index * 29) & 255)

function pixel(picture: Uint8Array, x: number, y: number): number[] {
  return Array.from(picture.subarray((y * width + x) * 3, (y * width + x) * 3 + 3))
}

describe('drawOverlay', () => {
  it('leaves the crop alone where the magnitude is zero', () => {
    expect(drawOverlay(crop, new Float32Array(width * height), width, height)).toEqual(crop)
    const one = new Float32Array(width * height)
    one[5 * width + 3] = 1
    const drawn = drawOverlay(crop, one, width, height)
    for (let y = 0; y < height; y++) {
      for (let x = 0; x < width; x++) {
        if (x === 3 && y === 5) expect(pixel(drawn, x, y)).not.toEqual(pixel(crop, x, y))
        else expect(pixel(drawn, x, y)).toEqual(pixel(crop, x, y))
      }
    }
  })

  it('covers the strongest place with the map’s brightest colour, the picture still showing', () => {
    const all = new Float32Array(width * height).fill(7)
    const black = drawOverlay(new Uint8Array(crop.length), all, width, height)
    expect(pixel(black, 4, 4)).toEqual([0xfc, 0xff, 0xa4].map((value) => Math.round(value * 0.85)))
    const white = drawOverlay(new Uint8Array(crop.length).fill(255), all, width, height)
    expect(pixel(white, 4, 4)[2]).toBe(Math.round(0xa4 * 0.85 + 255 * 0.15))
  })

  it('does not depend on the scale of the magnitude, and does not write into its arguments', () => {
    const ramp = Float32Array.from({ length: width * height }, (_, index) => index)
    const before = crop.slice()
    const drawn = drawOverlay(crop, ramp, width, height)
    expect(
      drawOverlay(
        crop,
        ramp.map((value) => value / 1024),
        width,
        height,
      ),
    ).toEqual(drawn)
    expect(crop).toEqual(before)
    expect(ramp[95]).toBe(95)
  })

  it('grows brighter with the magnitude', () => {
    const ramp = Float32Array.from({ length: width * height }, (_, index) => index)
    const drawn = drawOverlay(new Uint8Array(crop.length), ramp, width, height)
    const light = (index: number) => {
      const [red = 0, green = 0, blue = 0] = drawn.subarray(index * 3, index * 3 + 3)
      return 0.2126 * red + 0.7152 * green + 0.0722 * blue
    }
    for (let index = 8; index < width * height; index += 8) expect(light(index)).toBeGreaterThan(light(index - 8))
  })

  it('enlarges a small square map smoothly', () => {
    // Left column of cells full, right one empty.
    const drawn = drawOverlay(new Uint8Array(crop.length), Float32Array.from([1, 0, 1, 0]), width, height)
    const row = Array.from({ length: width }, (_, x) => pixel(drawn, x, 3)[0] ?? 0)
    expect(row[0]).toBe(row[1])
    expect(row.at(-1)).toBe(0)
    for (let x = 1; x < width; x++) expect(row[x]).toBeLessThanOrEqual(row[x - 1] ?? 0)
    expect(new Set(row).size).toBeGreaterThan(4)
  })

  it('lets one extreme pixel not darken the others', () => {
    const flat = new Float32Array(1024).fill(1)
    flat[500] = 1000
    const drawn = drawOverlay(new Uint8Array(3072), flat, 32, 32)
    expect(drawn[0]).toBe(Math.round(0xfc * 0.85))
  })

  it('takes what is not a magnitude for nothing', () => {
    const odd = new Float32Array(width * height).fill(NaN)
    odd[0] = Infinity
    odd[1] = -1
    expect(drawOverlay(crop, odd, width, height)).toEqual(crop)
  })

  it('refuses sizes that do not fit', () => {
    expect(() => drawOverlay(crop, new Float32Array(5), width, height)).toThrow(RangeError)
    expect(() => drawOverlay(crop, new Float32Array(9), width, height + 1)).toThrow(RangeError)
  })
})
