import { describe, expect, it } from 'vitest'
import { gradientOf } from '../../src/saliency/backward.ts'
import type { Scope } from '../../src/saliency/choices.ts'
import { evaluate } from '../../src/saliency/engines/reference.ts'
import { printGraph, type Node } from '../../src/saliency/graph.ts'
import { constant, make } from '../../src/saliency/ops.ts'
import { times } from '../support/operationExamples.ts'

function gradientAt(x: Node, objective: Node, scope: Scope, at: readonly number[]): number[] {
  const graph = { outputs: new Map([['gradient', gradientOf(objective, x, scope)]]) }
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

describe('scope stem', () => {
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
