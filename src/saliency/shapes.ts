import { elements, type Attributes, type DType, type Node, type OpName, type Pair, type Shape } from './graph.ts'

/**
 * What each operation means, and the shape of what it gives. How a gradient passes it stands in `gradients.ts`: a rule there
 * makes nodes, and a node needs its shape.
 */
interface ShapeRule<K extends OpName> {
  readonly shape: (inputs: readonly Node[], attributes: Attributes[K]) => Shape
  /** That of the first input where there is none. */
  readonly dtype?: (inputs: readonly Node[], attributes: Attributes[K]) => DType
}

export const shapeRules: { readonly [K in OpName]: ShapeRule<K> } = {
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
  add: { shape: broadcast },
  sub: { shape: broadcast },
  mul: { shape: broadcast },
  div: { shape: broadcast },
  /** Two or more of one shape. */
  sum: { shape: sameAsFirst },
  /** max(x, 0). */
  relu: { shape: sameAsFirst },
  /** 1 where x > 0, else 0: the mask of a ReLU. Flat, so no gradient flows. */
  step: { shape: sameAsFirst },
  /** Inputs g, y: max(g, 0) where y > 0, else 0. What a guided ReLU of value y passes on of the gradient g. */
  guidedRelu: { shape: sameAsFirst },
  /** min(max(x, 0), 6). */
  relu6: { shape: sameAsFirst },
  /**
   * 1 where 0 < y < 6, else 0: the mask of a ReLU6 of value y. Flat, so no gradient flows. A gate y > 0 alone is the tempting
   * wrong choice: it lets through what a saturated ReLU6 has cut off.
   */
  relu6Mask: { shape: sameAsFirst },
  /** Inputs g, y: max(g, 0) where 0 < y < 6, else 0. What a guided ReLU6 of value y passes on of the gradient g. */
  guidedRelu6: { shape: sameAsFirst },
  /** Inputs x, slope ([C], or [1] for all channels, which is a LeakyReLU): x where x > 0, else slope · x. */
  prelu: { shape: sameAsFirst },
  /** Inputs x, slope: 1 where x > 0, else slope: the derivative of a PReLU. Flat, so no gradient flows. */
  preluSlope: { shape: sameAsFirst },
  /** 1 / (1 + exp(−x)). */
  sigmoid: { shape: sameAsFirst },
  tanh: { shape: sameAsFirst },
  /** min(max(alpha · x + beta, 0), 1). */
  hardSigmoid: { shape: sameAsFirst },
  /** alpha where 0 < y < 1, else 0: the derivative of a hard sigmoid of value y. Flat, so no gradient flows. */
  hardSigmoidSlope: { shape: sameAsFirst },
  exp: { shape: sameAsFirst },
  /** x to the power of `exponent`, for x > 0. */
  power: { shape: sameAsFirst },
  /** Inputs y, x of one shape: the angle of the point (x, y) in radians, in [−π, π]; 0 at (0, 0). */
  atan2: { shape: sameAsFirst },
  abs: { shape: sameAsFirst },
  sqrt: { shape: sameAsFirst },
  /** To the nearest whole number, halves to even. */
  round: { shape: sameAsFirst },
  /** min(max(x, min), max). */
  clip: { shape: sameAsFirst },

  // Convolutions. Activations are N×C×H×W; weights out×in/groups×kh×kw, an optional third input is the bias.
  /** Dilated only with strides of 1×1: with others, write the kernel with zeros between its rows and columns. */
  conv: {
    shape: ([x, w], { strides, pads, dilations = [1, 1] }) => {
      if (strides[0] * strides[1] > 1 && dilations[0] * dilations[1] > 1) {
        throw new Error(`conv with strides ${strides.join('×')} takes no dilations`)
      }
      return [
        dim(x, 0),
        dim(w, 0),
        windows(dim(x, 2) + pads[0] + pads[2], (dim(w, 2) - 1) * dilations[0] + 1, strides[0]),
        windows(dim(x, 3) + pads[1] + pads[3], (dim(w, 3) - 1) * dilations[1] + 1, strides[1]),
      ]
    },
  },
  /** The transpose of an undilated `conv` in its first input: what arrives at the convolution's input (of `inputShape`). */
  convInputGradient: { shape: (_, { inputShape }) => inputShape },
  /** Inference form: (x − mean) / √(variance + ε) · γ + β. Inputs x, γ, β, mean, variance. */
  batchNorm: { shape: sameAsFirst },
  /** x · scale + shift per channel. Inputs x, scale [C], shift [C]: what is left of a batch norm with frozen weights. */
  affine: { shape: sameAsFirst },

  // Pooling.
  maxPool: {
    shape: ([x], { kernel, strides, pads }) => [
      dim(x, 0),
      dim(x, 1),
      windows(dim(x, 2) + pads[0] + pads[2], kernel[0], strides[0]),
      windows(dim(x, 3) + pads[1] + pads[3], kernel[1], strides[1]),
    ],
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
  },
  /** Every value repeated `scale` times in height and width. */
  upsample: { shape: ([x], { scale }) => [dim(x, 0), dim(x, 1), dim(x, 2) * scale[0], dim(x, 3) * scale[1]] },

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
  },
  /** The inverse: all phases of one value N×C×`size`, by their offsets in row-major order. */
  interleave: { shape: ([x], { size }) => [dim(x, 0), dim(x, 1), ...size] },

  // Reductions; the reduced axes stay with length 1.
  reduceSum: { shape: reduced },
  reduceMean: { shape: reduced },
  reduceMax: { shape: reduced },
  /** Along the last axis. */
  softmax: { shape: sameAsFirst },
  /** 1 at the first maximum along the last axis, else 0. Flat, so no gradient flows. */
  oneHotArgmax: { shape: sameAsFirst },
  /** The k largest along the last axis, largest first. */
  topK: { shape: ([x], { k }) => [...shapeOf(x).slice(0, -1), k] },

  /** [… m×k] · [… k×n], leading axes broadcast as in NumPy; with `transposeB` the second is [… n×k]. */
  matmul: {
    shape: ([a, b], { transposeB }) => {
      const [left, right] = [shapeOf(a), shapeOf(b)]
      const columns = right.at(transposeB ? -2 : -1) ?? 0
      return [...broadcastShape(left.slice(0, -2), right.slice(0, -2)), left.at(-2) ?? 0, columns]
    },
  },

  // Layout.
  reshape: { shape: (_, { shape }) => shape },
  transpose: { shape: ([x], { permutation }) => permutation.map((axis) => dim(x, axis)) },
  slice: { shape: ([x], { axis, start, end }) => shapeOf(x).with(axis, end - start) },
  /** Order reversed along the axes. */
  flip: { shape: sameAsFirst },
  /** Zeros before and after along one axis. */
  pad: { shape: ([x], { axis, before, after }) => shapeOf(x).with(axis, dim(x, axis) + before + after) },
  concat: {
    shape: (inputs, { axis }) =>
      shapeOf(inputs[0]).with(
        axis,
        inputs.reduce((total, input) => total + dim(input, axis), 0),
      ),
  },
  /** Axes of length 1 repeated to `shape`. */
  expand: { shape: (_, { shape }) => shape },
}

function sameAsFirst(inputs: readonly Node[]): Shape {
  return shapeOf(inputs[0])
}

function broadcast([a, b]: readonly Node[]): Shape {
  return broadcastShape(shapeOf(a), shapeOf(b))
}

function broadcastShape(left: Shape, right: Shape): Shape {
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

function windows(length: number, kernel: number, stride: Pair[0]): number {
  return Math.floor((length - kernel) / stride) + 1
}

function shapeOf(node: Node | undefined): Shape {
  if (node === undefined) throw new Error('an input is missing')
  return node.shape
}

/** The length of an axis; 1 for one that is not there. */
export function dim(node: Node | undefined, axis: number): number {
  return shapeOf(node)[axis] ?? 1
}
