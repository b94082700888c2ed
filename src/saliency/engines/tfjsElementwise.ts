import type { Tensor } from '@tensorflow/tfjs-core'
import type { OpName } from '../graph.ts'
import type { Kernel, Kernels, TfjsBackend, Value } from './tfjsBackend.ts'
import { alike, asChannelsLast, runKernel, some } from './tfjsLayout.ts'

type Elementwise =
  | 'cast'
  | 'add'
  | 'sub'
  | 'mul'
  | 'div'
  | 'sum'
  | 'relu'
  | 'step'
  | 'guidedRelu'
  | 'relu6'
  | 'relu6Mask'
  | 'guidedRelu6'
  | 'prelu'
  | 'preluSlope'
  | 'sigmoid'
  | 'tanh'
  | 'hardSigmoid'
  | 'hardSigmoidSlope'
  | 'exp'
  | 'power'
  | 'atan2'
  | 'abs'
  | 'sqrt'
  | 'round'
  | 'clip'

/** The operations whose every value depends on one value of each input. */
export const elementwiseKernels: Pick<Kernels, Elementwise> = {
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
  relu6Mask: (backend, _, [y]) => insideBand(backend, some(y), 6),
  guidedRelu6: (backend, node, inputs) => {
    const [g, y] = alike(backend, inputs)
    const rectified = unary('Relu')(backend, node, [some(g)])
    return binary('Multiply')(backend, node, [rectified, insideBand(backend, some(y), 6)])
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
  sigmoid: unary('Sigmoid'),
  tanh: unary('Tanh'),
  hardSigmoid: (backend, { attributes: { alpha, beta } }, [x]) => {
    const rising = runKernel(
      backend,
      'Add',
      { a: timesNumber(backend, some(x), alpha), b: backend.core.scalar(beta) },
      {},
    )
    return clipped(backend, { ...some(x), tensor: rising }, 0, 1)
  },
  hardSigmoidSlope: (backend, { attributes: { alpha } }, [y]) => {
    const inside = insideBand(backend, some(y), 1)
    return { ...inside, tensor: timesNumber(backend, inside, alpha) }
  },
  exp: unary('Exp'),
  power: (backend, { attributes: { exponent } }, [x]) => {
    const value = some(x)
    return { ...value, tensor: runKernel(backend, 'Pow', { a: value.tensor, b: backend.core.scalar(exponent) }, {}) }
  },
  atan2: binary('Atan2'),
  abs: unary('Abs'),
  sqrt: unary('Sqrt'),
  round: unary('Round'),
  clip: (backend, { attributes: { min, max } }, [x]) => clipped(backend, some(x), min, max),
}

function timesNumber(backend: TfjsBackend, { tensor }: Value, factor: number): Tensor {
  return runKernel(backend, 'Multiply', { a: tensor, b: backend.core.scalar(factor) }, {})
}

function clipped(backend: TfjsBackend, value: Value, clipValueMin: number, clipValueMax: number): Value {
  const tensor = runKernel(backend, 'ClipByValue', { x: value.tensor }, { clipValueMin, clipValueMax })
  return { ...value, tensor }
}

/** 1 where 0 < y < end, else 0. */
function insideBand(backend: TfjsBackend, y: Value, end: number): Value {
  const above = runKernel(backend, 'Step', { x: y.tensor }, { alpha: 0 })
  const room = runKernel(backend, 'Sub', { a: backend.core.scalar(end), b: y.tensor }, {})
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
