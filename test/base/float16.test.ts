import fc from 'fast-check'
import { expect, it } from 'vitest'
import { float16Values, toFloat16 } from '../../src/base/float16.ts'

function bitsOf(...values: number[]): number[] {
  const bytes = toFloat16(Float32Array.from(values))
  return values.map((_, index) => (bytes[2 * index] ?? 0) | ((bytes[2 * index + 1] ?? 0) << 8))
}

/** The value of a half, from the definition of the format. */
function valueOf(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1
  const exponent = (bits >> 10) & 31
  const fraction = bits & 1023
  if (exponent === 31) return fraction === 0 ? sign * Infinity : NaN
  return exponent === 0 ? sign * fraction * 2 ** -24 : sign * (1 + fraction / 1024) * 2 ** (exponent - 15)
}

it.each([
  [0, 0x0000],
  [-0, 0x8000],
  [1, 0x3c00],
  [-2, 0xc000],
  [65504, 0x7bff],
  [65519.996, 0x7bff],
  [65520, 0x7c00],
  [-1e30, 0xfc00],
  [Infinity, 0x7c00],
  [NaN, 0x7e00],
  [1 / 3, 0x3555],
  [2 ** -14, 0x0400],
  [2 ** -14 - 2 ** -24, 0x03ff],
  [2 ** -14 - 2 ** -25, 0x0400],
  [2 ** -24, 0x0001],
  [2 ** -25, 0x0000],
  [2 ** -25 * 1.0001, 0x0001],
  [1.5 * 2 ** -24, 0x0002],
  [2.5 * 2 ** -24, 0x0002],
  [1e-45, 0x0000],
  [1 + 2 ** -11, 0x3c00],
  [1 + 3 * 2 ** -11, 0x3c02],
  [1 + 2 ** -11 + 2 ** -20, 0x3c01],
  [2 - 2 ** -11, 0x4000],
  [2 - 2 ** -11 - 2 ** -23, 0x3fff],
])('%d has the bits %i', (value, bits) => {
  expect(bitsOf(value)).toEqual([bits])
})

it('keeps every finite half', () => {
  const all = Array.from({ length: 0x10000 }, (_, bits) => bits).filter((bits) => ((bits >> 10) & 31) !== 31)
  expect(bitsOf(...all.map(valueOf))).toEqual(all)
})

it('gives every bit pattern its value back', () => {
  expect([...float16Values()]).toEqual(Array.from({ length: 0x10000 }, (_, bits) => valueOf(bits)))
})

it('is never farther off than either neighbour', () => {
  fc.assert(
    fc.property(fc.float({ min: -60000, max: 60000, noNaN: true }), (value) => {
      const [bits = 0] = bitsOf(value)
      const off = Math.abs(valueOf(bits) - value)
      const size = bits & 0x7fff
      expect(off).toBeLessThanOrEqual(Math.abs(valueOf(bits + 1) - value))
      if (size > 0) expect(off).toBeLessThanOrEqual(Math.abs(valueOf(bits - 1) - value))
    }),
  )
})
