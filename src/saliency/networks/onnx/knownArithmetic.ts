import { elements } from '../../graph.ts'
import { rowMajorStrides } from '../../weights/storedTensor.ts'
import type { Call } from './call.ts'
import { broadcastShape, broadcastView, eachRow } from './places.ts'
import { known, type Known, type KnownType } from './value.ts'

/** One number of up to three; those that an operator does not take are 0. */
export type Formula = (a: number, b: number, c: number) => number

/** A formula on the numbers of one to three tensors, which broadcast. Floats are rounded to float32. */
export function combined(call: Call, type: KnownType, inputs: readonly Known[], formula: Formula): Known {
  const shape = broadcastShape(inputs.map((input) => input.shape))
  const result = call.allocate(type, shape)
  const [a = [], b = [], c = []] = inputs.map(({ data }) => data)
  const views = inputs.map((input) => broadcastView(input.shape, shape))
  let to = 0
  eachRow(shape, views, ([p = 0, q = 0, r = 0], steps, length) => {
    const [ofA = 0, ofB = 0, ofC = 0] = steps
    for (let i = 0; i < length; i++)
      result[to++] = formula(a[p + i * ofA] ?? 0, b[q + i * ofB] ?? 0, c[r + i * ofC] ?? 0)
  })
  return known(type, shape, result)
}

/** Along `axes`, which keep length 1. Rounded at the end alone: float32 loses digits of a long sum. */
export function reduced(
  call: Call,
  x: Known,
  axes: readonly number[],
  { first, step, last = (total) => total }: Reduction,
): Known {
  const shape = x.shape.map((length, axis) => (axes.includes(axis) ? 1 : length))
  call.workOut(x.shape)
  const totals = new Float64Array(elements(shape)).fill(first)
  const to = { strides: rowMajorStrides(shape).map((stride, axis) => (axes.includes(axis) ? 0 : stride)), start: 0 }
  const { data } = x
  let from = 0
  eachRow(x.shape, [to], ([place = 0], [stride = 0], length) => {
    for (let i = 0; i < length; i++) {
      const at = place + i * stride
      totals[at] = step(totals[at] ?? 0, data[from++] ?? 0)
    }
  })
  const result = call.allocate(x.type, shape)
  const count = elements(x.shape) / elements(shape)
  for (const [i, total] of totals.entries()) result[i] = last(total, count)
  return known(x.type, shape, result)
}

export interface Reduction {
  readonly first: number
  readonly step: (total: number, value: number) => number
  /** What becomes of a total of `count` numbers. */
  readonly last?: (total: number, count: number) => number
}

/** Whole numbers divide towards zero. */
export function quotient(type: KnownType): Formula {
  return type === 'int' ? (a, b) => Math.trunc(a / b) : (a, b) => a / b
}
