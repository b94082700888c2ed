import { toFloat16 } from '../base/float16.ts'

/** How numbers are stored. `float16` stores `values / maxAbs`, so that a gradient of any scale keeps its eleven bits. */
export type NpyStorage = { readonly dtype: 'float32' } | { readonly dtype: 'float16'; readonly maxAbs: number }

/**
 * A NumPy array file: format version 1.0, little-endian, C order. `values` are row-major and fill `shape`. With float16
 * and a `maxAbs` of 0 (an all-zero gradient) the values are stored as they are.
 */
export function encodeNpy(values: Float32Array, shape: readonly number[], storage: NpyStorage): Uint8Array {
  if (shape.reduce((product, size) => product * size, 1) !== values.length) {
    throw new RangeError(`${values.length} values do not fill the shape ${shape.join(' × ')}`)
  }
  const data = storage.dtype === 'float32' ? littleEndianFloats(values) : toFloat16(divided(values, storage.maxAbs))
  const sizes = shape.length === 1 ? `${shape[0]},` : shape.join(', ')
  const descr = storage.dtype === 'float32' ? '<f4' : '<f2'
  const fields = `{'descr': '${descr}', 'fortran_order': False, 'shape': (${sizes}), }`
  // Magic (6), version (2), header length (2), header and its newline end at a multiple of 64, so that data are aligned.
  const dataAt = Math.ceil((10 + fields.length + 1) / 64) * 64
  const file = Buffer.alloc(dataAt + data.length, ' ')
  file.write('\x93NUMPY\x01\x00', 0, 'latin1')
  file.writeUInt16LE(dataAt - 10, 8)
  file.write(fields, 10, 'latin1')
  file.write('\n', dataAt - 1, 'latin1')
  file.set(data, dataAt)
  return file
}

function divided(values: Float32Array, maxAbs: number): Float32Array {
  return maxAbs > 0 ? values.map((value) => value / maxAbs) : values
}

function littleEndianFloats(values: Float32Array): Uint8Array {
  const bytes = Buffer.alloc(values.length * 4)
  for (const [index, value] of values.entries()) bytes.writeFloatLE(value, index * 4)
  return bytes
}
