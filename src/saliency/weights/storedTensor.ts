import { float16Values } from '../../base/float16.ts'
import { truncated } from './byteCursor.ts'

/** Number types that PyTorch and safetensors store, by the bytes of one element. Little-endian throughout. */
const elementBytes = {
  float64: 8,
  float32: 4,
  float16: 2,
  bfloat16: 2,
  int64: 8,
  int32: 4,
  int16: 2,
  int8: 1,
  uint64: 8,
  uint32: 4,
  uint16: 2,
  uint8: 1,
  bool: 1,
  complex128: 16,
  complex64: 8,
  /** What quantised tensors are stored in. */
  qint32: 4,
  qint8: 1,
  quint8: 1,
  /** An untyped storage, counted in bytes; tensors over it carry their own type. */
  bytes: 1,
} as const
export type StoredType = keyof typeof elementBytes

export function bytesPerElement(type: StoredType): number {
  return elementBytes[type]
}

/** A tensor as it lies in the file: a strided window on a storage that others may share. Nothing is copied yet. */
export class StoredTensor {
  readonly type: StoredType
  /** The whole storage; a function, since a legacy file's storages come after the pickle that speaks of them. */
  readonly storage: () => Uint8Array
  /** In elements. */
  readonly offset: number
  readonly shape: readonly number[]
  /** In elements. */
  readonly strides: readonly number[]

  constructor(tensor: Pick<StoredTensor, 'type' | 'storage' | 'offset' | 'shape' | 'strides'>) {
    this.type = tensor.type
    this.storage = tensor.storage
    this.offset = tensor.offset
    this.shape = tensor.shape
    this.strides = tensor.strides
  }

  get size(): number {
    return this.shape.reduce((product, side) => product * side, 1)
  }
}

/** A tensor that is none of plain numbers, e.g. `a sparse tensor`. */
export class UnsupportedTensor {
  readonly what: string

  constructor(what: string) {
    this.what = what
  }
}

export function isFloat(type: StoredType): type is 'float64' | 'float32' | 'float16' | 'bfloat16' {
  return type === 'float64' || type === 'float32' || type === 'float16' || type === 'bfloat16'
}

export function rowMajorStrides(shape: readonly number[]): number[] {
  const strides = Array.from({ length: shape.length }, () => 1)
  let stride = 1
  for (let axis = shape.length - 1; axis >= 0; axis--) {
    strides[axis] = stride
    stride *= shape[axis] ?? 1
  }
  return strides
}

/**
 * The tensor's numbers as float32, row-major. float16 and bfloat16 are widened exactly, float64 is rounded. Contiguous
 * float32 at an aligned place comes back as a view of the file's bytes: so do not write into it.
 *
 * `name` is for the error (InputError `bad-checkpoint`) when the window reaches beyond its storage.
 */
export function widen(tensor: StoredTensor, file: string, name: string): Float32Array {
  const { type, offset, shape, strides, size } = tensor
  if (!isFloat(type)) throw new TypeError(`${name} holds ${type}, not floating-point numbers`)
  const storage = tensor.storage()
  if (size === 0) return new Float32Array(0)
  const last = shape.reduce((sum, side, axis) => sum + (side - 1) * (strides[axis] ?? 0), offset)
  if ((last + 1) * elementBytes[type] > storage.byteLength) {
    throw truncated(file, `${name} reaches beyond its storage of ${storage.byteLength} bytes`)
  }
  if (isRowMajor(tensor)) return widenRun(type, storage, offset, size)
  // Widening the spanned run first keeps one strided loop for all types. The span is no larger than the storage.
  return gather(widenRun(type, storage, offset, last - offset + 1), shape, strides, size)
}

function isRowMajor({ shape, strides }: StoredTensor): boolean {
  const packed = rowMajorStrides(shape)
  // The stride of an axis of one element is never used; PyTorch writes anything there.
  return shape.every((side, axis) => side === 1 || strides[axis] === packed[axis])
}

function widenRun(
  type: 'float64' | 'float32' | 'float16' | 'bfloat16',
  storage: Uint8Array,
  offset: number,
  count: number,
): Float32Array {
  const width = elementBytes[type]
  const start = storage.byteOffset + offset * width
  // A typed array cannot view a misaligned place; legacy files and safetensors are often misaligned.
  const aligned = start % width === 0
  // Not `slice`, which copies a Uint8Array but only views a Buffer.
  const buffer = aligned
    ? storage.buffer
    : new Uint8Array(storage.subarray(offset * width, (offset + count) * width)).buffer
  const at = aligned ? start : 0
  switch (type) {
    case 'float32':
      return new Float32Array(buffer, at, count)
    case 'float64':
      return Float32Array.from(new Float64Array(buffer, at, count))
    case 'float16': {
      const halves = new Uint16Array(buffer, at, count)
      const values = float16Values()
      const wide = new Float32Array(count)
      for (let i = 0; i < count; i++) wide[i] = values[halves[i] ?? 0] ?? 0
      return wide
    }
    case 'bfloat16': {
      // bfloat16 is the upper half of a float32.
      const halves = new Uint16Array(buffer, at, count)
      const bits = new Uint32Array(count)
      for (let i = 0; i < count; i++) bits[i] = (halves[i] ?? 0) << 16
      return new Float32Array(bits.buffer)
    }
  }
}

function gather(run: Float32Array, shape: readonly number[], strides: readonly number[], size: number): Float32Array {
  const packed = new Float32Array(size)
  const index = shape.map(() => 0)
  let from = 0
  for (let to = 0; to < size; to++) {
    packed[to] = run[from] ?? 0
    for (let axis = shape.length - 1; axis >= 0; axis--) {
      const side = shape[axis] ?? 1
      const stride = strides[axis] ?? 0
      const next = (index[axis] ?? 0) + 1
      from += stride
      if (next < side) {
        index[axis] = next
        break
      }
      index[axis] = 0
      from -= side * stride
    }
  }
  return packed
}
