import { describe, expect, it } from 'vitest'
import { gradientOf } from '../../../../src/saliency/backward.ts'
import { findEngine } from '../../../../src/saliency/engines/openEngine.ts'
import { evaluate } from '../../../../src/saliency/engines/reference.ts'
import { elements, topological, type Graph, type Node, type Shape } from '../../../../src/saliency/graph.ts'
import { make } from '../../../../src/saliency/ops.ts'
import { simplifyGradient, simplifyNetwork } from '../../../../src/saliency/simplify.ts'
import { expectGradient } from '../../../support/expectGradient.ts'
import { bools, float, floats, importedCase, ints, weights, type Step } from '../../../support/onnxCase.ts'
import { randomConstant, seededRandom } from '../../../support/operationExamples.ts'

const cases: readonly (readonly [name: string, x: Shape, steps: readonly Step[], opset?: number])[] = [
  [
    'Conv, dilated',
    [1, 2, 6, 6],
    [['Conv', ['x', weights(3, 2, 3, 3)], 'y', { dilations: [2, 1], pads: [2, 1, 2, 1] }]],
  ],
  [
    'Conv, dilated and strided',
    [1, 2, 7, 6],
    [['Conv', ['x', weights(3, 2, 3, 3)], 'y', { dilations: [2, 2], strides: [2, 2], pads: [2, 2, 2, 2] }]],
  ],
  [
    'ConvTranspose',
    [1, 4, 3, 3],
    [['ConvTranspose', ['x', weights(4, 3, 2, 3)], 'y', { group: 2, strides: [2, 3], output_padding: [1, 2] }]],
  ],
  [
    'MaxPool with ceil_mode',
    [1, 2, 6, 7],
    [['MaxPool', ['x'], 'y', { kernel_shape: [3, 3], strides: [2, 2], pads: [1, 0, 1, 0], ceil_mode: 1 }]],
  ],
  [
    'AveragePool that overlaps and does not count its padding',
    [1, 2, 6, 7],
    [['AveragePool', ['x'], 'y', { kernel_shape: [3, 3], strides: [2, 2], pads: [1, 1, 1, 1] }]],
  ],
  ['Resize linear', [1, 2, 3, 4], [['Resize', ['x', '', '', ints(1, 2, 5, 7)], 'y', { mode: 'linear' }]]],
  ['Resize nearest', [1, 2, 3, 4], [['Resize', ['x', '', floats(1, 1, 2, 1.5)], 'y']]],
  ['DepthToSpace', [1, 8, 2, 3], [['DepthToSpace', ['x'], 'y', { blocksize: 2, mode: 'CRD' }]]],
  ['SpaceToDepth', [1, 3, 4, 6], [['SpaceToDepth', ['x'], 'y', { blocksize: 2 }]]],
  ['Slice with steps', [1, 5, 8], [['Slice', ['x', ints(-1, 1), ints(-Infinity, 8), ints(1, 2), ints(-2, 3)], 'y']]],
  ['Gather', [2, 6], [['Gather', ['x', ints(3, 2, 1, 5, 1)], 'y', { axis: 1 }]]],
  ['Pad reflect', [1, 2, 4, 4], [['Pad', ['x', ints(0, 0, 2, 1, 0, 0, 1, 3)], 'y', { mode: 'reflect' }]]],
  ['Pad with a value', [1, 2, 3, 3], [['Pad', ['x', ints(0, 0, -1, 1, 0, 0, 1, 2), float(3)], 'y']]],
  [
    'Tile and Expand',
    [2, 1, 3],
    [
      ['Tile', ['x', ints(2, 1, 2)], 'a'],
      ['Expand', ['a', ints(4, 2, 6)], 'y'],
    ],
  ],
  [
    'Where',
    [2, 3],
    [
      ['Where', [bools(1, 0, 1), 'x', float(-Infinity)], 'a'],
      ['Exp', ['a'], 'y'],
    ],
  ],
  ['ReduceMax', [2, 3, 4, 5], [['ReduceMax', ['x'], 'y', { axes: [1, 3] }]]],
  ['ReduceMin of a plane', [2, 3, 4, 5], [['ReduceMin', ['x'], 'y', { axes: [2, 3], keepdims: 0 }]]],
  ['ReduceMean over two of three sides', [1, 2, 3, 2, 4], [['ReduceMean', ['x'], 'y', { axes: [2, 3] }]]],
  ['ReduceL1', [2, 3, 4], [['ReduceL1', ['x'], 'y', { axes: [1] }]]],
  ['ReduceL2', [2, 3, 4], [['ReduceL2', ['x'], 'y', { axes: [1] }]]],
  ['Softmax along the channels', [1, 3, 2, 2], [['Softmax', ['x'], 'y', { axis: 1 }]]],
  ['Softmax of operator set 11', [2, 3, 2], [['Softmax', ['x'], 'y']], 11],
  ['InstanceNormalization', [2, 3, 3, 2], [['InstanceNormalization', ['x', weights(3), weights(3)], 'y']]],
  ['LayerNormalization', [2, 3, 4], [['LayerNormalization', ['x', weights(4)], 'y']]],
  [
    'GroupNormalization',
    [1, 6, 2, 2],
    [['GroupNormalization', ['x', weights(3), weights(3)], 'y', { num_groups: 3 }]],
    18,
  ],
  ['LpNormalization', [2, 4], [['LpNormalization', ['x'], 'y']]],
  [
    'BatchNormalization of a vector',
    [2, 3],
    [['BatchNormalization', ['x', weights(3), weights(3), weights(3), floats(1, 2, 3)], 'y']],
  ],
  [
    'a factor and a bias for each channel',
    [1, 3, 2, 2],
    [
      ['Mul', ['x', weights(3, 1, 1)], 'a'],
      ['Add', ['a', weights(3, 1, 1)], 'y'],
    ],
  ],
  ['LRN', [1, 6, 2, 2], [['LRN', ['x'], 'y', { size: 3, alpha: { float: 0.5 } }]]],
  ['Pow of -1, of numbers on both sides of 0', [2, 3], [['Pow', ['x', float(-1)], 'y']]],
  ['Pow of -2, of numbers on both sides of 0', [2, 3], [['Pow', ['x', float(-2)], 'y']]],
  [
    'Pow',
    [2, 3],
    [
      ['Exp', ['x'], 'a'],
      ['Pow', ['a', float(-1.5)], 'b'],
      ['Pow', ['x', float(3)], 'c'],
      ['Mul', ['b', 'c'], 'y'],
    ],
  ],
  [
    'Div of two',
    [2, 3],
    [
      ['Exp', ['x'], 'a'],
      ['Reciprocal', ['a'], 'b'],
      ['Div', ['b', 'a'], 'c'],
      ['Sub', ['c', 'x'], 'y'],
    ],
  ],
  [
    'Abs, Max and Min',
    [2, 3],
    [
      ['Abs', ['x'], 'a'],
      ['Max', ['a', weights(3)], 'b'],
      ['Neg', ['x'], 'c'],
      ['Min', ['b', 'c'], 'y'],
    ],
  ],
  [
    'Elu and HardSwish',
    [2, 3],
    [
      ['Elu', ['x'], 'a'],
      ['HardSwish', ['a'], 'y'],
    ],
  ],
  [
    'Atan and a condition',
    [2, 3],
    [
      ['Atan', ['x'], 'a'],
      ['Less', ['x', float(0.1)], 'b'],
      ['Where', ['b', 'a', 'x'], 'y'],
    ],
  ],
  [
    'Sum and Mean',
    [2, 3],
    [
      ['Sum', ['x', weights(3), 'x'], 'a'],
      ['Mean', ['a', 'x'], 'y'],
    ],
  ],
  [
    'MatMul of two',
    [2, 3, 4],
    [
      ['Transpose', ['x'], 'a', { perm: [0, 2, 1] }],
      ['MatMul', ['x', 'a'], 'y'],
    ],
  ],
  ['Gemm of two', [3, 3], [['Gemm', ['x', 'x', 'x'], 'y', { transA: 1, alpha: { float: 0.5 } }]]],
  [
    'Split and Concat',
    [1, 6, 2],
    [
      ['Split', ['x'], ['a', 'b', 'c'], { axis: 1 }],
      ['Concat', ['c', weights(1, 1, 2), 'a'], 'y', { axis: 1 }],
    ],
    11,
  ],
]

/** The image and what comes of it. */
function nodesOf(x: Shape, steps: readonly Step[], opset: number): { readonly image: Node; readonly y: Node } {
  const value = importedCase({ x, steps, opset }).get('y')
  if (value?.kind !== 'computed') throw new Error(value?.kind === 'unavailable' ? value.why : 'not computed')
  const image = topological([value.node]).find(({ op }) => op === 'input')
  if (image === undefined) throw new Error('no image')
  return { image, y: value.node }
}

describe('gradients of ONNX operators against finite differences in float64', () => {
  for (const [name, x, steps, opset = 17] of cases) {
    it(`of ${name}`, () => {
      const { image, y } = nodesOf(x, steps, opset)
      const random = seededRandom(x.length)
      expectGradient(image, make('mul', [y, randomConstant(random, y.shape)]), random)
    })
  }
})

describe.each(['onnxruntime:cpu', 'tfjs:wasm'])('ONNX operators on %s, simplified as in a run', (engine) => {
  for (const [name, x, steps, opset = 17] of cases) {
    it(`${name} and its gradient`, async () => {
      const { image, y } = nodesOf(x, steps, opset)
      const random = seededRandom(x.length)
      const weight = randomConstant(random, y.shape)
      const pixels = Float32Array.from({ length: elements(x) }, random)
      const expected = evaluate(withGradient(y, weight, image), new Map([['x', pixels]]))

      const simpler = simplifyNetwork([y]).get(y) ?? y
      const { outputs } = withGradient(simpler, weight, image)
      const simplest = simplifyGradient([...outputs.values()])
      const graph = { outputs: new Map([...outputs].map(([output, node]) => [output, simplest.get(node) ?? node])) }
      const open = await findEngine(engine)
      const executor = await open(graph, { intraOpThreads: 1 })
      const found = await executor.run(new Map([['x', pixels]]))
      await executor.dispose()
      for (const [output, right] of expected) {
        const ours = found.get(output) ?? []
        const scale = right.reduce((largest, value) => Math.max(largest, Math.abs(value)), 1e-6)
        const errors = right.map((value, i) => Math.abs(value - (ours[i] ?? NaN)))
        expect(errors.reduce((a, b) => Math.max(a, b)) / scale).toBeLessThanOrEqual(1e-4)
      }
    })
  }
})

function withGradient(y: Node, weight: Node, image: Node): Graph {
  const gradient = gradientOf(make('mul', [y, weight]), image, 'none')
  return {
    outputs: new Map([
      ['value', y],
      ['gradient', gradient],
    ]),
  }
}
