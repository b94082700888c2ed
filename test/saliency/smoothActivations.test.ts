import { describe, expect, it } from 'vitest'
import { gradientOf } from '../../src/saliency/backward.ts'
import type { OpenExecutor } from '../../src/saliency/engines/engine.ts'
import { openOnnxRuntime } from '../../src/saliency/engines/onnxruntime.ts'
import { openReference } from '../../src/saliency/engines/reference.ts'
import { elements, type Graph, type Node } from '../../src/saliency/graph.ts'
import { make } from '../../src/saliency/ops.ts'
import { simplifyGradient, simplifyNetwork } from '../../src/saliency/simplify.ts'
import { randomConstant, seededRandom } from '../support/operationExamples.ts'

const engines: Readonly<Record<string, OpenExecutor>> = {
  reference: openReference,
  'onnxruntime:cpu': openOnnxRuntime('cpu'),
}

async function run(open: OpenExecutor, y: Node, values: Float32Array): Promise<number[]> {
  const graph: Graph = { outputs: new Map([['y', y]]) }
  const executor = await open(graph, { intraOpThreads: 1 })
  const results = await executor.run(new Map([['x', values]]))
  await executor.dispose()
  return [...(results.get('y') ?? [])]
}

const input = (shape: readonly number[]): Node => make('input', [], { name: 'x', shape, dtype: 'float32' })

describe.each(Object.entries(engines))('on %s', (_, open) => {
  it('a hard sigmoid passes its slope inside its band and nothing at a bound', async () => {
    const at = [-2, -1, -0.999, 0, 0.999, 1, 2]
    // Flat, and in the blocked layout of ONNX Runtime.
    for (const shape of [
      [1, 16],
      [1, 16, 1, 2],
    ]) {
      const x = input(shape)
      const y = make('hardSigmoid', [x], { alpha: 0.5, beta: 0.5 })
      const values = Float32Array.from({ length: elements(shape) }, (_v, i) => at[i % at.length] ?? 0)
      const slopes = await run(open, gradientOf(y, x, 'all'), values)
      expect(slopes.slice(0, at.length)).toEqual([0, 0, 0.5, 0.5, 0.5, 0, 0])
    }
  })

  it.each([
    [3, 0],
    [2, 0],
    [1, 1],
    [0.5, 0],
    [1 / 3, 0],
  ])('the slope of x to the power of %d is finite at 0', async (exponent, slope) => {
    const x = input([1, 2])
    const gradient = gradientOf(make('power', [x], { exponent }), x, 'all')
    const [atZero, atOne] = await run(open, gradient, Float32Array.of(0, 1))
    expect(atZero).toBe(slope)
    expect(atOne).toBeCloseTo(exponent, 6)
  })
})

describe('a network of smooth activations', () => {
  const hardSigmoid = (x: Node): Node => make('hardSigmoid', [x], { alpha: 1 / 6, beta: 0.5 })
  const activations: Readonly<Record<string, (x: Node) => Node>> = {
    'hard-swish': (x) => make('mul', [x, hardSigmoid(x)]),
    SiLU: (x) => make('mul', [x, make('sigmoid', [x])]),
    tanh: (x) => make('tanh', [x]),
  }

  it.each(Object.entries(activations))('%s, with squeeze-and-excitation', async (_, active) => {
    const random = seededRandom(5)
    const x = input([2, 3, 9, 8])
    const conv = (from: Node, outs: number, kernel: number, stride: number, groups = 1): Node => {
      const weight = randomConstant(random, [outs, (from.shape[1] ?? 1) / groups, kernel, kernel])
      const side = kernel >> 1
      return make('conv', [from, weight, randomConstant(random, [outs])], {
        strides: [stride, stride],
        pads: [side, side, side, side],
        groups,
      })
    }
    const stem = active(conv(x, 16, 3, 1))
    const wide = active(conv(active(conv(stem, 32, 1, 1)), 32, 3, 2, 32))
    const squeezed = make('relu', [conv(make('reduceMean', [wide], { axes: [2, 3] }), 8, 1, 1)])
    const y = conv(make('mul', [wide, hardSigmoid(conv(squeezed, 32, 1, 1))]), 16, 1, 1)
    const objective = make('mul', [y, randomConstant(random, y.shape)])
    const values = Float32Array.from({ length: elements(x.shape) }, random)
    const expected = await run(openReference, gradientOf(objective, x, 'all'), values)

    const simpler = simplifyNetwork([objective]).get(objective) ?? objective
    const swept = gradientOf(simpler, x, 'all')
    const found = await run(openOnnxRuntime('cpu'), simplifyGradient([swept]).get(swept) ?? swept, values)
    const scale = Math.max(...expected.map(Math.abs))
    expect(scale).toBeGreaterThan(0)
    const error = Math.max(...expected.map((value, i) => Math.abs(value - (found[i] ?? NaN))))
    expect(error / scale).toBeLessThan(5e-6)
  })
})
