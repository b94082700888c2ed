import { float16Values } from '../../base/float16.ts'
import { truncated } from './byteCursor.ts'

/** Numbers of a NumPy array as float64, which holds those of all kinds exactly. Row-major. */
export interface NumpyArray {
  readonly shape: readonly number[]
  readonly data: Float64Array
}

/** How an array lies in a file. */
export interface StoredArray {
  /** As NumPy writes it: byte order, kind, bytes of one number; `<f4`. */
  readonly dtype: string
  readonly shape: readonly number[]
  /** The first axis runs fastest. */
  readonly fortranOrder: boolean
  readonly bytes: Uint8Array
}

const kinds = {
  f2: { width: 2, read: (view: DataView, at: number, little: boolean) => float16Values()[view.getUint16(at, little)] },
  f4: { width: 4, read: (view: DataView, at: number, little: boolean) => view.getFloat32(at, little) },
  f8: { width: 8, read: (view: DataView, at: number, little: boolean) => view.getFloat64(at, little) },
} as const

/** Whether `numpyArray` reads numbers of this kind: floating point of 2, 4 or 8 bytes. */
export function isFloatArray({ dtype }: StoredArray): boolean {
  return /^[<>=]f[248]$/.test(dtype)
}

/** The numbers of a floating-point array. `name` is for the error: InputError `bad-checkpoint` when they do not fill it. */
export function numpyArray({ dtype, shape, fortranOrder, bytes }: StoredArray, file: string, name: string): NumpyArray {
  const { width, read } = kinds[dtype.slice(1) as keyof typeof kinds]
  const size = shape.reduce((product, side) => product * side, 1)
  if (size * width !== bytes.byteLength) {
    throw truncated(file, `${name} should be ${size} numbers of ${width} bytes and has ${bytes.byteLength} bytes`)
  }
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const little = !dtype.startsWith('>')
  const data = new Float64Array(size)
  const index = shape.map(() => 0)
  const steps = fortranOrder ? stepsOf(shape) : stepsOf(shape.toReversed()).toReversed()
  for (let to = 0; to < size; to++) {
    const from = index.reduce((sum, at, axis) => sum + at * (steps[axis] ?? 0), 0)
    data[to] = read(view, from * width, little) ?? 0
    for (let axis = shape.length - 1; axis >= 0; axis--) {
      const next = (index[axis] ?? 0) + 1
      index[axis] = next === shape[axis] ? 0 : next
      if (index[axis] !== 0) break
    }
  }
  return { shape, data }
}

/** How far apart neighbours along each axis lie where the first axis runs fastest. */
function stepsOf(shape: readonly number[]): number[] {
  let step = 1
  return shape.map((side) => {
    const own = step
    step *= side
    return own
  })
}
