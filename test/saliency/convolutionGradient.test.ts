import { describe, expect, it } from 'vitest'
import { gradientOf } from '../../src/saliency/backward.ts'
import { openOnnxRuntime } from '../../src/saliency/engines/onnxruntime.ts'
import { evaluate } from '../../src/saliency/engines/reference.ts'
import { elements, topological, type Node, type Padding, type Pair } from '../../src/saliency/graph.ts'
import { constant, constantData, inputAt, make } from '../../src/saliency/ops.ts'
import { simplifyGradient, simplifyNetwork } from '../../src/saliency/simplify.ts'
import { randomConstant, seededRandom } from '../support/operationExamples.ts'

/** Relative to the largest value: float32 rounding of some hundred sums. */
const engineTolerance = 5e-6
/** In float64, though the weights that are rewritten are float32 exactly. */
const referenceTolerance = 1e-12

interface Case {
  readonly side: Pair
  readonly channels: Pair
  readonly kernel: Pair
  readonly strides: Pair
  readonly pads: Padding
  readonly groups: number
  readonly dilations?: Pair
}

/** What networks have, and shapes with remainders, uneven sides and uneven padding. */
const cases: readonly Case[] = [
  { side: [8, 8], channels: [16, 32], kernel: [3, 3], strides: [2, 2], pads: [1, 1, 1, 1], groups: 1 },
  { side: [9, 7], channels: [16, 8], kernel: [3, 3], strides: [2, 2], pads: [1, 1, 1, 1], groups: 1 },
  { side: [8, 7], channels: [16, 24], kernel: [1, 1], strides: [2, 2], pads: [0, 0, 0, 0], groups: 1 },
  { side: [13, 12], channels: [16, 8], kernel: [7, 7], strides: [2, 2], pads: [3, 3, 3, 3], groups: 1 },
  { side: [11, 14], channels: [17, 5], kernel: [5, 3], strides: [3, 2], pads: [2, 0, 1, 1], groups: 1 },
  { side: [9, 9], channels: [16, 4], kernel: [2, 2], strides: [2, 2], pads: [0, 1, 1, 0], groups: 1 },
  { side: [10, 9], channels: [24, 24], kernel: [3, 3], strides: [1, 1], pads: [1, 1, 1, 1], groups: 24 },
  { side: [10, 9], channels: [24, 24], kernel: [3, 3], strides: [2, 2], pads: [1, 1, 1, 1], groups: 24 },
  { side: [7, 6], channels: [32, 32], kernel: [3, 3], strides: [1, 1], pads: [1, 1, 1, 1], groups: 8 },
  { side: [7, 8], channels: [32, 64], kernel: [3, 3], strides: [2, 2], pads: [1, 1, 1, 1], groups: 8 },
  { side: [6, 6], channels: [12, 18], kernel: [3, 3], strides: [1, 1], pads: [1, 1, 1, 1], groups: 3 },
  { side: [6, 6], channels: [18, 12], kernel: [3, 1], strides: [2, 1], pads: [1, 0, 1, 0], groups: 6 },
  // Padding beyond what the kernel reaches.
  { side: [6, 7], channels: [4, 5], kernel: [2, 1], strides: [1, 1], pads: [3, 0, 1, 2], groups: 1 },
]

const dilatedCases: readonly (Case & { readonly dilations: Pair })[] = [
  { side: [9, 8], channels: [8, 6], kernel: [3, 3], strides: [1, 1], pads: [2, 2, 2, 2], groups: 1, dilations: [2, 2] },
  {
    side: [9, 8],
    channels: [16, 16],
    kernel: [3, 3],
    strides: [1, 1],
    pads: [4, 1, 3, 0],
    groups: 16,
    dilations: [4, 1],
  },
  {
    side: [9, 8],
    channels: [12, 6],
    kernel: [2, 3],
    strides: [1, 1],
    pads: [0, 7, 5, 2],
    groups: 3,
    dilations: [2, 3],
  },
]

describe('gradients of convolutions in their fast forms', () => {
  for (const example of cases) {
    it(`${JSON.stringify(example)}`, async () => {
      const random = seededRandom(example.kernel[0] * 100 + example.channels[0])
      const x = image(example)
      await expectSame(x, make('relu', [convolution(x, example, random)]), random)
    })
  }

  for (const example of dilatedCases) {
    it(`those of a kernel with zeros in its gaps: ${JSON.stringify(example)}`, async () => {
      const random = seededRandom(example.channels[0])
      const x = image(example)
      const y = convolution(x, example, random)
      const { strides, pads, groups, dilations } = example
      const inflated = make('conv', [x, withGaps(inputAt(y, 1), dilations)], { strides, pads, groups })
      expect(inflated.shape).toEqual(y.shape)
      await expectSame(x, make('relu', [y]), random, 'all', make('relu', [inflated]))
    })
  }

  it('a stride and dilations together are refused', () => {
    const example: Case = {
      side: [9, 9],
      channels: [2, 2],
      kernel: [3, 3],
      strides: [2, 1],
      pads: [0, 0, 0, 0],
      groups: 1,
      dilations: [1, 2],
    }
    expect(() => convolution(image(example), example, seededRandom(1))).toThrow(
      'conv with strides 2×1 takes no dilations',
    )
  })

  it('the three channels of an image keep the transposed form', () => {
    const example: Case = {
      side: [8, 8],
      channels: [3, 16],
      kernel: [7, 7],
      strides: [2, 2],
      pads: [3, 3, 3, 3],
      groups: 1,
    }
    const x = image(example)
    const swept = gradientOf(convolution(x, example, seededRandom(1)), x, 'all')
    expect(count(simplifyGradient([swept]).get(swept) ?? swept, 'convInputGradient')).toBe(1)
  })
})

describe('what follows a strided gradient is computed on its phases', () => {
  const plain: Case = {
    side: [9, 8],
    channels: [16, 16],
    kernel: [1, 1],
    strides: [1, 1],
    pads: [0, 0, 0, 0],
    groups: 1,
  }
  const strided: Case = { ...plain, kernel: [3, 3], strides: [2, 2], pads: [1, 1, 1, 1] }
  const shortcut: Case = { ...plain, strides: [2, 2] }

  for (const activation of ['relu', 'relu6', 'prelu'] as const) {
    for (const scope of ['all', 'none'] as const) {
      it(`a residual block that halves: ${activation}, scope ${scope}`, async () => {
        const random = seededRandom(7)
        const active = (y: Node): Node =>
          activation === 'prelu' ? make('prelu', [y, randomConstant(random, [y.shape[1] ?? 1])]) : make(activation, [y])
        const x = image(plain)
        const before = active(convolution(x, plain, random))
        const narrow = active(convolution(before, plain, random))
        const branch = convolution(narrow, strided, random)
        const y = active(make('add', [branch, convolution(before, shortcut, random)]))
        // Two interleaved gradients meet in their sum: one is left.
        const rewritten = await expectSame(x, y, random, scope)
        expect(count(rewritten, 'interleave')).toBe(1)
      })
    }
  }

  it('a 1×1 convolution that does not widen follows it too', async () => {
    const random = seededRandom(9)
    const x = image(plain)
    const wide = { ...plain, channels: [16, 48] as const }
    const depthwise = { ...strided, channels: [48, 48] as const, groups: 48 }
    const y = make('relu', [convolution(make('relu6', [convolution(x, wide, random)]), depthwise, random)])
    const rewritten = await expectSame(x, y, random)
    const [interleave] = topological([rewritten]).filter(({ op }) => op === 'interleave')
    expect(interleave?.shape[1]).toBe(16)
  })
})

function image({ side, channels }: Case): Node {
  return make('input', [], { name: 'x', shape: [2, channels[0], ...side], dtype: 'float32' })
}

function convolution(
  x: Node,
  { channels, kernel, strides, pads, groups, dilations }: Case,
  random: () => number,
): Node {
  const weight = randomConstant(random, [channels[1], channels[0] / groups, ...kernel])
  return make('conv', [x, weight], { strides, pads, groups, ...(dilations && { dilations }) })
}

/** A weight with zeros between its rows and columns. */
function withGaps(weight: Node, [down, right]: Pair): Node {
  const [outs = 1, ins = 1, height = 1, width = 1] = weight.shape
  const shape = [outs, ins, (height - 1) * down + 1, (width - 1) * right + 1] as const
  const wide = new Float32Array(elements(shape))
  constantData(weight).forEach((value, i) => {
    const [plane, row, column] = [Math.floor(i / (height * width)), Math.floor(i / width) % height, i % width]
    wide[(plane * shape[2] + row * down) * shape[3] + column * right] = value
  })
  return constant(wide, shape)
}

/** Holds the rewritten gradient of y against the sweep's own, or that of what gives the same, in float64 and on the engine that it is written for. */
async function expectSame(
  x: Node,
  y: Node,
  random: () => number,
  scope: 'all' | 'none' = 'all',
  alike = y,
): Promise<Node> {
  const weights = randomConstant(random, y.shape)
  const objective = make('mul', [y, weights])
  const plain = gradientOf(make('mul', [alike, weights]), x, scope)
  const simpler = simplifyNetwork([objective]).get(objective) ?? objective
  const swept = gradientOf(simpler, x, scope)
  const rewritten = simplifyGradient([swept]).get(swept) ?? swept
  expect(count(rewritten, 'convInputGradient')).toBe(0)
  const inputs = new Map([['x', Float32Array.from({ length: elements(x.shape) }, random)]])
  const of = (node: Node) => ({ outputs: new Map([['g', node]]) })
  const expected = evaluate(of(plain), inputs).get('g') ?? []
  expect(error(expected, evaluate(of(rewritten), inputs).get('g') ?? [])).toBeLessThanOrEqual(referenceTolerance)
  const executor = await openOnnxRuntime('cpu')(of(rewritten), { intraOpThreads: 1 })
  const results = await executor.run(inputs)
  await executor.dispose()
  expect(error(expected, results.get('g') ?? [])).toBeLessThanOrEqual(engineTolerance)
  return rewritten
}

function error(expected: ArrayLike<number>, found: ArrayLike<number>): number {
  if (found.length !== expected.length) return NaN
  let [largest, scale] = [0, 0]
  for (let i = 0; i < expected.length; i++) {
    const difference = Math.abs((expected[i] ?? NaN) - (found[i] ?? NaN))
    largest = difference <= largest ? largest : difference
    scale = Math.max(scale, Math.abs(expected[i] ?? NaN))
  }
  return largest / scale
}

function count(root: Node, op: string): number {
  return topological([root]).filter((node) => node.op === op).length
}
