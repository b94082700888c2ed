import type { Node, NodeOf, Padding, Pair } from './graph.ts'
import { inputAt, make, zeros } from './ops.ts'

/**
 * With fewer channels than this in its input a strided convolution keeps its transposed form: engines compute channels in
 * blocks, and the three of an image would leave most of each block empty.
 */
const fewChannels = 16

/**
 * The gradient of a convolution as convolutions, which every engine computes on its fast path. ConvTranspose is the
 * tempting wrong choice: it takes up to twice as long, for depthwise convolutions fourteen times, and in ONNX Runtime it
 * leaves the blocked layout.
 *
 * With stride 1 it is one convolution, with the kernel turned by 180° and its channels exchanged. With a larger stride, each
 * phase of the result (every stride-th value from an offset on) meets only some of the kernel's rows and columns and is a
 * small convolution of its own (Shi et al. 2016, arXiv 1609.05158, section 3.2). Zeros between the values of the gradient,
 * and one convolution over them, are the tempting wrong choice: four times the work for stride 2.
 */
export function convolutionGradient(node: NodeOf<'convInputGradient'>): Node {
  const { strides, inputShape } = node.attributes
  if (strides[0] === 1 && strides[1] === 1) return flippedConv(node)
  if ((inputShape[1] ?? 0) < fewChannels) return node
  const size: Pair = [inputShape[2] ?? 1, inputShape[3] ?? 1]
  const phases = Array.from({ length: strides[0] * strides[1] }, (_, i) =>
    phaseOfGradient(node, [Math.floor(i / strides[1]), i % strides[1]]),
  )
  return make('interleave', phases, { strides, size }, node.label)
}

function flippedConv(node: NodeOf<'convInputGradient'>): Node {
  const { pads, groups, inputShape } = node.attributes
  const [g, weight] = [inputAt(node, 0), inputAt(node, 1)]
  const [height = 1, width = 1] = weight.shape.slice(2)
  // What padding the forward convolution lacked to keep its size, the backward one needs more of, and the reverse.
  const top = height - 1 - pads[0]
  const left = width - 1 - pads[1]
  const back: Padding = [
    top,
    left,
    (inputShape[2] ?? 0) - (g.shape[2] ?? 0) + height - 1 - top,
    (inputShape[3] ?? 0) - (g.shape[3] ?? 0) + width - 1 - left,
  ]
  if (back.some((padding) => padding < 0)) return node
  return make('conv', [g, turned(weight, groups)], { strides: [1, 1], pads: back, groups }, node.label)
}

function phaseOfGradient(node: NodeOf<'convInputGradient'>, offset: Pair): Node {
  const { strides, pads, groups, inputShape } = node.attributes
  const size = phaseSize(node)
  let [g, weight] = [inputAt(node, 0), inputAt(node, 1)]
  const back: [number, number, number, number] = [0, 0, 0, 0]
  for (const axis of [0, 1] as const) {
    const [kernel, length] = [weight.shape[axis + 2] ?? 1, g.shape[axis + 2] ?? 1]
    const stride = strides[axis]
    const start = offset[axis] + pads[axis]
    // The first row of the kernel that meets this phase, and how many do.
    const row = start % stride
    const taps = Math.ceil((kernel - row) / stride)
    if (taps <= 0) return zeros([g.shape[0] ?? 1, inputShape[1] ?? 1, ...size])
    const shift = (start - row) / stride
    const [before, after] = [taps - 1 - shift, size[axis] + shift - length]
    const [from, to] = [Math.max(0, -before), length - Math.max(0, -after)]
    if (to <= from) return zeros([g.shape[0] ?? 1, inputShape[1] ?? 1, ...size])
    g = cut(g, axis + 2, from, to)
    back[axis] = Math.max(0, before)
    back[axis + 2] = Math.max(0, after)
    weight = everyRow(weight, axis + 2, row, stride)
  }
  return make('conv', [g, turned(weight, groups)], { strides: [1, 1], pads: back, groups }, node.label)
}

function cut(x: Node, axis: number, start: number, end: number): Node {
  return start === 0 && end === x.shape[axis] ? x : make('slice', [x], { axis, start, end })
}

function phaseSize({ attributes: { strides, inputShape } }: NodeOf<'convInputGradient'>): Pair {
  return [Math.ceil((inputShape[2] ?? 1) / strides[0]), Math.ceil((inputShape[3] ?? 1) / strides[1])]
}

/** Every `step`-th slice of a weight along an axis, from `start` on. */
function everyRow(weight: Node, axis: number, start: number, step: number): Node {
  const { shape } = weight
  const length = shape[axis] ?? 1
  const taps = Math.ceil((length - start) / step)
  const from = cut(weight, axis, start, length)
  const missing = taps * step - (length - start)
  const padded = missing === 0 ? from : make('pad', [from], { axis, before: 0, after: missing })
  const split = make('reshape', [padded], { shape: [...shape.slice(0, axis), taps, step, ...shape.slice(axis + 1)] })
  const chosen = make('slice', [split], { axis: axis + 1, start: 0, end: 1 })
  return make('reshape', [chosen], { shape: shape.with(axis, taps) }, weight.label)
}

/** The kernel turned by 180°, with inputs and outputs exchanged within each group. */
function turned(weight: Node, groups: number): Node {
  const exchanged = groups === 1 ? exchangedChannels(weight) : exchangedWithin(weight, groups)
  const [, , height = 1, width = 1] = weight.shape
  return height * width === 1 ? exchanged : make('flip', [exchanged], { axes: [2, 3] }, weight.label)
}

function exchangedChannels(weight: Node): Node {
  return make('transpose', [weight], { permutation: [1, 0, 2, 3] }, weight.label)
}

function exchangedWithin(weight: Node, groups: number): Node {
  const [outs = 1, ins = 1, height = 1, width = 1] = weight.shape
  const perGroup = outs / groups
  // Depthwise, one channel in and one out: there is nothing to exchange.
  if (perGroup === 1 && ins === 1) return weight
  const split = make('reshape', [weight], { shape: [groups, perGroup, ins, height, width] })
  const exchanged = make('transpose', [split], { permutation: [0, 2, 1, 3, 4] })
  return make('reshape', [exchanged], { shape: [groups * ins, perGroup, height, width] }, weight.label)
}
