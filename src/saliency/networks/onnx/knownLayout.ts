import { elements, type Shape } from '../../graph.ts'
import type { Call } from './call.ts'
import { eachRow, type View } from './places.ts'
import { known, type Known } from './value.ts'

/** The numbers of x in the order of a view. */
export function viewed(call: Call, x: Known, shape: Shape, view: View): Known {
  const result = call.allocate(x.type, shape)
  const { data } = x
  let to = 0
  eachRow(shape, [view], ([place = 0], [step = 0], length) => {
    for (let i = 0; i < length; i++) result[to++] = data[place + i * step] ?? 0
  })
  return known(x.type, shape, result, x.name)
}

/** Tensors that differ in the length of one axis, behind one another. */
export function joinedKnown(call: Call, parts: readonly Known[], axis: number): Known {
  const [first] = parts
  if (first === undefined) throw call.refusal('no inputs')
  const length = parts.reduce((total, { shape }) => total + (shape[axis] ?? 0), 0)
  const shape = first.shape.with(axis, length)
  const result = call.allocate(first.type, shape)
  const outer = elements(shape.slice(0, axis))
  const row = elements(shape.slice(axis))
  let start = 0
  for (const part of parts) {
    const run = elements(part.shape.slice(axis))
    const { data } = part
    for (let i = 0; i < outer; i++) for (let j = 0; j < run; j++) result[i * row + start + j] = data[i * run + j] ?? 0
    start += run
  }
  return known(first.type, shape, result)
}

/** For each index, counted from the front, the part of x there along the axis. */
export function gatheredKnown(call: Call, x: Known, axis: number, indices: readonly number[]): Known {
  const shape = x.shape.with(axis, indices.length)
  const result = call.allocate(x.type, shape)
  const length = x.shape[axis] ?? 1
  const run = elements(x.shape.slice(axis + 1))
  const { data } = x
  let to = 0
  for (let outer = 0; outer < elements(x.shape.slice(0, axis)); outer++)
    for (const index of indices)
      for (let j = 0; j < run; j++) result[to++] = data[(outer * length + index) * run + j] ?? 0
  return known(x.type, shape, result)
}

/** With `before` and `after` times the value around x along the axis. */
export function paddedKnown(call: Call, x: Known, { axis, before, after }: Margin, value: number): Known {
  const filled = (count: number): Known => {
    const shape = x.shape.with(axis, count)
    return known(x.type, shape, call.filled(x.type, shape, value))
  }
  return joinedKnown(call, [filled(before), x, filled(after)], axis)
}

/** How many values an axis gets before its first and after its last. */
export interface Margin {
  readonly axis: number
  readonly before: number
  readonly after: number
}

/** The same numbers in another shape. */
export function reshapedKnown(x: Known, shape: Shape): Known {
  return x.shape.join() === shape.join() ? x : known(x.type, shape, x.data, x.name)
}
