import { expect } from 'vitest'
import { gradientOf } from '../../src/saliency/backward.ts'
import { evaluate } from '../../src/saliency/engines/reference.ts'
import { elements, type Node } from '../../src/saliency/graph.ts'

/** Holds the gradient of the sum of `objective` with respect to the input x against finite differences in float64. */
export function expectGradient(x: Node, objective: Node, random: () => number): void {
  const gradient = gradientOf(objective, x, 'none')
  const graph = {
    outputs: new Map([
      ['objective', objective],
      ['gradient', gradient],
    ]),
  }
  // float32 constants hold these values exactly enough; what matters is that both sides see the same ones.
  const at = Float64Array.from({ length: elements(x.shape) }, random)
  const value = (point: Float64Array): number => {
    const results = evaluate(graph, new Map([['x', point]])).get('objective') ?? new Float64Array()
    return results.reduce((a, b) => a + b, 0)
  }
  const computed = evaluate(graph, new Map([['x', at]])).get('gradient') ?? new Float64Array()
  const step = 1e-6
  let [error, scale] = [0, 0]
  for (let i = 0; i < at.length; i += Math.ceil(at.length / 40)) {
    const [up, down] = [at.slice(), at.slice()]
    up[i] = (up[i] ?? 0) + step
    down[i] = (down[i] ?? 0) - step
    const expected = (value(up) - value(down)) / (2 * step)
    error = Math.max(error, Math.abs(expected - (computed[i] ?? NaN)))
    scale = Math.max(scale, Math.abs(expected))
  }
  expect(error).toBeLessThanOrEqual(1e-6 * Math.max(1, scale))
}
