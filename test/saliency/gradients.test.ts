import { describe, expect, it } from 'vitest'
import { gradientOf } from '../../src/saliency/backward.ts'
import { elements, type Node, type OpName } from '../../src/saliency/graph.ts'
import { make } from '../../src/saliency/ops.ts'
import { expectGradient } from '../support/expectGradient.ts'
import { operationExamples, randomConstant, seededRandom, times } from '../support/operationExamples.ts'

/** Used after the sweep only (pictures, statistics): no gradient rule, and the sweep says so. */
const withoutGradient: readonly OpName[] = [
  'cast',
  'abs',
  'guidedRelu',
  'guidedRelu6',
  'round',
  'reduceMax',
  'topK',
  'maxPoolGradient',
]

describe('gradient rules against finite differences in float64', () => {
  for (const [op, examples] of Object.entries(operationExamples)) {
    examples.forEach((build, index) => {
      const refused = withoutGradient.some((name) => name === op)
      it(`${op} ${index}${refused ? ' has none, and is refused' : ''}`, () => {
        const random = seededRandom(index + op.length * 31)
        const x = make('input', [], { name: 'x', shape: [2, 3, 6, 5], dtype: 'float32' })
        const y = build({ x, random })
        const objective = make('mul', [y, randomConstant(random, y.shape)])
        if (refused) {
          expect(() => gradientOf(objective, x, 'none')).toThrow(/no gradient passes through/)
          return
        }
        expectGradient(x, objective, random)
      })
    })
  }

  it('random chains of differentiable operations', () => {
    const chain: OpName[] = [
      'conv',
      'batchNorm',
      'relu',
      'affine',
      'sum',
      'concat',
      'mul',
      'sub',
      'add',
      'maxPool',
      'averagePool',
      'upsample',
      'softmax',
    ]
    for (let seed = 1; seed <= 12; seed++) {
      const random = seededRandom(seed)
      const x = make('input', [], { name: 'x', shape: [1, 2, 8, 7], dtype: 'float32' })
      let y: Node = x
      for (let step = 0; step < 5; step++) {
        const op = chain[Math.floor((random() + 1) * 0.5 * chain.length)] ?? 'relu'
        const examples = operationExamples[op as 'relu']
        const next = examples[0]?.({ x: y, random }) ?? y
        y =
          next.shape.every((length) => length > 1 || next.shape[0] === length) && elements(next.shape) < 4000
            ? times(next, 0.5)
            : y
      }
      expectGradient(x, make('mul', [y, randomConstant(random, y.shape)]), random)
    }
  })
})
