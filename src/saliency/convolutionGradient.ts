import type { Attributes, Node, NodeOf, Pair, Shape } from './graph.ts'
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
  const passed = { g: inputAt(node, 0), weight: inputAt(node, 1), attributes: node.attributes, inputShape }
  if (strides[0] === 1 && strides[1] === 1) return phaseOfGradient(passed, [0, 0], node.label)
  if ((inputShape[1] ?? 0) < fewChannels) return node
  const size: Pair = [inputShape[2] ?? 1, inputShape[3] ?? 1]
  const phases = Array.from({ length: strides[0] * strides[1] }, (_, i) =>
    phaseOfGradient(passed, [Math.floor(i / strides[1]), i % strides[1]], node.label),
  )
  return make('interleave', phases, { strides, size }, node.label)
}

/** The same of a dilated convolution, whose stride is 1: what arrives at its input of the gradient g of its value. */
export function dilatedGradient({ inputs: [x, weight], attributes, label }: NodeOf<'conv'>, g: Node): Node {
  if (x === undefined || weight === undefined) throw new Error('conv takes two inputs')
  return phaseOfGradient({ g, weight, attributes, inputShape: x.shape }, [0, 0], label)
}

/** A convolution whose gradient g arrives at its input. */
interface Passed {
  readonly g: Node
  readonly weight: Node
  readonly attributes: Attributes['conv']
  readonly inputShape: Shape
}

/** One phase of what arrives; with stride 1, all of it. */
function phaseOfGradient({ g: whole, weight: all, attributes, inputShape }: Passed, offset: Pair, label: string): Node {
  const { strides, pads, groups, dilations } = attributes
  const size = phaseSize(strides, inputShape)
  let [g, weight] = [whole, all]
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
    // What padding the forward convolution lacked to keep its size, the backward one needs more of, and the reverse.
    const [before, after] = [(taps - 1) * (dilations?.[axis] ?? 1) - shift, size[axis] + shift - length]
    const [from, to] = [Math.max(0, -before), length - Math.max(0, -after)]
    if (to <= from) return zeros([g.shape[0] ?? 1, inputShape[1] ?? 1, ...size])
    g = cut(g, axis + 2, from, to)
    back[axis] = Math.max(0, before)
    back[axis + 2] = Math.max(0, after)
    weight = everyRow(weight, axis + 2, row, stride)
  }
  const dilated = dilations === undefined ? {} : { dilations }
  return make('conv', [g, turned(weight, groups)], { strides: [1, 1], pads: back, groups, ...dilated }, label)
}

function cut(x: Node, axis: number, start: number, end: number): Node {
  return start === 0 && end === x.shape[axis] ? x : make('slice', [x], { axis, start, end })
}

function phaseSize(strides: Pair, inputShape: Shape): Pair {
  return [Math.ceil((inputShape[2] ?? 1) / strides[0]), Math.ceil((inputShape[3] ?? 1) / strides[1])]
}

/** Every `step`-th slice of a weight along an axis, from `start` on. */
function everyRow(weight: Node, axis: number, start: number, step: number): Node {
  if (step === 1) return weight
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
