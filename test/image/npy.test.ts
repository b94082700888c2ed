import { describe, expect, it } from 'vitest'
import { encodeNpy } from '../../src/image/npy.ts'

function parts(file: Uint8Array): { magic: string; header: string; data: DataView } {
  const buffer = Buffer.from(file)
  const dataAt = 10 + buffer.readUInt16LE(8)
  const data = new DataView(file.buffer, file.byteOffset + dataAt, file.length - dataAt)
  return { magic: buffer.toString('latin1', 0, 8), header: buffer.toString('latin1', 10, dataAt), data }
}

const values = Float32Array.from([0.5, -3, 1e-6, 0, 2, -0.25])

describe('encodeNpy', () => {
  it('writes float32 as NumPy does', () => {
    const file = encodeNpy(values, [3, 1, 2], { dtype: 'float32' })
    const { magic, header, data } = parts(file)
    expect(magic).toBe('\x93NUMPY\x01\x00')
    expect(header.trimEnd()).toBe("{'descr': '<f4', 'fortran_order': False, 'shape': (3, 1, 2), }")
    expect(header.endsWith('\n')).toBe(true)
    expect((10 + header.length) % 64).toBe(0)
    expect(Array.from(values.keys(), (index) => data.getFloat32(index * 4, true))).toEqual(Array.from(values))
    expect(data.byteLength).toBe(24)
  })

  it('divides by the largest magnitude for float16', () => {
    const { header, data } = parts(encodeNpy(values, [6], { dtype: 'float16', maxAbs: 3 }))
    expect(header).toContain("'descr': '<f2'")
    // A shape of one axis is a Python tuple only with its comma.
    expect(header).toContain("'shape': (6,)")
    const bits = Array.from(values.keys(), (index) => data.getUint16(index * 2, true))
    // 1/6, −1, a subnormal 1e-6/3 = 5.6 → 6 steps of 2^-24, 0, 2/3, −1/12
    expect(bits).toEqual([0x3155, 0xbc00, 0x0006, 0, 0x3955, 0xad55])
  })

  it('keeps an all-zero gradient', () => {
    const { data } = parts(encodeNpy(new Float32Array(4), [2, 2], { dtype: 'float16', maxAbs: 0 }))
    expect(Array.from({ length: 4 }, (_, index) => data.getUint16(index * 2, true))).toEqual([0, 0, 0, 0])
  })

  it('refuses values that do not fill the shape', () => {
    expect(() => encodeNpy(values, [2, 2], { dtype: 'float32' })).toThrow(RangeError)
  })
})
