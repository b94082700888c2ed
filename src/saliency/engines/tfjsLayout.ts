import type { NamedAttrMap, NamedTensorMap, Tensor } from '@tensorflow/tfjs-core'
import type { Layout, TfjsBackend, Value } from './tfjsBackend.ts'

/** Where each axis of a layout stands in the graph's order. */
const order = {
  plain: [0, 1, 2, 3],
  channelsLast: [0, 2, 3, 1],
  filter: [2, 3, 1, 0],
} as const satisfies Readonly<Record<Layout, readonly number[]>>

export function runKernel(
  backend: TfjsBackend,
  name: string,
  inputs: NamedTensorMap,
  attributes: NamedAttrMap,
): Tensor {
  return backend.core.engine().runKernel<Tensor>(name, inputs, attributes)
}

export const asPlain = (backend: TfjsBackend, value: Value): Value => relaid(backend, value, 'plain')
export const asChannelsLast = (backend: TfjsBackend, value: Value): Value => relaid(backend, value, 'channelsLast')
export const asFilter = (backend: TfjsBackend, value: Value): Value => relaid(backend, value, 'filter')

/** Where an axis of the graph stands in a value. */
export function axisIn({ layout }: Value, axis: number): number {
  const found = order[layout].findIndex((from) => from === axis)
  return layout === 'plain' ? axis : found
}

/** Lengths (or anything else per axis) in the graph's order, put in a value's order. */
export function inOrderOf<T>({ layout }: Value, perAxis: readonly T[]): T[] {
  return layout === 'plain' ? [...perAxis] : order[layout].flatMap((axis) => perAxis.slice(axis, axis + 1))
}

function relaid(backend: TfjsBackend, value: Value, layout: Layout): Value {
  const { tensor } = value
  if (value.layout === layout) return value
  const permutation = order[layout].map((axis) => axisIn(value, axis))
  const shape = permutation.map((axis) => tensor.shape[axis] ?? 1)
  // Axes of length 1 may move freely among the others.
  const longAxes = permutation.filter((axis) => tensor.shape[axis] !== 1)
  const isReshape = longAxes.every((axis, index) => index === 0 || axis > (longAxes[index - 1] ?? 0))
  const relaidTensor = isReshape
    ? runKernel(backend, 'Reshape', { x: tensor }, { shape })
    : runKernel(backend, 'Transpose', { x: tensor }, { perm: permutation })
  return { tensor: relaidTensor, layout }
}

/** Values of one layout, with as many axes each as broadcasting between them needs. */
export function alike(backend: TfjsBackend, values: readonly Value[]): Value[] {
  const first = values.find(({ layout }) => layout !== 'plain')
  if (first === undefined) return [...values]
  return values.map((value) => {
    if (value.layout === 'channelsLast' || value.tensor.size === 1) return { ...value, layout: 'channelsLast' }
    const { shape } = value.tensor
    const missing = 4 - shape.length
    const wide =
      missing === 0 ? value.tensor : reshaped(backend, value.tensor, [...Array<number>(missing).fill(1), ...shape])
    return asChannelsLast(backend, { tensor: wide, layout: value.layout })
  })
}

export function padded(backend: TfjsBackend, x: Tensor, paddings: [number, number][], constantValue: number): Tensor {
  return runKernel(backend, 'PadV2', { x }, { paddings, constantValue })
}

export function part(backend: TfjsBackend, x: Tensor, axis: number, start: number, length: number): Tensor {
  const begin = x.shape.map((_, i) => (i === axis ? start : 0))
  return runKernel(backend, 'Slice', { x }, { begin, size: x.shape.with(axis, length) })
}

export function joined(backend: TfjsBackend, parts: readonly Tensor[]): Tensor {
  const [only, ...more] = parts
  if (only === undefined) throw new Error('there is nothing to join')
  return more.length === 0 ? only : runConcat(backend, parts, 3)
}

export function runConcat(backend: TfjsBackend, tensors: readonly Tensor[], axis: number): Tensor {
  // The kernel takes a list, though its type knows only names.
  return runKernel(backend, 'Concat', tensors as unknown as NamedTensorMap, { axis })
}

export function reshaped(backend: TfjsBackend, x: Tensor, shape: readonly number[]): Tensor {
  return runKernel(backend, 'Reshape', { x }, { shape: [...shape] })
}

export function some(value: Value | undefined): Value {
  if (value === undefined) throw new Error('an input is missing')
  return value
}
