import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { z } from 'zod'
import { gradientOf } from '../../src/saliency/backward.ts'
import { evaluate } from '../../src/saliency/engines/reference.ts'
import type { Node } from '../../src/saliency/graph.ts'
import { constant, make } from '../../src/saliency/ops.ts'

const numbers = z.array(z.number())

/** Made by test/golden/networks/consumers.py. */
const golden = z
  .object({
    side: z.int(),
    image: numbers,
    first: numbers,
    second: numbers,
    weights: numbers,
    right: numbers,
    input_hook: numbers,
  })
  .parse(JSON.parse(readFileSync(new URL('../golden/networks/consumers.json', import.meta.url), 'utf8')))

test('a ReLU whose input goes elsewhere is guided as in PyTorch, where a hook on its input tensor is far off', () => {
  const { side, image, first, second, weights, right, input_hook: hooked } = golden
  const conv = (input: Node, kernel: readonly number[], channels: number): Node =>
    make('conv', [input, constant(kernel, [4, channels, 3, 3])], { strides: [1, 1], pads: [1, 1, 1, 1], groups: 1 })
  const x = make('input', [], { name: 'x', shape: [1, 3, side, side], dtype: 'float32' })
  const before = conv(x, first, 3)
  const after = conv(make('add', [make('relu', [before]), before]), second, 4)
  const objective = make('mul', [make('relu', [after]), constant(weights, [1, 4, side, side])])
  const graph = { outputs: new Map([['gradient', gradientOf(objective, x, 'all')]]) }
  const found = [...(evaluate(graph, new Map([['x', image]])).get('gradient') ?? [])]
  expect(relativeL2(found, right)).toBeLessThan(1e-6)
  expect(relativeL2(hooked, right)).toBeGreaterThan(0.4)
})

function relativeL2(found: readonly number[], expected: readonly number[]): number {
  expect(found).toHaveLength(expected.length)
  const norm = (values: readonly number[]): number => Math.hypot(...values)
  return norm(found.map((value, at) => value - (expected[at] ?? NaN))) / norm(expected)
}
