import { elements, type Node, type Shape } from '../../graph.ts'
import { inputAt, make } from '../../ops.ts'
import { rowMajorStrides } from '../../weights/storedTensor.ts'
import type { Call } from './call.ts'
import { gatheredKnown, joinedKnown, reshapedKnown, viewed } from './knownLayout.ts'
import { broadcastShape, broadcastView } from './places.ts'
import { computed, shapeOf, type Available } from './value.ts'

/** Changes of layout, of numbers that are known as well as of nodes. Where nothing changes, the value itself comes back. */

export function reshaped(call: Call, x: Available, shape: Shape): Available {
  if (elements(shape) !== elements(shapeOf(x))) {
    throw call.refusal(`${shapeOf(x).join('×')} numbers for shape ${shape.join('×')}`)
  }
  return x.kind === 'known' ? reshapedKnown(x, shape) : computed(reshapedNode(x.node, shape, call.label))
}

export function reshapedNode(x: Node, shape: Shape, label = ''): Node {
  const from = x.op === 'reshape' ? inputAt(x, 0) : x
  return from.shape.join() === shape.join() ? from : make('reshape', [from], { shape }, label)
}

export function transposed(call: Call, x: Available, permutation: readonly number[]): Available {
  if (x.kind === 'computed') return computed(transposedNode(x.node, permutation, call.label))
  if (isIdentity(permutation)) return x
  const strides = rowMajorStrides(x.shape)
  const view = { strides: permutation.map((axis) => strides[axis] ?? 0), start: 0 }
  return viewed(
    call,
    x,
    permutation.map((axis) => x.shape[axis] ?? 1),
    view,
  )
}

/** A transpose of a transpose is one: exports of networks with channels last are full of pairs that undo each other. */
export function transposedNode(x: Node, permutation: readonly number[], label = ''): Node {
  if (x.op === 'transpose') {
    const { permutation: before } = x.attributes
    const whole = permutation.map((axis) => before[axis] ?? 0)
    return transposedNode(inputAt(x, 0), whole, label)
  }
  return isIdentity(permutation) ? x : make('transpose', [x], { permutation }, label)
}

function isIdentity(permutation: readonly number[]): boolean {
  return permutation.every((axis, index) => axis === index)
}

/** Every `step`-th value from `start` on: `count` of them, the last ones before the first where the step is negative. */
export interface Cut {
  readonly start: number
  readonly count: number
  readonly step: number
}

export function sliced(call: Call, x: Available, axis: number, cut: Cut): Available {
  if (x.kind === 'computed') return computed(slicedNode(x.node, axis, cut, call.label))
  const { start, count, step } = cut
  if (start === 0 && step === 1 && count === x.shape[axis]) return x
  const strides = rowMajorStrides(x.shape)
  const along = strides[axis] ?? 0
  return viewed(call, x, x.shape.with(axis, count), { strides: strides.with(axis, along * step), start: along * start })
}

function slicedNode(x: Node, axis: number, { start, count, step }: Cut, label = ''): Node {
  const side = x.shape[axis] ?? 1
  if (step < 0) {
    const last = start + (count - 1) * step
    const part = slicedNode(x, axis, { start: last, count: start - last + 1, step: 1 })
    const turned = make('flip', [part], { axes: [axis] }, label)
    return slicedNode(turned, axis, { start: 0, count, step: -step }, label)
  }
  if (step === 1) {
    return start === 0 && count === side ? x : make('slice', [x], { axis, start, end: start + count }, label)
  }
  // The first of every `step` values, in a shape that has them in an axis of their own.
  const [end, whole] = [Math.min(side, start + count * step), count * step]
  const part = slicedNode(x, axis, { start, count: end - start, step: 1 })
  const missing = whole - (end - start)
  const full = missing === 0 ? part : make('pad', [part], { axis, before: 0, after: missing })
  const apart = make('reshape', [full], { shape: x.shape.toSpliced(axis, 1, count, step) })
  const first = make('slice', [apart], { axis: axis + 1, start: 0, end: 1 })
  return make('reshape', [first], { shape: x.shape.with(axis, count) }, label)
}

/** Values that differ in the length of one axis, behind one another. */
export function joined(call: Call, parts: readonly Available[], axis: number): Available {
  // An empty part, which PyTorch writes now and then, has nothing to add and no node.
  const filled = parts.filter((part) => elements(shapeOf(part)) > 0)
  const first = filled[0] ?? parts[0]
  if (first === undefined) throw call.refusal('no inputs')
  if (filled.length <= 1) return first
  const other = shapeOf(first)
  for (const part of filled) {
    const shape = shapeOf(part)
    const fits = shape.length === other.length && shape.every((side, i) => i === axis || side === other[i])
    call.require(fits, `${other.join('×')} and ${shape.join('×')}`)
  }
  const known = filled.flatMap((part) => (part.kind === 'known' ? [part] : []))
  if (known.length === filled.length) return joinedKnown(call, known, axis)
  return computed(
    make(
      'concat',
      filled.map((part) => call.nodeOf(part)),
      { axis },
      call.label,
    ),
  )
}

/** For each index, counted from the front, the part of x there along the axis. */
export function gathered(call: Call, x: Available, axis: number, indices: readonly number[]): Available {
  if (x.kind === 'known') return gatheredKnown(call, x, axis, indices)
  const runs = runsOf(indices)
  call.spread(runs.length)
  const parts = runs.map((run) => slicedNode(x.node, axis, run, runs.length === 1 ? call.label : ''))
  const [only] = parts
  return computed(parts.length === 1 && only !== undefined ? only : make('concat', parts, { axis }, call.label))
}

/** Neighbours that rise or fall by 1, each as one cut. */
function runsOf(indices: readonly number[]): Cut[] {
  const runs: Cut[] = []
  for (const index of indices) {
    const last = runs.at(-1)
    const step = last === undefined ? 0 : index - (last.start + (last.count - 1) * last.step)
    const goesOn = last !== undefined && Math.abs(step) === 1 && (last.count === 1 || step === last.step)
    if (goesOn) runs[runs.length - 1] = { start: last.start, count: last.count + 1, step }
    else runs.push({ start: index, count: 1, step: 1 })
  }
  return runs
}

/** Axes of length 1 repeated, and axes added in front. */
export function expanded(call: Call, x: Available, shape: Shape): Available {
  const whole = broadcastShape([shapeOf(x), shape])
  if (x.kind === 'known')
    return whole.join() === x.shape.join() ? x : viewed(call, x, whole, broadcastView(x.shape, whole))
  const lead = whole.slice(x.node.shape.length).map(() => 1)
  const raised = reshapedNode(x.node, [...lead, ...x.node.shape])
  return computed(
    raised.shape.join() === whole.join() ? raised : make('expand', [raised], { shape: whole }, call.label),
  )
}
