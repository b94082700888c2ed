import { roundHalfToEven } from './rounding.ts'

/**
 * IEEE 754 binary16 as little-endian bytes: nearest value, ties to even; subnormals kept; from 65,520 on infinite; every
 * NaN becomes the same one.
 */
export function toFloat16(values: Float32Array): Uint8Array {
  const bytes = new Uint8Array(values.length * 2)
  let at = 0
  for (const value of values) {
    const bits = halfBits(value)
    bytes[at++] = bits & 0xff
    bytes[at++] = bits >> 8
  }
  return bytes
}

let values: Float32Array | undefined

/** The value of each of the 65,536 bit patterns, exactly: a table is several times faster than decoding one by one. */
export function float16Values(): Float32Array {
  values ??= Float32Array.from({ length: 65_536 }, (_, bits) => valueOf(bits))
  return values
}

function valueOf(bits: number): number {
  const exponent = (bits >> 10) & 0x1f
  const fraction = bits & 0x3ff
  const sign = bits >= 0x8000 ? -1 : 1
  if (exponent === 0x1f) return fraction === 0 ? sign * Infinity : NaN
  // Below the normal range there is no hidden bit.
  return sign * (exponent === 0 ? fraction * 2 ** -24 : (1024 + fraction) * 2 ** (exponent - 25))
}

const infinity = 0x7c00

function halfBits(value: number): number {
  const sign = value < 0 || Object.is(value, -0) ? 0x8000 : 0
  const size = Math.abs(value)
  if (Number.isNaN(value)) return 0x7e00
  if (size >= 65_520) return sign | infinity
  // The distance between neighbouring halves around `size` is 2^(exponent − 10), and 2^−24 below the normal range.
  const exponent = Math.max(-14, exponentOf(size))
  // Exact: scaling by a power of two loses nothing in a double.
  const steps = roundHalfToEven(size * 2 ** (10 - exponent))
  // A normal value has steps in [1024, 2048]; the hidden bit and a carry to 2048 both fall into the exponent field.
  return sign | (steps + (exponent + 14) * 1024)
}

/** Floor of the binary logarithm, read from the bits: `Math.log2` may round up just below a power of two. */
function exponentOf(size: number): number {
  scratch.setFloat32(0, size)
  return (scratch.getUint32(0) >>> 23) - 127
}

const scratch = new DataView(new ArrayBuffer(4))
