import type { Node, OpName } from '../../src/saliency/graph.ts'
import { constant, make } from '../../src/saliency/ops.ts'

/** Seeded numbers in [−1, 1); the same seed always gives the same ones (mulberry32). */
export function seededRandom(seed: number): () => number {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let t = Math.imul(state ^ (state >>> 15), 1 | state)
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
    return (((t ^ (t >>> 14)) >>> 0) / 4294967296) * 2 - 1
  }
}

export function randomConstant(random: () => number, shape: readonly number[]): Node {
  return constant(Array.from({ length: shape.reduce((a, b) => a * b, 1) }, random), shape)
}

/** What an example builds on: an input of N×C×H×W and a source of constants. */
interface Stage {
  readonly x: Node
  readonly random: () => number
}

/**
 * At least one small use of every operation, from an N×C×H×W input. Where an operation takes part in the sweep, its
 * example is differentiable almost everywhere.
 */
export const operationExamples: {
  readonly [K in Exclude<OpName, 'input' | 'constant'>]: readonly ((stage: Stage) => Node)[]
} = {
  cast: [
    ({ x }) => make('cast', [make('clip', [make('round', [times(x, 99)])], { min: 0, max: 255 })], { to: 'uint8' }),
  ],
  add: [
    ({ x, random }) => make('add', [x, randomConstant(random, [1, dim(x, 1), 1, 1])]),
    ({ x }) => make('add', [make('reduceSum', [x], { axes: [2] }), x]),
  ],
  sub: [({ x }) => make('sub', [make('reduceMean', [x], { axes: [1, 3] }), x])],
  mul: [
    ({ x, random }) => make('mul', [x, randomConstant(random, [1, dim(x, 1), 1, 1])]),
    ({ x }) => make('mul', [x, make('reduceSum', [x], { axes: [1, 2, 3] })]),
  ],
  div: [
    ({ x }) => make('div', [x, constant([0.3], [1])]),
    ({ x }) =>
      make('div', [make('reduceSum', [x], { axes: [2] }), make('add', [make('mul', [x, x]), constant([0.5], [1])])]),
  ],
  sum: [({ x }) => make('sum', [x, times(x, 2), make('mul', [x, x])])],
  relu: [({ x }) => make('relu', [x])],
  step: [({ x }) => make('mul', [x, make('step', [x])])],
  guidedRelu: [({ x, random }) => make('guidedRelu', [times(x, -1), make('relu', [randomConstant(random, x.shape)])])],
  // Scaled so that all of band and ends are met.
  relu6: [({ x }) => make('relu6', [times(x, 9)])],
  relu6Mask: [({ x }) => make('mul', [x, make('relu6Mask', [times(x, 9)])])],
  guidedRelu6: [
    ({ x, random }) => make('guidedRelu6', [times(x, -1), make('relu6', [times(randomConstant(random, x.shape), 9)])]),
    ({ x, random }) => make('guidedRelu6', [flat(x), make('relu6', [times(randomConstant(random, flat(x).shape), 9)])]),
  ],
  prelu: [
    ({ x, random }) => make('prelu', [x, randomConstant(random, [dim(x, 1)])]),
    ({ x }) => make('prelu', [x, constant([0.2], [1])]),
    ({ x, random }) => make('prelu', [flat(x), randomConstant(random, [flat(x).shape[1] ?? 0])]),
  ],
  preluSlope: [
    ({ x, random }) => make('mul', [x, make('preluSlope', [x, randomConstant(random, [dim(x, 1)])])]),
    ({ x }) => make('mul', [flat(x), make('preluSlope', [flat(x), constant([0.2], [1])])]),
  ],
  sigmoid: [({ x }) => make('sigmoid', [times(x, 5)]), ({ x }) => make('sigmoid', [flat(x)])],
  tanh: [({ x }) => make('tanh', [times(x, 3)])],
  // Scaled so that all of band and ends are met; in a hard-swish as well.
  hardSigmoid: [
    ({ x }) => make('hardSigmoid', [times(x, 6)], { alpha: 1 / 6, beta: 0.5 }),
    ({ x }) => make('hardSigmoid', [flat(x)], { alpha: 2, beta: 0.25 }),
    ({ x }) => {
      const wide = times(x, 5)
      return make('mul', [wide, make('hardSigmoid', [wide], { alpha: 1 / 6, beta: 0.5 })])
    },
  ],
  hardSigmoidSlope: [
    ({ x }) => make('mul', [x, make('hardSigmoidSlope', [clipped(times(x, 2))], { alpha: 0.2 })]),
    ({ x }) => make('mul', [flat(x), make('hardSigmoidSlope', [clipped(flat(x))], { alpha: 3 })]),
  ],
  exp: [({ x }) => make('exp', [times(x, 2)])],
  power: [
    ({ x }) => make('power', [positive(x)], { exponent: 3 }),
    ({ x }) => make('power', [positive(x)], { exponent: -0.75 }),
    ({ x }) => make('power', [make('power', [positive(x)], { exponent: 2.5 })], { exponent: 1 / 3 }),
  ],
  atan2: [
    ({ x, random }) => make('atan2', [x, randomConstant(random, x.shape)]),
    ({ x, random }) => make('atan2', [randomConstant(random, x.shape), times(x, 30)]),
  ],
  abs: [({ x }) => make('abs', [x])],
  sqrt: [({ x }) => make('sqrt', [positive(x)])],
  round: [({ x }) => make('round', [times(x, 9)])],
  clip: [({ x }) => make('clip', [x], { min: -0.25, max: 0.5 })],
  conv: [
    ({ x, random }) =>
      make('conv', [x, randomConstant(random, [4, dim(x, 1), 3, 3]), randomConstant(random, [4])], {
        strides: [1, 1],
        pads: [1, 1, 1, 1],
        groups: 1,
      }),
    ({ x, random }) =>
      make('conv', [x, randomConstant(random, [3, dim(x, 1), 3, 2])], {
        strides: [2, 3],
        pads: [1, 0, 0, 2],
        groups: 1,
      }),
    ({ x, random }) =>
      make('conv', [x, randomConstant(random, [2 * dim(x, 1), 1, 3, 3])], {
        strides: [1, 1],
        pads: [0, 0, 0, 0],
        groups: dim(x, 1),
      }),
    // Depthwise with a stride and uneven padding, and groups of several channels.
    ({ x, random }) =>
      make('conv', [x, randomConstant(random, [dim(x, 1), 1, 3, 3]), randomConstant(random, [dim(x, 1)])], {
        strides: [2, 2],
        pads: [0, 1, 1, 2],
        groups: dim(x, 1),
      }),
    ({ x, random }) =>
      make('conv', [make('concat', [x, x], { axis: 1 }), randomConstant(random, [dim(x, 1), 2, 3, 3])], {
        strides: [2, 1],
        pads: [1, 1, 1, 1],
        groups: dim(x, 1),
      }),
    // Padding beyond what the kernel reaches: the flipped form cuts the gradient.
    ({ x, random }) =>
      make('conv', [x, randomConstant(random, [2, dim(x, 1), 1, 1])], {
        strides: [1, 1],
        pads: [1, 1, 1, 1],
        groups: 1,
      }),
    // Dilated: one for all channels with uneven padding, depthwise, in groups, and with padding beyond what is reached.
    ({ x, random }) =>
      make('conv', [x, randomConstant(random, [4, dim(x, 1), 3, 2]), randomConstant(random, [4])], {
        strides: [1, 1],
        pads: [3, 0, 1, 2],
        groups: 1,
        dilations: [2, 3],
      }),
    ({ x, random }) =>
      make('conv', [x, randomConstant(random, [2 * dim(x, 1), 1, 3, 3])], {
        strides: [1, 1],
        pads: [2, 1, 2, 3],
        groups: dim(x, 1),
        dilations: [2, 1],
      }),
    ({ x, random }) =>
      make('conv', [make('concat', [x, x], { axis: 1 }), randomConstant(random, [dim(x, 1), 2, 3, 3])], {
        strides: [1, 1],
        pads: [4, 2, 4, 2],
        groups: dim(x, 1),
        dilations: [4, 2],
      }),
    ({ x, random }) =>
      make('conv', [x, randomConstant(random, [2, dim(x, 1), 2, 1])], {
        strides: [1, 1],
        pads: [4, 1, 0, 2],
        groups: 1,
        dilations: [3, 1],
      }),
  ],
  convInputGradient: [
    ({ x, random }) =>
      make('convInputGradient', [x, randomConstant(random, [dim(x, 1), 2, 3, 3])], {
        strides: [2, 2],
        pads: [1, 1, 1, 1],
        groups: 1,
        inputShape: [dim(x, 0), 2, dim(x, 2) * 2, dim(x, 3) * 2],
      }),
  ],
  batchNorm: [
    ({ x, random }) => {
      const c = dim(x, 1)
      const variance = constant(
        Array.from({ length: c }, () => Math.abs(random()) + 0.1),
        [c],
      )
      const [gamma, beta, mean] = [1, 2, 3].map(() => randomConstant(random, [c]))
      return make('batchNorm', [x, gamma ?? x, beta ?? x, mean ?? x, variance], { epsilon: 1e-5 })
    },
  ],
  affine: [
    ({ x, random }) => make('affine', [x, randomConstant(random, [dim(x, 1)]), randomConstant(random, [dim(x, 1)])]),
  ],
  maxPool: [
    ({ x }) => make('maxPool', [x], { kernel: [3, 3], strides: [2, 2], pads: [1, 1, 1, 1] }),
    ({ x }) => make('maxPool', [x], { kernel: [2, 3], strides: [1, 2], pads: [0, 1, 1, 0] }),
  ],
  maxPoolGradient: [
    ({ x }) => {
      const pool = { kernel: [3, 3], strides: [2, 2], pads: [1, 1, 1, 1] } as const
      return make('maxPoolGradient', [x, times(make('maxPool', [x], pool), 0.7)], pool)
    },
  ],
  averagePool: [
    ({ x }) => make('averagePool', [x], { kernel: [2, 2] }),
    ({ x }) => make('averagePool', [x], { kernel: [3, 2] }),
  ],
  upsample: [({ x }) => make('upsample', [x], { scale: [2, 3] })],
  phase: [
    ({ x }) => make('phase', [x], { strides: [2, 2], offset: [1, 0] }),
    ({ x }) => make('phase', [x], { strides: [4, 2], offset: [3, 1] }),
  ],
  interleave: [
    ({ x }) =>
      make(
        'interleave',
        [1, 2, 3, 4].map((factor) => times(x, factor)),
        { strides: [2, 2], size: [12, 9] },
      ),
    ({ x }) =>
      make(
        'interleave',
        [1, 2, 3].map((factor) => times(x, factor)),
        { strides: [1, 3], size: [6, 13] },
      ),
  ],
  reduceSum: [({ x }) => make('reduceSum', [x], { axes: [1, 3] })],
  reduceMean: [
    ({ x }) => make('reduceMean', [x], { axes: [2, 3] }),
    ({ x }) => make('reduceMean', [x], { axes: [0, 1] }),
  ],
  reduceMax: [({ x }) => make('reduceMax', [x], { axes: [1] })],
  softmax: [({ x }) => make('softmax', [times(x, 3)])],
  oneHotArgmax: [({ x }) => make('mul', [flat(x), make('oneHotArgmax', [flat(x)])])],
  topK: [({ x }) => make('topK', [flat(x)], { k: 5 })],
  matmul: [
    ({ x, random }) =>
      make('matmul', [flat(x), randomConstant(random, [flat(x).shape[1] ?? 0, 5])], { transposeB: false }),
    ({ x, random }) => make('matmul', [x, randomConstant(random, [4, dim(x, 3)])], { transposeB: true }),
    // Both live, as in attention: of one image, and with leading axes that broadcast from either side or both.
    ({ x }) => make('matmul', [x, times(x, 2)], { transposeB: true }),
    ({ x }) => make('matmul', [x, swapped(x)], { transposeB: false }),
    ({ x }) =>
      make('matmul', [make('reduceMean', [x], { axes: [0] }), make('reduceMean', [x], { axes: [1] })], {
        transposeB: true,
      }),
    ({ x }) => make('matmul', [swapped(x), rows(x)], { transposeB: false }),
    ({ x }) => make('matmul', [rows(x), x], { transposeB: true }),
    ({ x, random }) => make('matmul', [randomConstant(random, [3, dim(x, 2)]), x], { transposeB: false }),
  ],
  reshape: [({ x }) => flat(x)],
  transpose: [({ x }) => make('transpose', [x], { permutation: [0, 3, 1, 2] })],
  slice: [({ x }) => make('slice', [x], { axis: 1, start: 1, end: dim(x, 1) })],
  flip: [({ x }) => make('flip', [x], { axes: [1, 3] })],
  pad: [({ x }) => make('pad', [x], { axis: 2, before: 1, after: 2 })],
  concat: [
    ({ x }) => make('concat', [x, times(x, -2), make('slice', [x], { axis: 1, start: 0, end: 1 })], { axis: 1 }),
  ],
  expand: [({ x }) => make('expand', [make('reduceMean', [x], { axes: [2, 3] })], { shape: x.shape })],
}

/** The last two axes exchanged. */
function swapped(x: Node): Node {
  return make('transpose', [x], { permutation: [0, 1, 3, 2] })
}

/** Of N×C×H×W a matrix H×W without leading axes. */
function rows(x: Node): Node {
  return make('reshape', [make('reduceMean', [x], { axes: [0, 1] })], { shape: x.shape.slice(2) })
}

/** x² + 0.1. */
function positive(x: Node): Node {
  return make('add', [make('mul', [x, x]), constant([0.1], [1])])
}

function clipped(x: Node): Node {
  return make('clip', [x], { min: 0, max: 1 })
}

export function times(x: Node, factor: number): Node {
  return make('mul', [x, constant([factor], [1])])
}

function flat(x: Node): Node {
  return make('reshape', [x], { shape: [dim(x, 0), dim(x, 1) * dim(x, 2) * dim(x, 3)] })
}

function dim(x: Node, axis: number): number {
  return x.shape[axis] ?? 1
}
