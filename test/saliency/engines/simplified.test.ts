import { describe, expect, it } from 'vitest'
import { gradientOf } from '../../../src/saliency/backward.ts'
import { openOnnxRuntime } from '../../../src/saliency/engines/onnxruntime.ts'
import { openReference } from '../../../src/saliency/engines/reference.ts'
import { elements, type Graph, type Node } from '../../../src/saliency/graph.ts'
import { make } from '../../../src/saliency/ops.ts'
import { simplifyGradient, simplifyNetwork } from '../../../src/saliency/simplify.ts'
import { operationExamples, randomConstant, seededRandom } from '../../support/operationExamples.ts'

/** Relative to the largest value: float32 rounding of a few dozen sums. */
const tolerance = 2e-6

describe('simplified graphs keep their value', () => {
  it('a small network with every rewrite, forward and guided backward', async () => {
    for (let seed = 1; seed <= 4; seed++) {
      const random = seededRandom(seed)
      const x = make('input', [], { name: 'x', shape: [2, 3, 12, 12], dtype: 'float32' })
      const { y } = toyNetwork(x, random)
      const before = gradientOf(y, x, 'all')
      const simpler = simplifyNetwork([y])
      const swept = gradientOf(simpler.get(y) ?? y, x, 'all')
      const after = simplifyGradient([swept]).get(swept) ?? swept
      expect(countOf(after, 'batchNorm')).toBe(0)
      expect(countOf(before, 'convInputGradient')).toBe(3)
      expect(countOf(after, 'convInputGradient')).toBe(1)
      await expectSame({ outputs: new Map([['gradient', after]]) }, random, {
        outputs: new Map([['gradient', before]]),
      })
    }
  })
})

/** conv s2 → norm → relu → [norm → relu → conv 3×3] concatenated → norm → relu → conv 1×1 → pool → norm → relu. */
function toyNetwork(x: Node, random: () => number): { y: Node } {
  const conv = (input: Node, outs: number, kernel: number, stride: number): Node =>
    make('conv', [input, randomConstant(random, [outs, input.shape[1] ?? 0, kernel, kernel])], {
      strides: [stride, stride],
      pads: [kernel >> 1, kernel >> 1, kernel >> 1, kernel >> 1],
      groups: 1,
    })
  const normRelu = (input: Node): Node => {
    const [norm] = operationExamples.batchNorm
    if (norm === undefined) throw new Error('no example')
    return make('relu', [norm({ x: input, random })])
  }
  let y = normRelu(conv(x, 4, 3, 2))
  y = make('concat', [y, conv(normRelu(y), 4, 3, 1)], { axis: 1 })
  y = make('averagePool', [conv(normRelu(y), 4, 1, 1)], { kernel: [2, 2] })
  return { y: make('reduceMean', [normRelu(y)], { axes: [2, 3] }) }
}

function countOf(root: Node, op: string): number {
  const seen = new Set<Node>()
  const visit = (node: Node): void => {
    if (seen.has(node)) return
    seen.add(node)
    node.inputs.forEach(visit)
  }
  visit(root)
  return [...seen].filter((node) => node.op === op).length
}

async function expectSame(graph: Graph, random: () => number, referenceGraph = graph): Promise<void> {
  const [x] = [...inputsOf(graph)]
  const inputs = new Map([['x', Float32Array.from({ length: elements(x?.shape ?? []) }, random)]])
  const reference = await (await openReference(referenceGraph)).run(inputs)
  const executor = await openOnnxRuntime('cpu')(graph, { intraOpThreads: 1 })
  const results = await executor.run(inputs)
  await executor.dispose()
  for (const [name, expected] of reference) {
    const actual = results.get(name) ?? []
    expect(actual.length).toBe(expected.length)
    let [error, scale] = [0, 0]
    expected.forEach((value, i) => {
      error = Math.max(error, Math.abs(value - (actual[i] ?? NaN)))
      scale = Math.max(scale, Math.abs(value))
    })
    expect(error).toBeLessThanOrEqual(tolerance * Math.max(scale, 1))
  }
}

function inputsOf(graph: Graph): Node[] {
  const found: Node[] = []
  const visit = (node: Node): void => {
    if (node.op === 'input' && !found.includes(node)) found.push(node)
    node.inputs.forEach(visit)
  }
  graph.outputs.forEach(visit)
  return found
}
