import { dilatedGradient } from './convolutionGradient.ts'
import { elements, type ConvAttributes, type Node, type NodeOf, type OpName, type Shape } from './graph.ts'
import { constant, constantData, inputAt, make, scalar, zeros } from './ops.ts'
import { dim } from './shapes.ts'

/**
 * How a gradient passes an operation: the vector-Jacobian product, written as graph nodes. `upstream` is the gradient of the
 * objective with respect to the node's value; the rule gives the gradient with respect to each input, `null` where none
 * flows (weights are constants, so a convolution has none for its weight).
 */
type GradientRule<K extends OpName> = (node: NodeOf<K>, upstream: Node) => readonly (Node | null)[]

/** An operation without a rule is used after the sweep only (pictures, statistics); the sweep refuses to pass it. */
const gradientRules: { readonly [K in OpName]?: GradientRule<K> } = {
  add: (node, g) => node.inputs.map((input) => sumTo(g, input.shape)),
  sub: (node, g) => [sumTo(g, first(node).shape), sumTo(make('mul', [g, scalar(-1)]), second(node).shape)],
  mul: (node, g) => [
    sumTo(make('mul', [g, second(node)]), first(node).shape),
    sumTo(make('mul', [g, first(node)]), second(node).shape),
  ],
  div: (node, g) => [
    sumTo(make('div', [g, second(node)]), first(node).shape),
    sumTo(make('mul', [make('div', [make('mul', [g, node]), second(node)]), scalar(-1)]), second(node).shape),
  ],
  sum: (node, g) => node.inputs.map(() => g),
  /** Guided backpropagation overrides this rule and those of the other activations, see backward.ts. */
  relu: (node, g) => [make('mul', [g, make('step', [node])])],
  step: () => [null],
  relu6: (node, g) => [make('mul', [g, make('relu6Mask', [node])])],
  relu6Mask: () => [null],
  prelu: (node, g) => [make('mul', [g, preluDerivative(node)]), null],
  preluSlope: () => [null, null],
  sigmoid: (node, g) => [make('mul', [g, make('mul', [node, make('sub', [scalar(1), node])])])],
  tanh: (node, g) => [make('mul', [g, make('sub', [scalar(1), make('mul', [node, node])])])],
  /** No gradient passes at a bound. */
  hardSigmoid: (node, g) => [make('mul', [g, make('hardSigmoidSlope', [node], { alpha: node.attributes.alpha })])],
  hardSigmoidSlope: () => [null],
  exp: (node, g) => [make('mul', [g, node])],
  power: (node, g) => {
    const { exponent } = node.attributes
    if (exponent >= 1) {
      const lower = make('power', [first(node)], { exponent: exponent - 1 })
      return [make('mul', [g, make('mul', [lower, scalar(exponent)])])]
    }
    // Where the slope is infinite at 0, it is taken as 0 there, as that of sqrt.
    const rise = make('mul', [g, make('mul', [node, scalar(exponent)])])
    return [make('div', [rise, noLessThanTiny(first(node))])]
  },
  atan2: (node, g) => {
    const [y, x] = [first(node), second(node)]
    const square = make('sum', [make('mul', [x, x]), make('mul', [y, y])])
    const slope = (side: Node): Node => make('div', [make('mul', [g, side]), noLessThanTiny(square)])
    return [slope(x), make('mul', [slope(y), scalar(-1)])]
  },
  /** Its slope at 0, where calculus has none, is 0: an image must not lose its map to one infinity. */
  sqrt: (node, g) => [make('div', [make('mul', [g, make('mul', [node, scalar(0.5)])]), noLessThanTiny(first(node))])],
  /** No gradient passes at a bound or beyond it. */
  clip: (node, g) => {
    const { min, max } = node.attributes
    const x = first(node)
    const above = make('step', [make('sub', [x, scalar(min)])])
    const below = make('step', [make('sub', [scalar(max), x])])
    return [make('mul', [make('mul', [g, above]), below])]
  },

  conv: (node, g) => {
    const { dilations, ...attributes } = node.attributes
    if (dilations !== undefined) return [dilatedGradient(node, g), null, null]
    const inputShape = first(node).shape
    return [make('convInputGradient', [g, second(node)], { ...attributes, inputShape }, node.label), null, null]
  },
  convInputGradient: (node, g) => [make('conv', [g, second(node)], convOnly(node.attributes)), null],
  batchNorm: (node, g) => [make('mul', [g, perChannel(batchNormScale(node))]), null, null, null, null],
  affine: (node, g) => [make('mul', [g, perChannel(constantData(second(node)))]), null, null],

  maxPool: (node, g) => [make('maxPoolGradient', [first(node), g], node.attributes)],
  averagePool: (node, g) => {
    const { kernel } = node.attributes
    const spread = make('mul', [make('upsample', [g], { scale: kernel }), scalar(1 / (kernel[0] * kernel[1]))])
    const x = first(node)
    return [padTo(padTo(spread, 2, dim(x, 2)), 3, dim(x, 3))]
  },
  upsample: (node, g) => {
    const { scale } = node.attributes
    return [make('mul', [make('averagePool', [g], { kernel: scale }), scalar(scale[0] * scale[1])])]
  },

  phase: (node, g) => {
    const { strides, offset } = node.attributes
    const phases = Array.from({ length: strides[0] * strides[1] }, () => zeros(g.shape))
    phases[offset[0] * strides[1] + offset[1]] = g
    const [, , height = 1, width = 1] = first(node).shape
    return [make('interleave', phases, { strides, size: [height, width] })]
  },
  interleave: (node, g) => {
    const { strides } = node.attributes
    return node.inputs.map((_, i) =>
      make('phase', [g], { strides, offset: [Math.floor(i / strides[1]), i % strides[1]] }),
    )
  },

  reduceSum: (node, g) => [make('expand', [g], { shape: first(node).shape })],
  reduceMean: (node, g) => {
    const x = first(node)
    const share = make('mul', [g, scalar(elements(node.shape) / elements(x.shape))])
    return [make('expand', [share], { shape: x.shape })]
  },
  softmax: (node, g) => {
    const inner = make('reduceSum', [make('mul', [g, node])], { axes: [node.shape.length - 1] })
    return [make('mul', [node, make('sub', [g, inner])])]
  },
  oneHotArgmax: () => [null],

  matmul: (node, g) => {
    const { transposeB } = node.attributes
    const [a, b] = [first(node), second(node)]
    const toA = make('matmul', [g, b], { transposeB: !transposeB })
    const toB = make('matmul', transposeB ? [transposed(g), a] : [transposed(a), g], { transposeB: false })
    return [sumTo(toA, a.shape), sumTo(toB, b.shape)]
  },

  reshape: (node, g) => [make('reshape', [g], { shape: first(node).shape })],
  transpose: (node, g) => {
    const { permutation } = node.attributes
    return [make('transpose', [g], { permutation: permutation.map((_, axis) => permutation.indexOf(axis)) })]
  },
  slice: (node, g) => {
    const { axis, start, end } = node.attributes
    return [make('pad', [g], { axis, before: start, after: dim(first(node), axis) - end })]
  },
  flip: (node, g) => [make('flip', [g], node.attributes)],
  pad: (node, g) => {
    const { axis, before } = node.attributes
    return [make('slice', [g], { axis, start: before, end: before + dim(first(node), axis) })]
  },
  concat: (node, g) => {
    const { axis } = node.attributes
    let start = 0
    return node.inputs.map((input) => {
      const end = start + dim(input, axis)
      const part = make('slice', [g], { axis, start, end })
      start = end
      return part
    })
  },
  expand: (node, g) => [sumTo(g, first(node).shape)],
}

/** The gradients that a node passes to its inputs; undefined when the operation has no gradient rule. */
export function inputGradients(node: Node, upstream: Node): readonly (Node | null)[] | undefined {
  const rule = gradientRules[node.op] as GradientRule<OpName> | undefined
  return rule?.(node, upstream)
}

/** γ / √(variance + ε), in float64 until the end. */
export function batchNormScale(node: NodeOf<'batchNorm'>): Float32Array {
  const [, gamma, , , variance] = node.inputs
  if (gamma === undefined || variance === undefined) throw new Error('batchNorm takes five inputs')
  const squares = constantData(variance)
  return constantData(gamma).map((value, c) => value / Math.sqrt((squares[c] ?? 0) + node.attributes.epsilon))
}

/** What a PReLU's gradient is multiplied by: 1 or the slope of its channel. */
export function preluDerivative(node: NodeOf<'prelu'>): Node {
  const [x, slope] = [first(node), second(node)]
  // The value tells the same as the input unless a slope is negative, and lets an engine forget the input: it then has the
  // activation in the convolution before it.
  const signed = constantData(slope).some((value) => value < 0)
  return make('preluSlope', [signed ? x : node, slope])
}

/** A [C] vector as a 1×C×1×1 constant, to be multiplied with activations. */
function perChannel(values: Float32Array): Node {
  return constant(values, [1, values.length, 1, 1])
}

/** Denominators: what is divided by it is 0 where this matters, and stays finite. */
function noLessThanTiny(x: Node): Node {
  return make('clip', [x], { min: 1e-30, max: Number.MAX_VALUE })
}

/** Undoes broadcasting: sums `g` over the axes along which a value of `shape` was repeated. */
function sumTo(g: Node, shape: Shape): Node {
  const lead = g.shape.length - shape.length
  const axes = g.shape.flatMap((length, axis) =>
    axis < lead || (shape[axis - lead] === 1 && length > 1) ? [axis] : [],
  )
  const summed = axes.length === 0 ? g : make('reduceSum', [g], { axes })
  return lead === 0 ? summed : make('reshape', [summed], { shape })
}

/** With its last two axes exchanged. */
function transposed(x: Node): Node {
  const rank = x.shape.length
  const permutation = x.shape.map((_, axis) => (axis < rank - 2 ? axis : 2 * rank - 3 - axis))
  return make('transpose', [x], { permutation })
}

function padTo(g: Node, axis: number, length: number): Node {
  const missing = length - dim(g, axis)
  return missing === 0 ? g : make('pad', [g], { axis, before: 0, after: missing })
}

function convOnly({ strides, pads, groups }: ConvAttributes): ConvAttributes {
  return { strides, pads, groups }
}

function first(node: Node): Node {
  return inputAt(node, 0)
}

function second(node: Node): Node {
  return inputAt(node, 1)
}
