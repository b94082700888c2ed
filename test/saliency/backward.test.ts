import { describe, expect, it } from 'vitest'
import { gradientOf } from '../../src/saliency/backward.ts'
import type { Relu6Rule, Scope } from '../../src/saliency/choices.ts'
import { evaluate } from '../../src/saliency/engines/reference.ts'
import { printGraph, type Node } from '../../src/saliency/graph.ts'
import { constant, make } from '../../src/saliency/ops.ts'
import { times } from '../support/operationExamples.ts'

function gradientAt(
  x: Node,
  objective: Node,
  scope: Scope,
  at: readonly number[],
  relu6: Relu6Rule = 'guided',
): number[] {
  const graph = { outputs: new Map([['gradient', gradientOf(objective, x, scope, relu6)]]) }
  return [...(evaluate(graph, new Map([['x', at]])).get('gradient') ?? [])]
}

const x = make('input', [], { name: 'x', shape: [1, 3], dtype: 'float32' })

describe('guided backpropagation at one ReLU', () => {
  const y = make('mul', [make('relu', [x]), constant([2, -3, 5], [1, 3])])

  it('passes positive gradients where the activation was positive', () => {
    expect(gradientAt(x, y, 'all', [1, 1, -1])).toEqual([2, 0, 0])
  })

  it('is off with scope none', () => {
    expect(gradientAt(x, y, 'none', [1, 1, -1])).toEqual([2, -3, 0])
  })

  it('stops at an activation of exactly zero', () => {
    expect(gradientAt(x, y, 'all', [0, 1, 2])).toEqual([0, 0, 5])
  })
})

describe('an activation with several consumers', () => {
  it('sums their gradients before the clamp', () => {
    // A residual toy: a = relu(x), then 3a − 2a. Clamping each consumer's gradient would give 3 instead of 1.
    const a = make('relu', [x])
    const y = make('add', [times(a, 3), times(a, -2)])
    expect(gradientAt(x, y, 'all', [1, 1, 1])).toEqual([1, 1, 1])
  })

  it('passes nothing when the sum is negative though one part is positive', () => {
    const a = make('relu', [x])
    expect(gradientAt(x, make('add', [times(a, 2), times(a, -3)]), 'all', [1, 1, 1])).toEqual([0, 0, 0])
  })

  it('guides a ReLU whose input has a second consumer: what goes round the ReLU passes whole', () => {
    // y = relu(x) · 2 − 3x. A hook on a module that clamps what arrives at its input would clamp the −3 too.
    const same = times(x, 1)
    const y = make('add', [times(make('relu', [same]), 2), times(same, -3)])
    expect(gradientAt(x, y, 'all', [1, 1, -1])).toEqual([-1, -1, -3])
  })

  it('guides every use of a ReLU that a network uses twice', () => {
    // a = relu(x), b = relu(−a + 3) · [1, 1, −1], as a module that is called again.
    const a = make('relu', [x])
    const b = make('relu', [make('add', [times(a, -1), constant([3], [1])])])
    const y = make('mul', [b, constant([1, -1, -1], [1, 3])])
    // At b 1, −1 → 0, −1 → 0; at a −1 → 0.
    expect(gradientAt(x, y, 'all', [1, 1, 1])).toEqual([0, 0, 0])
    expect(gradientAt(x, times(y, -1), 'all', [1, 1, 1])).toEqual([0, 0, 0])
    expect(gradientAt(x, y, 'none', [1, 1, 1])).toEqual([-1, 1, 1])
  })

  it('holds for a residual block, by hand', () => {
    // a = relu(x); b = relu(2a); y = (a − b) · [1, 1, −1]. At the last: −1 + relu(1)·2 = 1 → passes; else 1 − 0 = 1.
    const a = make('relu', [x])
    const b = make('relu', [times(a, 2)])
    const y = make('mul', [make('sub', [a, b]), constant([1, 1, -1], [1, 3])])
    expect(gradientAt(x, y, 'all', [1, 2, 3])).toEqual([1, 1, 1])
    // By plain calculus: 1 − 2 = −1 and −1 + 2 = 1.
    expect(gradientAt(x, y, 'none', [1, 2, 3])).toEqual([-1, -1, 1])
  })
})

describe('guided backpropagation at one ReLU6', () => {
  const y = make('mul', [make('relu6', [x]), constant([2, -3, 5], [1, 3])])

  it('passes positive gradients inside its band', () => {
    expect(gradientAt(x, y, 'all', [1, 1, 5.9])).toEqual([2, 0, 5])
  })

  it('stops at exactly 0 and 6, and beyond', () => {
    const same = make('relu6', [x])
    expect(gradientAt(x, same, 'all', [0, 6, 1e-30])).toEqual([0, 0, 1])
    expect(gradientAt(x, same, 'all', [-1, 7, 6 - 2 ** -21])).toEqual([0, 0, 1])
    expect(gradientAt(x, same, 'none', [0, 6, 7])).toEqual([0, 0, 0])
  })

  it('keeps its plain gradient under the rule plain, and with scope none', () => {
    expect(gradientAt(x, y, 'all', [1, 1, 7], 'plain')).toEqual([2, -3, 0])
    expect(gradientAt(x, y, 'none', [1, 1, 7])).toEqual([2, -3, 0])
  })
})

describe('guided backpropagation at one PReLU', () => {
  const y = make('mul', [make('prelu', [x, constant([0.5, 0.5, -0.5], [3])]), constant([2, -3, -5], [1, 3])])

  it('passes what is positive after the derivative: max(0, g · slope) at a negative activation', () => {
    expect(gradientAt(x, y, 'all', [1, 1, 1])).toEqual([2, 0, 0])
    // With a negative slope a negative gradient turns positive.
    expect(gradientAt(x, y, 'all', [-1, -1, -1])).toEqual([1, 0, 2.5])
  })

  it('is off with scope none', () => {
    expect(gradientAt(x, y, 'none', [-1, -1, -1])).toEqual([1, -1.5, 2.5])
  })

  it('takes one slope for all channels, as LeakyReLU has', () => {
    const leaky = make('mul', [make('prelu', [x, constant([0.25], [1])]), constant([2, -3, 4], [1, 3])])
    expect(gradientAt(x, leaky, 'all', [-1, -1, 0])).toEqual([0.5, 0, 1])
  })
})

describe('scope stem', () => {
  it('guides the first activation that can be guided', () => {
    const first = make('relu6', [times(x, 1)])
    const y = make('mul', [make('relu', [times(first, 1)]), constant([1, -1, 1], [1, 3])])
    expect(gradientAt(x, make('mul', [y, constant([-1], [1])]), 'stem', [1, 1, 1])).toEqual([0, 1, 0])
    // The second one, where ReLU6 keeps its plain gradient.
    expect(printed(y, 'stem', 'guided')).toMatch(/guidedRelu6/)
    expect(printed(y, 'stem', 'plain')).toMatch(/guidedRelu\(/)
    expect(printed(y, 'stem', 'plain')).not.toMatch(/guidedRelu6/)
  })

  it('guides the first ReLU on the way from the image only', () => {
    const first = make('relu', [times(x, 1)])
    const second = make('relu', [times(first, 1)])
    const weights = constant([1, -1, 1], [1, 3])
    const y = make('mul', [make('sub', [times(second, -1), times(first, -3)]), weights])
    // Arriving at the first ReLU: (−1 + 3) · w; the second is plain, so its negative part comes through.
    expect(gradientAt(x, y, 'stem', [1, 1, 1])).toEqual([2, 0, 2])
    expect(gradientAt(x, y, 'all', [1, 1, 1])).toEqual([3, 0, 3])
    expect(gradientAt(x, y, 'none', [1, 1, 1])).toEqual([2, -2, 2])
  })
})

function printed(objective: Node, scope: Scope, relu6: Relu6Rule): string {
  return printGraph({ outputs: new Map([['gradient', gradientOf(objective, x, scope, relu6)]]) })
}

describe('gradients at singular points', () => {
  it('atan2 at (0, 0), sqrt at 0 and clip at its bounds pass 0', () => {
    const zero = constant([0, 0, 0], [1, 3])
    expect(gradientAt(x, make('atan2', [x, zero]), 'none', [0, 0, 0])).toEqual([0, 0, 0])
    expect(gradientAt(x, make('sqrt', [x]), 'none', [0, 0, 0.25])).toEqual([0, 0, 1])
    expect(gradientAt(x, make('clip', [x], { min: -1, max: 1 }), 'none', [-1, 1, 0.5])).toEqual([0, 0, 1])
    expect(gradientAt(x, make('clip', [x], { min: 1e-30, max: Number.MAX_VALUE }), 'none', [0, 1, 9])).toEqual([
      0, 1, 1,
    ])
  })
})

describe('max pooling', () => {
  it('sends the gradient to the first maximum in row-major order', () => {
    const image = make('input', [], { name: 'x', shape: [1, 1, 2, 4], dtype: 'float32' })
    const y = make('maxPool', [image], { kernel: [2, 2], strides: [2, 2], pads: [0, 0, 0, 0] })
    expect(gradientAt(image, y, 'none', [1, 5, 0, 0, 5, 5, 0, 0])).toEqual([0, 1, 1, 0, 0, 0, 0, 0])
  })
})

describe('the sweep', () => {
  it('computes no weight gradient and nothing that the image does not reach', () => {
    const image = make('input', [], { name: 'x', shape: [1, 2, 4, 4], dtype: 'float32' })
    const weight = constant(
      Array.from({ length: 36 }, (_, i) => i / 36),
      [2, 2, 3, 3],
      'weight',
    )
    const conv = make('conv', [image, weight], { strides: [1, 1], pads: [1, 1, 1, 1], groups: 1 }, 'conv0')
    const y = make('reduceMean', [make('relu', [conv], {}, 'relu0')], { axes: [2, 3] })
    expect(printGraph({ outputs: new Map([['gradient', gradientOf(y, image, 'all')]]) })).toMatchInlineSnapshot(`
      "%0 = constant() [1]
      %1 = expand(%0) {shape: 1,2,1,1} [1×2×1×1]
      %2 = constant() [1]
      %3 = mul(%1, %2) [1×2×1×1]
      %4 = expand(%3) {shape: 1,2,4,4} [1×2×4×4]
      %5 = input() [1×2×4×4]
      %6 = constant() [2×2×3×3] weight
      %7 = conv(%5, %6) {strides: 1,1, pads: 1,1,1,1, groups: 1} [1×2×4×4] conv0
      %8 = relu(%7) [1×2×4×4] relu0
      %9 = guidedRelu(%4, %8) [1×2×4×4]
      %10 = convInputGradient(%9, %6) {strides: 1,1, pads: 1,1,1,1, groups: 1, inputShape: 1,2,4,4} [1×2×4×4] conv0
      %11 = constant() [1]
      %12 = mul(%10, %11) [1×2×4×4]
      return gradient = %12"
    `)
  })

  it('says so when the objective does not depend on the image', () => {
    expect(() => gradientOf(constant([1], [1]), x, 'all')).toThrow(/does not depend on the image/)
  })
})
