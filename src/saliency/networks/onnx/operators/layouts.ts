import { TensorProto_DataType as DataType } from 'onnx-buf'
import { elements, type Shape } from '../../../graph.ts'
import type { Call, Operators } from '../call.ts'
import { combined } from '../knownArithmetic.ts'
import { expanded, gathered, joined, reshaped, sliced, transposed } from '../layout.ts'
import { knownTypeOf, storedTypeOf, typeName } from '../tensorData.ts'
import { shapeOf, type Available, type KnownType } from '../value.ts'

/** What leaves the numbers as they are, but for their places and their type. */
export const layouts: Operators = {
  Identity: (call) => call.input(0),
  Dropout: (call) => {
    const isTraining = call.has(2) && call.number(2) !== 0
    call.require(!isTraining, 'training_mode: export the network after model.eval()')
    return call.input(0)
  },
  Cast: (call) => {
    const to = call.int('to', DataType.FLOAT)
    const stored = storedTypeOf(to)
    if (stored === undefined) throw call.refusal(`a cast to ${typeName(to)}`)
    return cast(call, knownTypeOf(stored))
  },
  CastLike: (call) => {
    const like = call.input(1)
    return cast(call, like.kind === 'known' ? like.type : 'float')
  },
  Reshape: (call) => {
    const shape = call.shape(0)
    const asked = call.numbersOrAttribute(1, 'shape') ?? []
    const isZeroKept = call.int('allowzero', 0) === 1
    const sides = asked.map((side, axis) => (side === 0 && !isZeroKept ? (shape[axis] ?? 0) : side))
    return reshaped(call, call.input(0), filledIn(call, sides, elements(shape)))
  },
  Flatten: (call) => {
    const shape = call.shape(0)
    const axis = call.int('axis', 1)
    // One past the last is allowed here.
    const at = axis === shape.length ? axis : call.axis(axis, shape.length)
    return reshaped(call, call.input(0), [elements(shape.slice(0, at)), elements(shape.slice(at))])
  },
  Squeeze: (call) => {
    const shape = call.shape(0)
    const axes = call.numbersOrAttribute(1, 'axes')?.map((axis) => call.axis(axis, shape.length))
    call.require(axes?.every((axis) => shape[axis] === 1) ?? true, `axes ${axes?.join(', ')} of ${shape.join('×')}`)
    return reshaped(
      call,
      call.input(0),
      shape.filter((side, axis) => (axes === undefined ? side !== 1 : !axes.includes(axis))),
    )
  },
  Unsqueeze: (call) => {
    const shape = call.shape(0)
    const asked = call.numbersOrAttribute(1, 'axes') ?? []
    const rank = shape.length + asked.length
    const axes = new Set(asked.map((axis) => call.axis(axis, rank)))
    call.require(axes.size === asked.length, `axes ${asked.join(', ')}`)
    const sides = shape.values()
    return reshaped(
      call,
      call.input(0),
      Array.from({ length: rank }, (_, axis) => (axes.has(axis) ? 1 : (sides.next().value ?? 1))),
    )
  },
  Transpose: (call) => {
    const rank = call.shape(0).length
    const permutation = call.ints('perm') ?? Array.from({ length: rank }, (_, axis) => rank - 1 - axis)
    const isWhole =
      permutation.length === rank &&
      Array.from({ length: rank }, (_, axis) => axis).every((axis) => permutation.includes(axis))
    call.require(isWhole, `perm ${permutation.join(', ')}`)
    return transposed(call, call.input(0), permutation)
  },
  Concat: (call) => {
    const axis = call.int('axis', 1)
    return joined(call, call.inputs(), call.axis(axis, call.shape(0).length))
  },
  Split: (call) => {
    const [x, shape] = [call.input(0), call.shape(0)]
    const axis = call.axis(call.int('axis', 0), shape.length)
    const side = shape[axis] ?? 1
    const sizes = call.numbersOrAttribute(1, 'split') ?? evenSizes(side, call.outputCount)
    const fits = sizes.every((size) => Number.isInteger(size) && size >= 0) && sum(sizes) === side
    call.require(fits, `parts ${sizes.join(', ')} of ${side}`)
    const parts = call.int('num_outputs', sizes.length)
    call.require(
      [sizes.length, parts].every((count) => count === call.outputCount),
      `${call.outputCount} outputs`,
    )
    let start = 0
    return sizes.map((count) => {
      start += count
      return sliced(call, x, axis, { start: start - count, count, step: 1 })
    })
  },
  /** Bounds are attributes up to operator set 9. */
  Slice: (call) => {
    const starts = call.numbersOrAttribute(1, 'starts') ?? []
    const ends = call.numbersOrAttribute(2, 'ends') ?? []
    const axes = call.numbersOrAttribute(3, 'axes') ?? starts.map((_, i) => i)
    const steps = call.numbers(4) ?? []
    return axes.reduce<Available>((x, asked, i) => {
      const shape = shapeOf(x)
      const axis = call.axis(asked, shape.length)
      const step = steps[i] ?? 1
      call.require(Number.isInteger(step) && step !== 0, `step ${step}`)
      return sliced(call, x, axis, { ...bounds(shape[axis] ?? 1, starts[i] ?? 0, ends[i] ?? 0, step), step })
    }, call.input(0))
  },
  /** Parts along an axis by their indices, which are known; an index without axes drops the axis. */
  Gather: (call) => {
    const [x, shape] = [call.input(0), call.shape(0)]
    const axis = call.axis(call.int('axis', 0), shape.length)
    const side = shape[axis] ?? 1
    const { shape: asked } = call.known(1)
    const indices = (call.numbers(1) ?? []).map((index) => (index < 0 ? index + side : index))
    call.require(
      indices.every((index) => Number.isInteger(index) && index >= 0 && index < side),
      `an index beyond ${side}`,
    )
    return reshaped(call, gathered(call, x, axis, indices), shape.toSpliced(axis, 1, ...asked))
  },
  Expand: (call) => {
    const shape = call.numbers(1) ?? []
    call.require(
      shape.every((side) => Number.isSafeInteger(side) && side >= 0),
      `shape ${shape.join('×')}`,
    )
    return expanded(call, call.input(0), shape)
  },
  Tile: (call) => {
    const repeats = call.numbers(1) ?? []
    const shape = call.shape(0)
    const fits = repeats.length === shape.length && repeats.every((n) => Number.isInteger(n) && n >= 1)
    call.require(fits, `repeats ${repeats.join(', ')}`)
    return repeats.reduce<Available>((x, count, axis) => tiled(call, x, axis, count), call.input(0))
  },
}

function cast(call: Call, to: KnownType): Available {
  const x = call.input(0)
  if (x.kind === 'computed') {
    call.require(to === 'float', 'a cast to whole numbers of what depends on the image')
    return x
  }
  if (x.type === to) return x
  if (to === 'bool') return combined(call, to, [x], (a) => (a === 0 ? 0 : 1))
  return combined(call, to, [x], to === 'int' ? Math.trunc : (a) => a)
}

/** With the one length that is -1 worked out. */
function filledIn(call: Call, sides: readonly number[], count: number): Shape {
  const open = sides.indexOf(-1)
  const rest = elements(sides.filter((_, axis) => axis !== open))
  const shape = open === -1 ? sides : sides.with(open, count / rest)
  call.require(
    shape.every((side) => Number.isSafeInteger(side) && side >= 0),
    `shape ${sides.join('×')} for ${count} numbers`,
  )
  return shape
}

/** The last is smaller where it does not come out even. */
function evenSizes(side: number, parts: number): number[] {
  const size = Math.ceil(side / parts)
  return Array.from({ length: parts }, (_, i) => Math.max(0, Math.min(size, side - i * size)))
}

/** What a slice takes of an axis: bounds below 0 count from the end, those beyond it end there. */
function bounds(side: number, start: number, end: number, step: number): { start: number; count: number } {
  const [lowest, highest] = step > 0 ? [0, side] : [-1, side - 1]
  const placed = (bound: number): number => Math.min(highest, Math.max(lowest, bound < 0 ? bound + side : bound))
  const [first, last] = [placed(start), placed(end)]
  return { start: first, count: Math.max(0, Math.ceil((last - first) / step)) }
}

function tiled(call: Call, x: Available, axis: number, count: number): Available {
  const shape = shapeOf(x)
  if (count === 1) return x
  if (shape[axis] === 1) return expanded(call, x, shape.with(axis, count))
  call.spread(count)
  return joined(
    call,
    Array.from({ length: count }, () => x),
    axis,
  )
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0)
}
