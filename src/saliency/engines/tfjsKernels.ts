import type { Tensor } from '@tensorflow/tfjs-core'
import type { Node, OpName } from '../graph.ts'
import type { Kernel, Kernels, TfjsBackend, Value } from './tfjsBackend.ts'
import {
  asChannelsLast,
  asPlain,
  axisIn,
  inOrderOf,
  padded,
  part,
  reshaped,
  runConcat,
  runKernel,
  some,
} from './tfjsLayout.ts'
import { windowKernels } from './tfjsWindows.ts'

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

  ...windowKernels,

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

function identity(backend: TfjsBackend, x: Tensor): Tensor {
  return runKernel(backend, 'Identity', { x }, {})
}
