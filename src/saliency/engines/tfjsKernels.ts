import type { Tensor } from '@tensorflow/tfjs-core'
import { elements, type Node, type OpName } from '../graph.ts'
import type { Kernel, Kernels, TfjsBackend, Value } from './tfjsBackend.ts'
import { elementwiseKernels } from './tfjsElementwise.ts'
import {
  alike,
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
  ...elementwiseKernels,

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
    const lead = node.shape.slice(0, -2)
    const [a, b] = inputs.map((input) => {
      const { tensor } = asPlain(backend, input)
      const own = [...Array<number>(node.shape.length - tensor.shape.length).fill(1), ...tensor.shape]
      const wide = own.length === tensor.shape.length ? tensor : reshaped(backend, tensor, own)
      // The kernels repeat a single matrix, but not along some of the leading axes.
      const repeated = own.map((length, axis) => (length === 1 ? (lead[axis] ?? 1) : 1))
      const single = elements(own.slice(0, -2)) === 1
      return single || elements(repeated) === 1 ? wide : runKernel(backend, 'Tile', { x: wide }, { reps: repeated })
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

function reduction<K extends 'reduceSum' | 'reduceMean' | 'reduceMax'>(name: string, axesName: string): Kernel<K> {
  return (backend, node, [x]) => {
    const value = some(x)
    const axes = node.attributes.axes.map((axis) => axisIn(value, axis)).toSorted((a, b) => a - b)
    const reduced = runKernel(backend, name, { x: value.tensor }, { [axesName]: axes, keepDims: true })
    return { ...value, tensor: reshaped(backend, reduced, inOrderOf(value, node.shape)) }
  }
}

function identity(backend: TfjsBackend, x: Tensor): Tensor {
  return runKernel(backend, 'Identity', { x }, {})
}
