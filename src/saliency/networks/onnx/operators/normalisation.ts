import { constant, make } from '../../../ops.ts'
import type { Operators } from '../call.ts'
import { computed } from '../value.ts'

export const normalisation: Operators = {
  BatchNormalization: (call) => {
    call.require(call.int('training_mode', 0) === 0, 'training_mode: export the network after model.eval()')
    const x = call.node(0)
    const channels = x.shape[1] ?? 0
    const parts = [1, 2, 3, 4].map((index) => call.known(index))
    for (const { shape } of parts)
      call.require(shape.join() === String(channels), `${shape.join('×')} numbers for ${channels} channels`)
    const epsilon = call.float('epsilon', 1e-5)
    const variances = Array.from(parts[3]?.data ?? [])
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
    const near = Float32Array.from({ length: channels * channels }, (_, i) => {
      const offset = (i % channels) - Math.floor(i / channels)
      return offset >= -before && offset <= size - 1 - before ? call.float('alpha', 1e-4) / size : 0
    })
    const attributes = { strides: [1, 1], pads: [0, 0, 0, 0], groups: 1 } as const
    const weight = constant(near, [channels, channels, 1, 1])
    const bias = constant(new Float32Array(channels).fill(call.float('bias', 1)), [channels])
    const energy = make('conv', [make('mul', [x, x]), weight, bias], attributes)
    return computed(make('mul', [x, make('power', [energy], { exponent: -call.float('beta', 0.75) })], {}, call.label))
  },
}
