import { gradientOf } from '../../src/saliency/backward.ts'
import type { Scope } from '../../src/saliency/choices.ts'
import { inputGradients } from '../../src/saliency/gradients.ts'
import type { Graph, Node, OpName } from '../../src/saliency/graph.ts'
import { make } from '../../src/saliency/ops.ts'
import { simplifyGradient, simplifyNetwork } from '../../src/saliency/simplify.ts'
import { operationExamples, randomConstant } from './operationExamples.ts'

/** Values that any example can be built on. */
const isStage = ({ shape, dtype }: Node): boolean =>
  dtype === 'float32' && shape.length === 4 && shape.slice(1).every((length) => length >= 3 && length <= 40)

/**
 * Operations that jump (round, the largest): a rounding error would become a step. Those that flatten: of what became almost
 * equal, a difference is nothing but rounding errors, and so is a softmax's gradient of what a mean made equal.
 */
const leftOut: readonly OpName[] = [
  'cast',
  'round',
  'oneHotArgmax',
  'sqrt',
  'step',
  'softmax',
  'relu6Mask',
  'preluSlope',
  'div',
  'hardSigmoidSlope',
  'sigmoid',
  'tanh',
  'hardSigmoid',
  'exp',
  'power',
]

/**
 * Eight random uses of operations, one upon another, with the guided gradient of a weighted sum at the input: simplified, as a
 * network's program is.
 */
export function randomGraph(random: () => number): Graph {
  const pick = <T>(items: readonly T[]): T => {
    const item = items[Math.min(items.length - 1, Math.floor(((random() + 1) / 2) * items.length))]
    if (item === undefined) throw new Error('nothing to pick from')
    return item
  }
  const channels = pick([4, 7, 8])
  const x = make('input', [], { name: 'x', shape: [pick([1, 2, 3]), channels, 14, 12], dtype: 'float32' })
  const names = Object.keys(operationExamples).filter(
    (op) => !leftOut.some((name) => name === op),
  ) as (keyof typeof operationExamples)[]
  let y: Node = make('relu', [x])
  for (let used = 0; used < 8;) {
    const grown = pick<(stage: { x: Node; random: () => number }) => Node>(operationExamples[pick(names)])({
      x: y,
      random,
    })
    if (!isStage(grown) || inputGradients(grown, grown) === undefined || !sweepable(grown, x)) continue
    // Kept near one: products of products would leave float32.
    y = make('relu', [make('mul', [grown, make('constant', [], { shape: [1], data: Float32Array.of(0.5) })])])
    used++
  }
  // Weighted, since the sum of a softmax or of what lies around a mean has no gradient to compare.
  const weighted = make('mul', [y, randomConstant(random, y.shape)])
  const simpler = simplifyNetwork([weighted]).get(weighted) ?? weighted
  const scope: Scope = pick(['all', 'stem', 'none'])
  const gradient = gradientOf(simpler, x, scope)
  return {
    outputs: new Map([
      ['value', simpler],
      ['gradient', simplifyGradient([gradient]).get(gradient) ?? gradient],
    ]),
  }
}

function sweepable(y: Node, x: Node): boolean {
  try {
    gradientOf(y, x, 'all')
    return true
  } catch {
    return false
  }
}
