import { inflateSync } from 'node:zlib'

/** A numeric array as MATLAB stores it: column by column, so that element (row, column) is `values[row + rows · column]`. */
export interface MatlabArray {
  readonly dimensions: readonly number[]
  readonly values: Float64Array
}

/** The bytes are not what the format says, or more than is allowed. */
export class MatlabError extends Error {}

const headerBytes = 128
const tagBytes = 8
const types = { int32: 5, matrix: 14, compressed: 15, int8: 1, uint32: 6 } as const
/** Sizes and readers of the numeric data types, by their number in the file. */
const numbers: Readonly<
  Record<number, { size: number; read: (view: DataView, at: number, little: boolean) => number }>
> = {
  1: { size: 1, read: (view, at) => view.getInt8(at) },
  2: { size: 1, read: (view, at) => view.getUint8(at) },
  3: { size: 2, read: (view, at, little) => view.getInt16(at, little) },
  4: { size: 2, read: (view, at, little) => view.getUint16(at, little) },
  5: { size: 4, read: (view, at, little) => view.getInt32(at, little) },
  6: { size: 4, read: (view, at, little) => view.getUint32(at, little) },
  7: { size: 4, read: (view, at, little) => view.getFloat32(at, little) },
  9: { size: 8, read: (view, at, little) => view.getFloat64(at, little) },
  12: { size: 8, read: (view, at, little) => Number(view.getBigInt64(at, little)) },
  13: { size: 8, read: (view, at, little) => Number(view.getBigUint64(at, little)) },
}
/** Array classes double to uint64; the others are cells, structures, objects, text and sparse arrays. */
const numericClasses = { first: 6, last: 15 } as const
const complexFlag = 0x800

/** A pose file unpacks to some 10 KB; whatever grows to this in one file is something else, or meant to do harm. */
const unpackedLimitBytes = 4 * 2 ** 20

interface Element {
  readonly type: number
  /** Start and end of the data. */
  readonly from: number
  readonly to: number
  /** Where the next element begins. */
  readonly next: number
}

/**
 * The real numeric arrays of these names in a MATLAB 5 file (what `save` writes up to version 7), compressed or not, of
 * either byte order. Anything else in the file is passed over, and a name that is not there is not in the result. The
 * layout is that of MathWorks' "MAT-File Level 5 File Format". Raises MatlabError.
 */
export function readMatlab5(bytes: Uint8Array, names: readonly string[]): Map<string, MatlabArray> {
  if (bytes.length < headerBytes) throw new MatlabError('it ends before its header does')
  const order = String.fromCharCode(bytes[126] ?? 0, bytes[127] ?? 0)
  if (order !== 'IM' && order !== 'MI') throw new MatlabError('it is no MATLAB 5 file')
  const little = order === 'IM'
  const file = new Elements(bytes, little)
  if (file.version() !== 0x0100) {
    throw new MatlabError('it is a MATLAB 7.3 file, which is HDF5; save it with -v7 or older')
  }
  const found = new Map<string, MatlabArray>()
  let room = unpackedLimitBytes
  for (let at = headerBytes; at < bytes.length && found.size < names.length;) {
    const element = file.at(at, bytes.length)
    at = element.next
    let holder = file
    let matrix = element
    if (element.type === types.compressed) {
      const unpacked = inflate(bytes.subarray(element.from, element.to), room)
      room -= unpacked.length
      holder = new Elements(unpacked, little)
      matrix = holder.at(0, unpacked.length)
    }
    if (matrix.type === types.matrix) {
      const array = holder.array(matrix, names)
      if (array) found.set(array.name, array)
    }
  }
  return found
}

function inflate(packed: Uint8Array, room: number): Uint8Array {
  try {
    return inflateSync(packed, { maxOutputLength: Math.max(room, 1) })
  } catch (cause) {
    const tooLarge = cause instanceof RangeError
    throw new MatlabError(
      tooLarge ? `it unpacks to more than ${unpackedLimitBytes} bytes` : 'its packed data is damaged',
      {
        cause,
      },
    )
  }
}

class Elements {
  readonly #bytes: Uint8Array
  readonly #view: DataView
  readonly #little: boolean

  constructor(bytes: Uint8Array, little: boolean) {
    this.#bytes = bytes
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    this.#little = little
  }

  version(): number {
    return this.#view.getUint16(124, this.#little)
  }

  /** The element that begins at `at` and must lie before `end`. */
  at(at: number, end: number): Element {
    if (at + tagBytes > end) throw new MatlabError('it ends within an element')
    const first = this.#view.getUint32(at, this.#little)
    // Up to four bytes of data may stand in the tag itself; its upper half then is their count.
    const small = first >>> 16
    if (small !== 0) {
      if (small > 4) throw new MatlabError('an element has a damaged tag')
      return { type: first & 0xffff, from: at + 4, to: at + 4 + small, next: at + tagBytes }
    }
    const length = this.#view.getUint32(at + 4, this.#little)
    const from = at + tagBytes
    const to = from + length
    if (to > end) throw new MatlabError('it ends within an element')
    // Packed elements alone are not filled up to eight bytes; the last filling of a file may be missing.
    const next = first === types.compressed ? to : from + Math.ceil(length / 8) * 8
    return { type: first, from, to, next }
  }

  /** `undefined` for an array that is not asked for, or is none of real numbers. */
  array({ from, to }: Element, names: readonly string[]): (MatlabArray & { name: string }) | undefined {
    // An array of zero bytes is how an empty cell is written.
    if (from === to) return undefined
    const flags = this.at(from, to)
    if (flags.type !== types.uint32 || flags.to - flags.from < 8) throw new MatlabError('an array has no flags')
    const word = this.#view.getUint32(flags.from, this.#little)
    const kind = word & 0xff
    if (kind < numericClasses.first || kind > numericClasses.last || (word & complexFlag) !== 0) return undefined
    const sizes = this.at(flags.next, to)
    const label = this.at(sizes.next, to)
    if (sizes.type !== types.int32 || label.type !== types.int8)
      throw new MatlabError('an array has no size or no name')
    const name = Buffer.from(this.#bytes.subarray(label.from, label.to)).toString('latin1')
    if (!names.includes(name)) return undefined
    const dimensions = [...this.#numbers(sizes)]
    const values = this.#numbers(this.at(label.next, to))
    const count = dimensions.reduce((product, length) => product * length, 1)
    if (count !== values.length)
      throw new MatlabError(`${name} has ${values.length} values for ${dimensions.join(' × ')}`)
    return { name, dimensions, values }
  }

  #numbers({ type, from, to }: Element): Float64Array {
    const kind = numbers[type]
    if (kind === undefined) throw new MatlabError(`it has data of type ${type}, which holds no numbers`)
    return Float64Array.from({ length: Math.floor((to - from) / kind.size) }, (_, index) =>
      kind.read(this.#view, from + index * kind.size, this.#little),
    )
  }
}
