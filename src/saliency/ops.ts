import {
  elements,
  type Attributes,
  type ConvAttributes,
  type DType,
  type Node,
  type NodeOf,
  type OpName,
  type Pair,
  type Shape,
} from './graph.ts'

/**
 * The table of operations. Each row has a shape rule and a gradient rule: the vector-Jacobian product, written as graph
 * nodes. `upstream` is the gradient of the objective with respect to the node's value; the rule gives the gradient with
 * respect to each input, `null` where none flows (weights are constants, so a convolution has none for its weight).
 *
 * A row without a gradient rule is used after the sweep only (pictures, statistics); the sweep refuses to pass it.
 */
interface Operation<K extends OpName> {
  readonly shape: (inputs: readonly Node[], attributes: Attributes[K]) => Shape
  readonly dtype?: (inputs: readonly Node[], attributes: Attributes[K]) => DType
  readonly gradient?: (node: NodeOf<K>, upstream: Node) => readonly (Node | null)[]
}

const table: { readonly [K in OpName]: Operation<K> } = {
  input: { shape: (_, { shape }) => shape, dtype: (_, { dtype }) => dtype },
  constant: {
    shape: (_, { shape, data }) => {
      if (elements(shape) !== data.length)
        throw new Error(`constant of shape ${shape.join('×')} has ${data.length} values`)
      return shape
    },
  },
  cast: { shape: sameAsFirst, dtype: (_, { to }) => to },

  // Elementwise. Binary ones broadcast as NumPy does.
  add: { shape: broadcast, gradient: (node, g) => node.inputs.map((input) => sumTo(g, input.shape)) },
  sub: {
    shape: broadcast,
    gradient: (node, g) => [sumTo(g, first(node).shape), sumTo(make('mul', [g, scalar(-1)]), second(node).shape)],
  },
  mul: {
    shape: broadcast,
    gradient: (node, g) => [
      sumTo(make('mul', [g, second(node)]), first(node).shape),
      sumTo(make('mul', [g, first(node)]), second(node).shape),
    ],
  },
  div: {
    shape: broadcast,
    gradient: (node, g) => [
      sumTo(make('div', [g, second(node)]), first(node).shape),
      sumTo(make('mul', [make('div', [make('mul', [g, node]), second(node)]), scalar(-1)]), second(node).shape),
    ],
  },
  /** Two or more of one shape. */
  sum: { shape: sameAsFirst, gradient: (node, g) => node.inputs.map(() => g) },
  /** max(x, 0). Guided backpropagation overrides this row and those of the other activations, see backward.ts. */
  relu: { shape: sameAsFirst, gradient: (node, g) => [make('mul', [g, make('step', [node])])] },
  /** 1 where x > 0, else 0: the mask of a ReLU. Flat, so no gradient flows. */
  step: { shape: sameAsFirst, gradient: () => [null] },
  /** Inputs g, y: max(g, 0) where y > 0, else 0. What a guided ReLU of value y passes on of the gradient g. */
  guidedRelu: { shape: sameAsFirst },
  /** min(max(x, 0), 6). */
  relu6: { shape: sameAsFirst, gradient: (node, g) => [make('mul', [g, make('relu6Mask', [node])])] },
  /**
   * 1 where 0 < y < 6, else 0: the mask of a ReLU6 of value y. Flat, so no gradient flows. A gate y > 0 alone is the tempting
   * wrong choice: it lets through what a saturated ReLU6 has cut off.
   */
  relu6Mask: { shape: sameAsFirst, gradient: () => [null] },
  /** Inputs g, y: max(g, 0) where 0 < y < 6, else 0. What a guided ReLU6 of value y passes on of the gradient g. */
  guidedRelu6: { shape: sameAsFirst },
  /** Inputs x, slope ([C], or [1] for all channels, which is a LeakyReLU): x where x > 0, else slope · x. */
  prelu: { shape: sameAsFirst, gradient: (node, g) => [make('mul', [g, preluDerivative(node)]), null] },
  /** Inputs x, slope: 1 where x > 0, else slope: the derivative of a PReLU. Flat, so no gradient flows. */
  preluSlope: { shape: sameAsFirst, gradient: () => [null, null] },
  /** Inputs y, x of one shape: the angle of the point (x, y) in radians, in [−π, π]; 0 at (0, 0). */
  atan2: {
    shape: sameAsFirst,
    gradient: (node, g) => {
      const [y, x] = [first(node), second(node)]
      const square = make('sum', [make('mul', [x, x]), make('mul', [y, y])])
      const slope = (side: Node): Node => make('div', [make('mul', [g, side]), noLessThanTiny(square)])
      return [slope(x), make('mul', [slope(y), scalar(-1)])]
    },
  },
  abs: { shape: sameAsFirst },
  /** Its slope at 0, where calculus has none, is 0: an image must not lose its map to one infinity. */
  sqrt: {
    shape: sameAsFirst,
    gradient: (node, g) => [
      make('div', [make('mul', [g, make('mul', [node, scalar(0.5)])]), noLessThanTiny(first(node))]),
    ],
  },
  /** To the nearest whole number, halves to even. */
  round: { shape: sameAsFirst },
  /** min(max(x, min), max). No gradient passes at a bound or beyond it. */
  clip: {
    shape: sameAsFirst,
    gradient: (node, g) => {
      const { min, max } = node.attributes
      const x = first(node)
      const above = make('step', [make('sub', [x, scalar(min)])])
      const below = make('step', [make('sub', [scalar(max), x])])
      return [make('mul', [make('mul', [g, above]), below])]
    },
  },

  // Convolutions. Activations are N×C×H×W; weights out×in/groups×kh×kw, an optional third input is the bias.
  conv: {
    shape: ([x, w], { strides, pads }) => [
      dim(x, 0),
      dim(w, 0),
      windows(dim(x, 2) + pads[0] + pads[2], dim(w, 2), strides[0]),
      windows(dim(x, 3) + pads[1] + pads[3], dim(w, 3), strides[1]),
    ],
    gradient: (node, g) => [
      make('convInputGradient', [g, second(node)], { ...node.attributes, inputShape: first(node).shape }, node.label),
      null,
      null,
    ],
  },
  /** The transpose of `conv` in its first input: what arrives at the convolution's input (of `inputShape`). */
  convInputGradient: {
    shape: (_, { inputShape }) => inputShape,
    gradient: (node, g) => [make('conv', [g, second(node)], convOnly(node.attributes)), null],
  },
  /** Inference form: (x − mean) / √(variance + ε) · γ + β. Inputs x, γ, β, mean, variance. */
  batchNorm: {
    shape: sameAsFirst,
    gradient: (node, g) => [make('mul', [g, perChannel(batchNormScale(node))]), null, null, null, null],
  },
  /** x · scale + shift per channel. Inputs x, scale [C], shift [C]: what is left of a batch norm with frozen weights. */
  affine: {
    shape: sameAsFirst,
    gradient: (node, g) => [make('mul', [g, perChannel(constantData(second(node)))]), null, null],
  },

  // Pooling.
  maxPool: {
    shape: ([x], { kernel, strides, pads }) => [
      dim(x, 0),
      dim(x, 1),
      windows(dim(x, 2) + pads[0] + pads[2], kernel[0], strides[0]),
      windows(dim(x, 3) + pads[1] + pads[3], kernel[1], strides[1]),
    ],
    gradient: (node, g) => [make('maxPoolGradient', [first(node), g], node.attributes)],
  },
  /** Inputs x, g: each g goes to the first maximum of its window in row-major order, as in PyTorch. */
  maxPoolGradient: { shape: sameAsFirst },
  /** Windows that do not overlap and leave no rest out of the mean: rows beyond the last whole window are dropped. */
  averagePool: {
    shape: ([x], { kernel }) => [
      dim(x, 0),
      dim(x, 1),
      Math.floor(dim(x, 2) / kernel[0]),
      Math.floor(dim(x, 3) / kernel[1]),
    ],
    gradient: (node, g) => {
      const { kernel } = node.attributes
      const spread = make('mul', [make('upsample', [g], { scale: kernel }), scalar(1 / (kernel[0] * kernel[1]))])
      const x = first(node)
      return [padTo(padTo(spread, 2, dim(x, 2)), 3, dim(x, 3))]
    },
  },
  /** Every value repeated `scale` times in height and width. */
  upsample: {
    shape: ([x], { scale }) => [dim(x, 0), dim(x, 1), dim(x, 2) * scale[0], dim(x, 3) * scale[1]],
    gradient: (node, g) => {
      const { scale } = node.attributes
      return [make('mul', [make('averagePool', [g], { kernel: scale }), scalar(scale[0] * scale[1])])]
    },
  },

  /**
   * Every stride-th value in height and width from `offset` on. As many from every offset, so that what lies beyond the end
   * is 0.
   */
  phase: {
    shape: ([x], { strides }) => [
      dim(x, 0),
      dim(x, 1),
      Math.ceil(dim(x, 2) / strides[0]),
      Math.ceil(dim(x, 3) / strides[1]),
    ],
    gradient: (node, g) => {
      const { strides, offset } = node.attributes
      const phases = Array.from({ length: strides[0] * strides[1] }, () => zeros(g.shape))
      phases[offset[0] * strides[1] + offset[1]] = g
      const [, , height = 1, width = 1] = first(node).shape
      return [make('interleave', phases, { strides, size: [height, width] })]
    },
  },
  /** The inverse: all phases of one value N×C×`size`, by their offsets in row-major order. */
  interleave: {
    shape: ([x], { size }) => [dim(x, 0), dim(x, 1), ...size],
    gradient: (node, g) => {
      const { strides } = node.attributes
      return node.inputs.map((_, i) =>
        make('phase', [g], { strides, offset: [Math.floor(i / strides[1]), i % strides[1]] }),
      )
    },
  },

  // Reductions; the reduced axes stay with length 1.
  reduceSum: { shape: reduced, gradient: (node, g) => [make('expand', [g], { shape: first(node).shape })] },
  reduceMean: {
    shape: reduced,
    gradient: (node, g) => {
      const x = first(node)
      const share = make('mul', [g, scalar(elements(node.shape) / elements(x.shape))])
      return [make('expand', [share], { shape: x.shape })]
    },
  },
  reduceMax: { shape: reduced },
  /** Along the last axis. */
  softmax: {
    shape: sameAsFirst,
    gradient: (node, g) => {
      const inner = make('reduceSum', [make('mul', [g, node])], { axes: [node.shape.length - 1] })
      return [make('mul', [node, make('sub', [g, inner])])]
    },
  },
  /** 1 at the first maximum along the last axis, else 0. Flat, so no gradient flows. */
  oneHotArgmax: { shape: sameAsFirst, gradient: () => [null] },
  /** The k largest along the last axis, largest first. */
  topK: { shape: ([x], { k }) => [...shapeOf(x).slice(0, -1), k] },

  /** [… m×k] · [… k×n], leading axes broadcast; with `transposeB` the second is [… n×k]. */
  matmul: {
    shape: ([a, b], { transposeB }) => {
      const [left, right] = [shapeOf(a), shapeOf(b)]
      const columns = right.at(transposeB ? -2 : -1) ?? 0
      const lead = left.length >= right.length ? left.slice(0, -2) : right.slice(0, -2)
      return [...lead, left.at(-2) ?? 0, columns]
    },
    gradient: (node, g) => {
      if (second(node).op !== 'constant') throw new Error('matmul passes gradients to its first input only')
      return [make('matmul', [g, second(node)], { transposeB: !node.attributes.transposeB }), null]
    },
  },

  // Layout.
  reshape: {
    shape: (_, { shape }) => shape,
    gradient: (node, g) => [make('reshape', [g], { shape: first(node).shape })],
  },
  transpose: {
    shape: ([x], { permutation }) => permutation.map((axis) => dim(x, axis)),
    gradient: (node, g) => {
      const { permutation } = node.attributes
      return [make('transpose', [g], { permutation: permutation.map((_, axis) => permutation.indexOf(axis)) })]
    },
  },
  slice: {
    shape: ([x], { axis, start, end }) => shapeOf(x).with(axis, end - start),
    gradient: (node, g) => {
      const { axis, start, end } = node.attributes
      return [make('pad', [g], { axis, before: start, after: dim(first(node), axis) - end })]
    },
  },
  /** Order reversed along the axes. */
  flip: { shape: sameAsFirst, gradient: (node, g) => [make('flip', [g], node.attributes)] },
  /** Zeros before and after along one axis. */
  pad: {
    shape: ([x], { axis, before, after }) => shapeOf(x).with(axis, dim(x, axis) + before + after),
    gradient: (node, g) => {
      const { axis, before } = node.attributes
      return [make('slice', [g], { axis, start: before, end: before + dim(first(node), axis) })]
    },
  },
  concat: {
    shape: (inputs, { axis }) =>
      shapeOf(inputs[0]).with(
        axis,
        inputs.reduce((total, input) => total + dim(input, axis), 0),
      ),
    gradient: (node, g) => {
      const { axis } = node.attributes
      let start = 0
      return node.inputs.map((input) => {
        const end = start + dim(input, axis)
        const part = make('slice', [g], { axis, start, end })
        start = end
        return part
      })
    },
  },
  /** Axes of length 1 repeated to `shape`. */
  expand: { shape: (_, { shape }) => shape, gradient: (node, g) => [sumTo(g, first(node).shape)] },
}

type Arguments<K extends OpName> =
  Attributes[K] extends Readonly<Record<string, never>>
    ? [attributes?: Attributes[K], label?: string]
    : [attributes: Attributes[K], label?: string]

/** A new node; its shape follows from the table. */
export function make<K extends OpName>(op: K, inputs: readonly Node[], ...rest: Arguments<K>): NodeOf<K> & Node {
  // The conditional type above makes attributes optional exactly where there are none; `{}` stands in then.
  const attributes = (rest[0] ?? {}) as Attributes[K]
  const row = table[op] as Operation<K>
  const shape = row.shape(inputs, attributes)
  if (shape.some((length) => !Number.isInteger(length) || length < 1)) {
    throw new Error(`${op}${rest[1] ? ` (${rest[1]})` : ''} would have shape ${shape.join('×')}`)
  }
  const dtype = row.dtype?.(inputs, attributes) ?? inputs[0]?.dtype ?? 'float32'
  return { op, inputs, attributes, shape, dtype, label: rest[1] ?? '' } as unknown as NodeOf<K> & Node
}

/** The gradients that a node passes to its inputs; undefined when the operation has no gradient rule. */
export function inputGradients(node: Node, upstream: Node): readonly (Node | null)[] | undefined {
  const row: Operation<OpName> = table[node.op] as Operation<OpName>
  return row.gradient?.(node, upstream)
}

export function constant(data: Float32Array | readonly number[], shape: Shape, label = ''): Node {
  return make('constant', [], { shape, data: data instanceof Float32Array ? data : Float32Array.from(data) }, label)
}

export function scalar(value: number): Node {
  return constant([value], [1])
}

export function zeros(shape: Shape): Node {
  return make('expand', [scalar(0)], { shape })
}

/** The values of a constant node; raises for anything else. */
export function constantData(node: Node): Float32Array {
  if (node.op !== 'constant') throw new Error(`expected a constant, found ${node.op}`)
  return node.attributes.data
}

/** A [C] vector as a 1×C×1×1 constant, to be multiplied with activations. */
function perChannel(values: Float32Array): Node {
  return constant(values, [1, values.length, 1, 1])
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

/** Denominators: what is divided by it is 0 where this matters, and stays finite. */
function noLessThanTiny(x: Node): Node {
  return make('clip', [x], { min: 1e-30, max: Number.MAX_VALUE })
}

function sameAsFirst(inputs: readonly Node[]): Shape {
  return shapeOf(inputs[0])
}

function broadcast([a, b]: readonly Node[]): Shape {
  const [left, right] = [shapeOf(a), shapeOf(b)]
  const rank = Math.max(left.length, right.length)
  return Array.from({ length: rank }, (_, axis) => {
    const l = left[axis - rank + left.length] ?? 1
    const r = right[axis - rank + right.length] ?? 1
    if (l !== r && l !== 1 && r !== 1)
      throw new Error(`shapes ${left.join('×')} and ${right.join('×')} do not broadcast`)
    return Math.max(l, r)
  })
}

function reduced([x]: readonly Node[], { axes }: { readonly axes: readonly number[] }): Shape {
  return shapeOf(x).map((length, axis) => (axes.includes(axis) ? 1 : length))
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

function padTo(g: Node, axis: number, length: number): Node {
  const missing = length - dim(g, axis)
  return missing === 0 ? g : make('pad', [g], { axis, before: 0, after: missing })
}

function convOnly({ strides, pads, groups }: ConvAttributes): ConvAttributes {
  return { strides, pads, groups }
}

function windows(length: number, kernel: number, stride: Pair[0]): number {
  return Math.floor((length - kernel) / stride) + 1
}

function shapeOf(node: Node | undefined): Shape {
  if (node === undefined) throw new Error('an input is missing')
  return node.shape
}

function dim(node: Node | undefined, axis: number): number {
  return shapeOf(node)[axis] ?? 1
}

function first(node: Node): Node {
  return inputAt(node, 0)
}

function second(node: Node): Node {
  return inputAt(node, 1)
}

export function inputAt(node: Node, index: number): Node {
  const input = node.inputs[index]
  if (input === undefined) throw new Error(`${node.op} has no input ${index}`)
  return input
}
