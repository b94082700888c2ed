import { deflateSync } from 'node:zlib'

/** A MATLAB 5 file as scipy and MATLAB write it: doubles, each array packed unless told otherwise. */
export function matFile(
  arrays: Readonly<Record<string, { rows: number; values: readonly number[] }>>,
  { packed = true, little = true } = {},
): Buffer {
  const header = Buffer.alloc(128, ' ')
  header.write('MATLAB 5.0 MAT-file, written by a test')
  header.fill(0, 116, 124)
  writeNumber(header, 124, 2, 0x0100, little)
  header.write(little ? 'IM' : 'MI', 126)
  const elements = Object.entries(arrays).map(([name, { rows, values }]) => {
    const flags = numbersOf([6, 0], 4, little)
    const sizes = numbersOf([rows, values.length / rows], 4, little)
    const doubles = Buffer.alloc(8 * values.length)
    values.forEach((value, index) =>
      little ? doubles.writeDoubleLE(value, 8 * index) : doubles.writeDoubleBE(value, 8 * index),
    )
    const matrix = element(
      14,
      Buffer.concat([
        element(6, flags, little),
        element(5, sizes, little),
        element(1, Buffer.from(name), little),
        element(9, doubles, little),
      ]),
      little,
    )
    return packed ? element(15, deflateSync(matrix), little) : matrix
  })
  return Buffer.concat([header, ...elements])
}

/** An element of a MATLAB 5 file; short data stands in the tag, as MATLAB writes it. */
export function element(type: number, data: Uint8Array, little = true): Buffer {
  if (data.length > 0 && data.length <= 4) {
    const small = Buffer.alloc(8)
    writeNumber(small, 0, 4, type + data.length * 65536, little)
    small.set(data, 4)
    return small
  }
  const room = type === 15 ? data.length : Math.ceil(data.length / 8) * 8
  const whole = Buffer.alloc(8 + room)
  writeNumber(whole, 0, 4, type, little)
  writeNumber(whole, 4, 4, data.length, little)
  whole.set(data, 8)
  return whole
}

export function numbersOf(values: readonly number[], size: 2 | 4, little = true): Buffer {
  const data = Buffer.alloc(size * values.length)
  values.forEach((value, index) => writeNumber(data, size * index, size, value, little))
  return data
}

function writeNumber(into: Buffer, at: number, size: number, value: number, little: boolean): void {
  if (little) into.writeUIntLE(value, at, size)
  else into.writeUIntBE(value, at, size)
}
