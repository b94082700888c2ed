import type { NamedAttrMap, NamedTensorMap, Tensor } from '@tensorflow/tfjs-core'
import type { Node, NodeOf, OpName, PoolAttributes } from '../graph.ts'
import { inputAt } from '../ops.ts'
import type { Kernel, Kernels, TfjsBackend, Value } from './tfjsBackend.ts'
import { asChannelsLast, asFilter, asPlain, axisIn, inOrderOf, runKernel } from './tfjsLayout.ts'

/** One node's value. The caller gives back whatever else was made on the way. */
export function compute(backend: TfjsBackend, node: Node, inputs: readonly Value[]): Value {
  if (node.op === 'input' || node.op === 'constant') throw new Error(`${node.op} is given, not computed`)
  const kernel = (backend.kernels[node.op] ?? sharedKernels[node.op]) as Kernel<OpName>
  return kernel(backend, node, inputs)
}

export const sharedKernels: Kernels = {
  cast: (backend, node, [x]) =>
    node.dtype === 'uint8'
      ? unary('Floor')(backend, node, [clipped(backend, some(x), 0, 255)])
      : unary('Identity')(backend, node, [some(x)]),
  add: binary('Add'),
  sub: binary('Sub'),
  mul: binary('Multiply'),
  div: binary('RealDiv'),
  sum: (backend, _, inputs) => {
    const aligned = alike(backend, inputs)
    const tensors = aligned.map(({ tensor }) => tensor)
    return { ...some(aligned[0]), tensor: backend.core.addN(tensors) }
  },
  relu: unary('Relu'),
  step: (backend, node, inputs) => unary('Relu')(backend, node, [unary('Sign')(backend, node, inputs)]),
  guidedRelu: (backend, _, inputs) => {
    const [g, y] = alike(backend, inputs)
    const a = runKernel(backend, 'Relu', { x: some(g).tensor }, {})
    const b = runKernel(backend, 'Step', { x: some(y).tensor }, { alpha: 0 })
    return { ...some(g), tensor: runKernel(backend, 'Multiply', { a, b }, {}) }
  },
  relu6: unary('Relu6'),
  relu6Mask: (backend, _, [y]) => insideBand(backend, some(y)),
  guidedRelu6: (backend, node, inputs) => {
    const [g, y] = alike(backend, inputs)
    const rectified = unary('Relu')(backend, node, [some(g)])
    return binary('Multiply')(backend, node, [rectified, insideBand(backend, some(y))])
  },
  // relu(x) − slope · relu(−x): the backends' own Prelu wants the slope in the shape of x.
  prelu: (backend, node, [x, slope]) => {
    const wide = perChannel(backend, some(x))
    const below = unary('Relu')(backend, node, [unary('Neg')(backend, node, [wide])])
    const scaled = runKernel(backend, 'Multiply', { a: below.tensor, b: some(slope).tensor }, {})
    const above = runKernel(backend, 'Relu', { x: wide.tensor }, {})
    return { ...wide, tensor: runKernel(backend, 'Sub', { a: above, b: scaled }, {}) }
  },
  preluSlope: (backend, _, [x, slope]) => {
    const wide = perChannel(backend, some(x))
    const above = runKernel(backend, 'Step', { x: wide.tensor }, { alpha: 0 })
    const below = runKernel(backend, 'Sub', { a: backend.core.scalar(1), b: above }, {})
    const scaled = runKernel(backend, 'Multiply', { a: below, b: some(slope).tensor }, {})
    return { ...wide, tensor: runKernel(backend, 'Add', { a: above, b: scaled }, {}) }
  },
  atan2: binary('Atan2'),
  abs: unary('Abs'),
  sqrt: unary('Sqrt'),
  round: unary('Round'),
  clip: (backend, { attributes: { min, max } }, [x]) => clipped(backend, some(x), min, max),

  conv: (backend, node, [x, w, bias]) => {
    const { strides, pads, groups } = node.attributes
    const input = asChannelsLast(backend, some(x)).tensor
    const filter = asFilter(backend, some(w)).tensor
    const ins = (input.shape[3] ?? 1) / groups
    const outs = (filter.shape[3] ?? 1) / groups
    if (groups > 1 && ins === 1 && strides[0] === strides[1]) {
      return plusBias(backend, depthwise(backend, node, input, filter), bias)
    }
    const parts = Array.from({ length: groups }, (_, group) => {
      const from = groups === 1 ? input : part(backend, input, 3, group * ins, ins)
      const by = groups === 1 ? filter : part(backend, filter, 3, group * outs, outs)
      return runKernel(backend, 'Conv2D', { x: from, filter: by }, { ...window(strides), pad: explicitPadding(pads) })
    })
    return plusBias(backend, joined(backend, parts), bias)
  },
  convInputGradient: (backend, node, [g, w]) => {
    const { strides, pads, groups, inputShape } = node.attributes
    const [n = 1, channels = 1, height = 1, width = 1] = inputShape
    const upstream = asChannelsLast(backend, some(g)).tensor
    const filter = asFilter(backend, some(w)).tensor
    const [ins, outs] = [channels / groups, (filter.shape[3] ?? 1) / groups]
    // The kernels know no explicit padding here: take the gradient at the padded input and cut the padding off.
    const padded = [n, height + pads[0] + pads[2], width + pads[1] + pads[3], ins]
    const parts = Array.from({ length: groups }, (_, group) => {
      const dy = groups === 1 ? upstream : part(backend, upstream, 3, group * outs, outs)
      const by = groups === 1 ? filter : part(backend, filter, 3, group * outs, outs)
      const attributes = { ...window(strides), pad: 'valid', inputShape: padded }
      return runKernel(backend, 'Conv2DBackpropInput', { dy, filter: by }, attributes)
    })
    return { tensor: withoutPadding(backend, joined(backend, parts), pads, height, width), layout: 'channelsLast' }
  },
  batchNorm: (backend, node, [x, scale, offset, mean, variance]) => {
    const inputs = {
      x: asChannelsLast(backend, some(x)).tensor,
      scale: some(scale).tensor,
      offset: some(offset).tensor,
      mean: some(mean).tensor,
      variance: some(variance).tensor,
    }
    const attributes = { varianceEpsilon: node.attributes.epsilon }
    return { tensor: runKernel(backend, 'FusedBatchNorm', inputs, attributes), layout: 'channelsLast' }
  },
  affine: (backend, _, [x, scale, shift]) => {
    const a = asChannelsLast(backend, some(x)).tensor
    const scaled = runKernel(backend, 'Multiply', { a, b: some(scale).tensor }, {})
    return { tensor: runKernel(backend, 'Add', { a: scaled, b: some(shift).tensor }, {}), layout: 'channelsLast' }
  },

  maxPool: (backend, node, [x]) => {
    const padded = paddedForMaximum(backend, asChannelsLast(backend, some(x)).tensor, node.attributes)
    return { tensor: runKernel(backend, 'MaxPool', { x: padded }, pool(node.attributes)), layout: 'channelsLast' }
  },
  maxPoolGradient: (backend, node, [x, g]) => {
    const { pads } = node.attributes
    const input = paddedForMaximum(backend, asChannelsLast(backend, some(x)).tensor, node.attributes)
    const output = runKernel(backend, 'MaxPool', { x: input }, pool(node.attributes))
    const dy = asChannelsLast(backend, some(g)).tensor
    const gradient = runKernel(backend, 'MaxPoolGrad', { dy, input, output }, pool(node.attributes))
    const [, , height = 1, width = 1] = node.shape
    return { tensor: withoutPadding(backend, gradient, pads, height, width), layout: 'channelsLast' }
  },
  averagePool: (backend, { attributes: { kernel } }, [x]) => {
    const attributes = { filterSize: [...kernel], strides: [...kernel], pad: 'valid' }
    const input = asChannelsLast(backend, some(x)).tensor
    return { tensor: runKernel(backend, 'AvgPool', { x: input }, attributes), layout: 'channelsLast' }
  },
  upsample: (backend, node, [x]) => {
    const attributes = { alignCorners: false, halfPixelCenters: false, size: node.shape.slice(2) }
    const images = asChannelsLast(backend, some(x)).tensor
    return { tensor: runKernel(backend, 'ResizeNearestNeighbor', { images }, attributes), layout: 'channelsLast' }
  },

  phase: (backend, node, [x]) => {
    const { strides, offset } = node.attributes
    const input = asChannelsLast(backend, some(x)).tensor
    const [n = 1, height = 1, width = 1, channels = 1] = input.shape
    const [, , rows = 1, columns = 1] = node.shape
    const [below, right] = [rows * strides[0] - height, columns * strides[1] - width]
    const whole =
      below + right === 0
        ? input
        : padded(
            backend,
            input,
            [
              [0, 0],
              [0, below],
              [0, right],
              [0, 0],
            ],
            0,
          )
    const split = reshaped(backend, whole, [n * rows, strides[0], columns, strides[1] * channels])
    const row = part(backend, split, 1, offset[0], 1)
    const column = part(backend, row, 3, offset[1] * channels, channels)
    return { tensor: reshaped(backend, column, [n, rows, columns, channels]), layout: 'channelsLast' }
  },
  interleave: (backend, node, inputs) => {
    const [sy, sx] = node.attributes.strides
    const [n = 1, channels = 1, height = 1, width = 1] = node.shape
    const [, , rows = 1, columns = 1] = inputAt(node, 0).shape
    // With channels last, what lies side by side is joined along the channels, and rows below one another as one long row.
    const phases = inputs.map((input) => asChannelsLast(backend, input).tensor)
    const lines = Array.from({ length: sy }, (_, y) => {
      const line = joined(backend, phases.slice(y * sx, (y + 1) * sx))
      return reshaped(backend, line, [n, rows, 1, columns * sx * channels])
    })
    const all = reshaped(backend, joined(backend, lines), [n, rows * sy, columns * sx, channels])
    return { tensor: withoutPadding(backend, all, [0, 0, 0, 0], height, width), layout: 'channelsLast' }
  },

  reduceSum: reduction('Sum', 'axis'),
  reduceMean: reduction('Mean', 'axis'),
  reduceMax: reduction('Max', 'reductionIndices'),
  softmax: (backend, node, [x]) => ({
    tensor: runKernel(backend, 'Softmax', { logits: asPlain(backend, some(x)).tensor }, { dim: node.shape.length - 1 }),
    layout: 'plain',
  }),
  oneHotArgmax: (backend, node, [x]) => {
    const [axis, depth] = [node.shape.length - 1, node.shape.at(-1) ?? 1]
    const indices = runKernel(backend, 'ArgMax', { x: asPlain(backend, some(x)).tensor }, { axis })
    // As whole numbers: the WASM backend writes their bits into floats unconverted.
    const attributes = { dtype: 'int32', depth, onValue: 1, offValue: 0 } as const
    const x01 = runKernel(backend, 'OneHot', { indices }, attributes)
    return { tensor: runKernel(backend, 'Cast', { x: x01 }, { dtype: 'float32' }), layout: 'plain' }
  },
  topK: (backend, node, [x]) => ({
    tensor: backend.core.topk(asPlain(backend, some(x)).tensor, node.attributes.k, true).values,
    layout: 'plain',
  }),
  matmul: (backend, node, inputs) => {
    const { transposeB } = node.attributes
    const rank = Math.max(...node.inputs.map(({ shape }) => shape.length))
    const [a, b] = inputs.map((input) => {
      const { tensor } = asPlain(backend, input)
      const missing = rank - tensor.shape.length
      return missing === 0 ? tensor : reshaped(backend, tensor, [...Array<number>(missing).fill(1), ...tensor.shape])
    })
    if (a === undefined || b === undefined) throw new Error('matmul takes two inputs')
    return { tensor: runKernel(backend, 'BatchMatMul', { a, b }, { transposeA: false, transposeB }), layout: 'plain' }
  },

  reshape: (backend, node, [x]) => ({
    tensor: reshaped(backend, asPlain(backend, some(x)).tensor, node.attributes.shape),
    layout: 'plain',
  }),
  transpose: (backend, node, [x]) => {
    const { permutation } = node.attributes
    const value = some(x)
    // Pixels come with their channels last and maps are wanted so: there, nothing has to be moved.
    const layouts = `${value.layout} ${permutation.join()}`
    if (layouts === 'plain 0,3,1,2') return { tensor: identity(backend, value.tensor), layout: 'channelsLast' }
    if (layouts === 'channelsLast 0,2,3,1') return { tensor: identity(backend, value.tensor), layout: 'plain' }
    const tensor = runKernel(backend, 'Transpose', { x: asPlain(backend, value).tensor }, { perm: [...permutation] })
    return { tensor, layout: 'plain' }
  },
  slice: (backend, { attributes: { axis, start, end } }, [x]) => {
    const value = some(x)
    return { ...value, tensor: part(backend, value.tensor, axisIn(value, axis), start, end - start) }
  },
  flip: (backend, node, [x]) => {
    const value = some(x)
    const dims = node.attributes.axes.map((axis) => axisIn(value, axis))
    return { ...value, tensor: runKernel(backend, 'Reverse', { x: value.tensor }, { dims }) }
  },
  pad: (backend, node, [x]) => {
    const { axis, before, after } = node.attributes
    const value = some(x)
    const paddings = node.shape.map((_, i): [number, number] => (i === axis ? [before, after] : [0, 0]))
    return { ...value, tensor: padded(backend, value.tensor, inOrderOf(value, paddings), 0) }
  },
  concat: (backend, node, inputs) => {
    const aligned = alike(backend, inputs)
    const first = some(aligned[0])
    const tensors = aligned.map(({ tensor }) => tensor)
    return { ...first, tensor: runConcat(backend, tensors, axisIn(first, node.attributes.axis)) }
  },
  expand: (backend, node, [x]) => {
    const value = some(x)
    const missing = node.shape.length - value.tensor.shape.length
    const from =
      missing === 0
        ? value.tensor
        : reshaped(backend, value.tensor, [...Array<number>(missing).fill(1), ...value.tensor.shape])
    const target = inOrderOf(value, node.shape)
    const reps = target.map((length, axis) => length / (from.shape[axis] ?? 1))
    return { ...value, tensor: runKernel(backend, 'Tile', { x: from }, { reps }) }
  },
}

function clipped(backend: TfjsBackend, value: Value, clipValueMin: number, clipValueMax: number): Value {
  const tensor = runKernel(backend, 'ClipByValue', { x: value.tensor }, { clipValueMin, clipValueMax })
  return { ...value, tensor }
}

/** One channel in each group, by the kernel for that: one group at a time would be a thousand kernels a layer. */
function depthwise(backend: TfjsBackend, { attributes }: NodeOf<'conv'>, input: Tensor, filter: Tensor): Tensor {
  const { strides, pads, groups } = attributes
  const paddings = explicitPadding(pads)
  const x = paddings === 'valid' ? input : padded(backend, input, paddings, 0)
  const [height = 1, width = 1, , outs = 1] = filter.shape
  const perChannel = reshaped(backend, filter, [height, width, groups, outs / groups])
  const inputs = { x, filter: perChannel }
  return runKernel(backend, 'DepthwiseConv2dNative', inputs, {
    ...window(strides),
    pad: 'valid',
  })
}

function plusBias(backend: TfjsBackend, y: Tensor, bias: Value | undefined): Value {
  const tensor = bias === undefined ? y : runKernel(backend, 'Add', { a: y, b: bias.tensor }, {})
  return { tensor, layout: 'channelsLast' }
}

/** 1 where 0 < y < 6, else 0. */
function insideBand(backend: TfjsBackend, y: Value): Value {
  const above = runKernel(backend, 'Step', { x: y.tensor }, { alpha: 0 })
  const room = runKernel(backend, 'Sub', { a: backend.core.scalar(6), b: y.tensor }, {})
  const below = runKernel(backend, 'Step', { x: room }, { alpha: 0 })
  return { ...y, tensor: runKernel(backend, 'Multiply', { a: above, b: below }, {}) }
}

/** In a layout whose last axis is the channels, so that a vector of channels broadcasts. */
function perChannel(backend: TfjsBackend, x: Value): Value {
  return x.tensor.shape.length === 4 ? asChannelsLast(backend, x) : x
}

function unary(name: string): Kernel<OpName> {
  return (backend, _, [x]) => {
    const value = some(x)
    return { ...value, tensor: runKernel(backend, name, { x: value.tensor }, {}) }
  }
}

function binary(name: string): Kernel<OpName> {
  return (backend, _, inputs) => {
    const [a, b] = alike(backend, inputs)
    return { ...some(a), tensor: runKernel(backend, name, { a: some(a).tensor, b: some(b).tensor }, {}) }
  }
}

function reduction<K extends 'reduceSum' | 'reduceMean' | 'reduceMax'>(name: string, axesName: string): Kernel<K> {
  return (backend, node, [x]) => {
    const value = some(x)
    const axes = node.attributes.axes.map((axis) => axisIn(value, axis)).toSorted((a, b) => a - b)
    const reduced = runKernel(backend, name, { x: value.tensor }, { [axesName]: axes, keepDims: true })
    return { ...value, tensor: reshaped(backend, reduced, inOrderOf(value, node.shape)) }
  }
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

function window(strides: readonly number[]): NamedAttrMap {
  return { strides: [...strides], dataFormat: 'NHWC', dilations: [1, 1] }
}

function explicitPadding([top, left, bottom, right]: PoolAttributes['pads']): [number, number][] | 'valid' {
  if (top + left + bottom + right === 0) return 'valid'
  return [
    [0, 0],
    [top, bottom],
    [left, right],
    [0, 0],
  ]
}

function pool({ kernel, strides }: PoolAttributes): NamedAttrMap {
  return { filterSize: [...kernel], strides: [...strides], pad: 'valid' }
}

/** The pooling kernels know no explicit padding: pad with what never is a maximum. */
function paddedForMaximum(backend: TfjsBackend, x: Tensor, { pads }: PoolAttributes): Tensor {
  const paddings = explicitPadding(pads)
  return paddings === 'valid' ? x : padded(backend, x, paddings, -3.4e38)
}

function withoutPadding(
  backend: TfjsBackend,
  x: Tensor,
  [top, left]: PoolAttributes['pads'],
  height: number,
  width: number,
): Tensor {
  if (x.shape[1] === height && x.shape[2] === width) return x
  const [n = 1, , , channels = 1] = x.shape
  return runKernel(backend, 'Slice', { x }, { begin: [0, top, left, 0], size: [n, height, width, channels] })
}

function padded(backend: TfjsBackend, x: Tensor, paddings: [number, number][], constantValue: number): Tensor {
  return runKernel(backend, 'PadV2', { x }, { paddings, constantValue })
}

function part(backend: TfjsBackend, x: Tensor, axis: number, start: number, length: number): Tensor {
  const begin = x.shape.map((_, i) => (i === axis ? start : 0))
  return runKernel(backend, 'Slice', { x }, { begin, size: x.shape.with(axis, length) })
}

function joined(backend: TfjsBackend, parts: readonly Tensor[]): Tensor {
  const [only, ...more] = parts
  if (only === undefined) throw new Error('there is nothing to join')
  return more.length === 0 ? only : runConcat(backend, parts, 3)
}

function runConcat(backend: TfjsBackend, tensors: readonly Tensor[], axis: number): Tensor {
  // The kernel takes a list, though its type knows only names.
  return runKernel(backend, 'Concat', tensors as unknown as NamedTensorMap, { axis })
}

export function reshaped(backend: TfjsBackend, x: Tensor, shape: readonly number[]): Tensor {
  return runKernel(backend, 'Reshape', { x }, { shape: [...shape] })
}

function identity(backend: TfjsBackend, x: Tensor): Tensor {
  return runKernel(backend, 'Identity', { x }, {})
}

export function some(value: Value | undefined): Value {
  if (value === undefined) throw new Error('an input is missing')
  return value
}
