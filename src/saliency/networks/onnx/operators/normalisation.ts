import type { Node, Shape } from '../../../graph.ts'
import { constant, make, scalar } from '../../../ops.ts'
import type { Call, Operators } from '../call.ts'
import { reshaped, reshapedNode } from '../layout.ts'
import { computed } from '../value.ts'
import { absolute } from './arithmetic.ts'

export const normalisation: Operators = {
  BatchNormalization: (call) => {
    call.require(call.int('training_mode', 0) === 0, 'training_mode: export the network after model.eval()')
    // What says so up to operator set 13.
    call.require(call.namedOutputCount === 1, 'the outputs of training: export the network after model.eval()')
    const x = call.node(0)
    const channels = x.shape[1] ?? 0
    const parts = [1, 2, 3, 4].map((index) => call.known(index))
    for (const { shape } of parts)
      call.require(shape.join() === String(channels), `${shape.join('×')} numbers for ${channels} channels`)
    const epsilon = call.float('epsilon', 1e-5)
    const variances = call.numbers(4) ?? []
    call.require(
      variances.every((variance) => variance + epsilon > 0),
      'a variance below zero',
    )
    const nodes = parts.map((_, index) => call.node(index + 1))
    if (x.shape.length === 4) return computed(make('batchNorm', [x, ...nodes], { epsilon }, call.label))
    const [gamma = [], beta = [], mean = []] = parts.map(({ data }) => Array.from(data))
    const scale = gamma.map((value, c) => value / Math.sqrt((variances[c] ?? 0) + epsilon))
    const shift = beta.map((value, c) => value - (mean[c] ?? 0) * (scale[c] ?? 0))
    const shape = [channels, ...x.shape.slice(2).map(() => 1)]
    return computed(make('add', [make('mul', [x, constant(scale, shape)]), constant(shift, shape)], {}, call.label))
  },
  /** x / (bias + alpha / size · Σ x² over `size` channels around)^beta (Krizhevsky et al. 2012, section 3.3). */
  LRN: (call) => {
    const x = call.node(0)
    const [, channels = 1] = x.shape
    const size = call.int('size', 1)
    call.require(x.shape.length === 4 && size >= 1, `size ${size} of ${x.shape.length} axes`)
    const before = Math.floor((size - 1) / 2)
    const alpha = call.float('alpha', 1e-4) / size
    const near = call.allocateFloats([channels, channels]).map((_, i) => {
      const offset = (i % channels) - Math.floor(i / channels)
      return offset >= -before && offset <= size - 1 - before ? alpha : 0
    })
    const attributes = { strides: [1, 1], pads: [0, 0, 0, 0], groups: 1 } as const
    const weight = constant(near, [channels, channels, 1, 1])
    const bias = constant(new Float32Array(channels).fill(call.float('bias', 1)), [channels])
    const energy = make('conv', [make('mul', [x, x]), weight, bias], attributes)
    return computed(make('mul', [x, make('power', [energy], { exponent: -call.float('beta', 0.75) })], {}, call.label))
  },
  /** Each channel of each image for itself. */
  InstanceNormalization: (call) => {
    const x = call.node(0)
    const [channels, places] = [x.shape[1] ?? 1, x.shape.slice(2).map((_, i) => i + 2)]
    call.require(places.length > 0, 'no axes to normalise')
    const even = standardised(x, places, call.float('epsilon', 1e-5))
    return computed(scaledAndShifted(call, even, [channels, ...places.map(() => 1)]))
  },
  LayerNormalization: (call) => {
    call.require(call.namedOutputCount === 1, 'its means as an output')
    const x = call.node(0)
    const first = call.axis(call.int('axis', -1), x.shape.length)
    const axes = x.shape.map((_, axis) => axis).slice(first)
    return computed(scaledAndShifted(call, standardised(x, axes, call.float('epsilon', 1e-5)), x.shape.slice(first)))
  },
  /** Scale and shift are given for each group up to operator set 20. */
  GroupNormalization: (call) => {
    const x = call.node(0)
    const [n = 1, channels = 1, ...sides] = x.shape
    const groups = call.int('num_groups', 1)
    call.require(groups >= 1 && channels % groups === 0, `${groups} groups of ${channels} channels`)
    const grouped = make('reshape', [x], { shape: [n, groups, channels / groups, ...sides] })
    const axes = grouped.shape.map((_, axis) => axis).slice(2)
    const even = standardised(grouped, axes, call.float('epsilon', 1e-5))
    const scaled = scaledAndShifted(call, even, [groups, ...axes.map(() => 1)])
    return computed(reshapedNode(scaled, x.shape, call.label))
  },
  LpNormalization: (call) => {
    const x = call.node(0)
    const axes = [call.axis(call.int('axis', -1), x.shape.length)]
    const p = call.int('p', 2)
    call.require(p === 1 || p === 2, `p ${p}`)
    const length =
      p === 1
        ? make('reduceSum', [absolute(x)], { axes })
        : make('sqrt', [make('reduceSum', [make('mul', [x, x])], { axes })])
    return computed(make('div', [x, length], {}, call.label))
  },
}

/** (x − mean) / √(variance + ε) over some axes. */
function standardised(x: Node, axes: readonly number[], epsilon: number): Node {
  const centred = make('sub', [x, make('reduceMean', [x], { axes })])
  const variance = make('reduceMean', [make('mul', [centred, centred])], { axes })
  return make('div', [centred, make('sqrt', [make('add', [variance, scalar(epsilon)])])])
}

/** By inputs 1 and 2, the second of which may be missing. */
function scaledAndShifted(call: Call, x: Node, shape: Shape): Node {
  const parameter = (index: number): Node => call.nodeOf(reshaped(call, call.input(index), shape))
  const scaled = make('mul', [x, parameter(1)], {}, call.label)
  return call.has(2) ? make('add', [scaled, parameter(2)], {}, call.label) : scaled
}
