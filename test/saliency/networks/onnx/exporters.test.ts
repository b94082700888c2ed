import { describe, expect, it } from 'vitest'
import { float, importedCase, int, ints, itAgrees, weights, type Step } from '../../../support/onnxCase.ts'

// What exporters make of a line of Python: long chains of shape arithmetic, which must be worked out on reading.

describe('the shape arithmetic of exporters', () => {
  itAgrees('x.view(x.size(0), -1) of torch.onnx', {
    x: [2, 3, 4, 4],
    steps: [
      ['Shape', ['x'], 'shape'],
      ['Gather', ['shape', int(0)], 'batch', { axis: 0 }],
      ['Unsqueeze', ['batch', ints(0)], 'first'],
      ['Concat', ['first', ints(-1)], 'target', { axis: 0 }],
      ['Reshape', ['x', 'target'], 'y'],
    ],
  })
  itAgrees('x.view(x.size(0), -1) of operator set 9', {
    x: [2, 3, 4, 4],
    opset: 9,
    steps: [
      ['Shape', ['x'], 'shape'],
      ['Constant', [], 'zero', { value: int(0) }],
      ['Gather', ['shape', 'zero'], 'batch', { axis: 0 }],
      ['Constant', [], 'rest', { value: int(-1) }],
      ['Unsqueeze', ['batch'], 'first', { axes: [0] }],
      ['Unsqueeze', ['rest'], 'second', { axes: [0] }],
      ['Concat', ['first', 'second'], 'target', { axis: 0 }],
      ['Reshape', ['x', 'target'], 'y'],
    ],
  })
  itAgrees('torch.flatten(x, 1) by slices of the shape', {
    x: [2, 3, 4, 4],
    opset: 11,
    steps: [
      ['Shape', ['x'], 'shape'],
      ['Slice', ['shape', ints(0), ints(1), ints(0)], 'lead'],
      ['Concat', ['lead', ints(-1)], 'target', { axis: 0 }],
      ['Reshape', ['x', 'target'], 'y'],
    ],
  })
  itAgrees('the product of the sides, as Keras writes Flatten', {
    x: [2, 4, 4, 3],
    opset: 15,
    steps: [
      ['Shape', ['x'], 'shape'],
      ['Cast', ['shape'], 'whole', { to: 6 }],
      ['Slice', ['whole', ints(1), ints(Infinity), ints(0)], 'sides'],
      ['ReduceProd', ['sides'], 'count', { axes: [0], keepdims: 1 }],
      ['Slice', ['whole', ints(0), ints(1), ints(0)], 'batch'],
      ['Concat', ['batch', 'count'], 'target', { axis: 0 }],
      ['Cast', ['target'], 'wide', { to: 7 }],
      ['Reshape', ['x', 'wide'], 'y'],
    ],
  })
  itAgrees("ShuffleNet's shuffle of channels", {
    x: [2, 6, 3, 3],
    steps: [
      ['Shape', ['x'], 'shape'],
      ['Gather', ['shape', int(1)], 'channels'],
      ['Div', ['channels', int(2)], 'half'],
      ['Gather', ['shape', int(0)], 'n'],
      ['Gather', ['shape', int(2)], 'h'],
      ['Gather', ['shape', int(3)], 'w'],
      ...unsqueezed('n', 'half', 'h', 'w'),
      ['Concat', ['n1', ints(2), 'half1', 'h1', 'w1'], 'apart', { axis: 0 }],
      ['Reshape', ['x', 'apart'], 'groups'],
      ['Transpose', ['groups'], 'swapped', { perm: [0, 2, 1, 3, 4] }],
      ['Concat', ['n1', ints(-1), 'h1', 'w1'], 'together', { axis: 0 }],
      ['Reshape', ['swapped', 'together'], 'y'],
    ],
  })
  itAgrees('x.chunk(2, dim=1) with computed bounds', {
    x: [1, 6, 2, 2],
    outputs: ['a', 'b'],
    steps: [
      ['Shape', ['x'], 'shape'],
      ['Gather', ['shape', ints(1)], 'channels'],
      ['Add', ['channels', ints(1)], 'more'],
      ['Div', ['more', ints(2)], 'size'],
      ['Mul', ['size', ints(1)], 'middle'],
      ['Slice', ['x', ints(0), 'middle', ints(1)], 'a'],
      ['Mul', ['size', ints(2)], 'end'],
      ['Slice', ['x', 'middle', 'end', ints(1)], 'b'],
    ],
  })
  itAgrees('x.expand(…) of the dynamo exporter', {
    x: [1, 3, 1, 1],
    steps: [
      ['Shape', [ints(1, 1, 1, 1)], 'rank'],
      ['ConstantOfShape', ['rank'], 'ones', { value: ints(1) }],
      ['Mul', ['ones', ints(-1)], 'minus'],
      ['Equal', [ints(2, -1, 4, 5), 'minus'], 'open'],
      ['Where', ['open', 'ones', ints(2, -1, 4, 5)], 'target'],
      ['Expand', ['x', 'target'], 'y'],
    ],
  })
  itAgrees('F.interpolate(x, scale_factor=2) with computed sizes', {
    x: [1, 2, 3, 4],
    opset: 11,
    steps: [
      ['Shape', ['x'], 'shape'],
      ['Slice', ['shape', ints(2), ints(4), ints(0)], 'sides'],
      ['Cast', ['sides'], 'floats', { to: 1 }],
      ['Mul', ['floats', float(2)], 'doubled'],
      ['Floor', ['doubled'], 'floored'],
      ['Cast', ['floored'], 'whole', { to: 7 }],
      ['Slice', ['shape', ints(0), ints(2), ints(0)], 'lead'],
      ['Concat', ['lead', 'whole'], 'sizes', { axis: 0 }],
      [
        'Resize',
        ['x', { type: 'float', shape: [0], data: [] }, { type: 'float', shape: [0], data: [] }, 'sizes'],
        'y',
        { mode: 'nearest', coordinate_transformation_mode: 'asymmetric', nearest_mode: 'floor' },
      ],
    ],
  })
  itAgrees('F.pad of operator set 11, whose order of pads is turned round', {
    x: [1, 2, 3, 4],
    opset: 11,
    steps: [
      ['ConstantOfShape', [ints(4)], 'zeros', { value: ints(0) }],
      ['Concat', [ints(1, 2, 0, 1), 'zeros'], 'all', { axis: 0 }],
      ['Reshape', ['all', ints(-1, 2)], 'pairs'],
      ['Slice', ['pairs', ints(-1), ints(-Infinity), ints(0), ints(-1)], 'turned'],
      ['Transpose', ['turned'], 'across', { perm: [1, 0] }],
      ['Reshape', ['across', ints(-1)], 'pads'],
      ['Cast', ['pads'], 'wide', { to: 7 }],
      ['Pad', ['x', 'wide', float(0)], 'y', { mode: 'constant' }],
    ],
  })
  itAgrees("torchvision's transform_input of GoogLeNet", {
    x: [1, 3, 2, 2],
    steps: [
      ['Gather', ['x', int(0)], 'red', { axis: 1 }],
      ['Unsqueeze', ['red', ints(1)], 'r'],
      ['Mul', ['r', float(0.458)], 'scaled'],
      ['Add', ['scaled', float(-0.03)], 'first'],
      ['Gather', ['x', ints(1, 2)], 'rest', { axis: 1 }],
      ['Concat', ['first', 'rest'], 'y', { axis: 1 }],
    ],
  })
  itAgrees('torch.atan2 of torch.onnx', {
    x: [6, 2],
    steps: [
      ['Gather', ['x', int(0)], 'a', { axis: 1 }],
      ['Gather', ['x', int(1)], 'b', { axis: 1 }],
      ['Div', ['a', 'b'], 'slope'],
      ['Atan', ['slope'], 'angle'],
      ['Greater', ['a', float(0)], 'above'],
      ['Add', ['angle', float(Math.fround(Math.PI))], 'plus'],
      ['Sub', ['angle', float(Math.fround(Math.PI))], 'minus'],
      ['Where', ['above', 'plus', 'minus'], 'turned'],
      ['Less', ['b', float(0)], 'behind'],
      ['Where', ['behind', 'turned', 'angle'], 'y'],
    ],
  })
  for (const width of [1, 2]) {
    itAgrees(`a question about a width of ${width}, as torch.onnx writes x.squeeze()`, {
      x: [2, 3, 2, width],
      steps: [
        ['Shape', ['x'], 'shape'],
        ['Gather', ['shape', int(3)], 'width'],
        ['Equal', ['width', int(1)], 'isOne'],
        [
          'If',
          ['isOne'],
          'answer',
          {
            then_branch: { steps: [['Mul', ['x', float(2)], 'a']], output: 'a' },
            else_branch: { steps: [['Identity', ['x'], 'a']], output: 'a' },
          },
        ],
        ['Neg', ['answer'], 'y'],
      ],
    })
  }
  itAgrees('a GroupNorm of torch.onnx', {
    x: [2, 6, 3, 3],
    steps: [
      ['Reshape', ['x', ints(0, 2, -1)], 'grouped'],
      ['InstanceNormalization', ['grouped', weights(2), weights(2)], 'even'],
      ['Shape', ['x'], 'shape'],
      ['Reshape', ['even', 'shape'], 'back'],
      ['Mul', ['back', weights(6, 1, 1)], 'scaled'],
      ['Add', ['scaled', weights(6, 1, 1)], 'y'],
    ],
  })
})

describe('what is read in fewer rows than a file has nodes', () => {
  function nodeOf(x: readonly number[], steps: readonly Step[]) {
    const value = importedCase({ x, steps }).get('y')
    if (value?.kind !== 'computed') throw new Error('not computed')
    return value.node
  }

  it('two transposes that undo each other vanish', () => {
    const steps: Step[] = [
      ['Transpose', ['x'], 'a', { perm: [0, 2, 3, 1] }],
      ['Transpose', ['a'], 'y', { perm: [0, 3, 1, 2] }],
    ]
    expect(nodeOf([1, 3, 4, 4], steps).op).toBe('input')
  })

  it('two reshapes are one, and none where the shape is the first again', () => {
    const steps: Step[] = [
      ['Flatten', ['x'], 'a'],
      ['Unsqueeze', ['a', ints(2)], 'y'],
    ]
    const node = nodeOf([1, 3, 4, 4], steps)
    expect([node.op, node.inputs[0]?.op, node.shape]).toEqual(['reshape', 'input', [1, 48, 1]])
    const back: Step[] = [
      ['Flatten', ['x'], 'a'],
      ['Reshape', ['a', ints(1, 3, 4, 4)], 'y'],
    ]
    expect(nodeOf([1, 3, 4, 4], back).op).toBe('input')
  })

  it('a factor and a bias for each channel are a batch norm, as which a convolution takes them', () => {
    const steps: Step[] = [
      ['Mul', [weights(3, 1, 1), 'x'], 'a'],
      ['Add', ['a', weights(1, 3, 1, 1)], 'y'],
    ]
    expect(nodeOf([1, 3, 4, 4], steps).op).toBe('batchNorm')
  })
})

it('a branch that depends on the image is not read', () => {
  const branch = (from: string) => ({ steps: [['Identity', [from], 'a'] as const], output: 'a' })
  const steps: Step[] = [
    ['ReduceMax', ['x'], 'largest', { keepdims: 0 }],
    ['Less', ['largest', float(1)], 'isDark'],
    ['If', ['isDark'], 'y', { then_branch: branch('x'), else_branch: branch('x') }],
  ]
  expect(importedCase({ x: [1, 3, 2, 2], steps }).get('y')).toEqual({
    kind: 'unavailable',
    why: 'the operator If, which headlight does not compute',
    operator: 'If',
  })
})

describe('sizes that no memory holds', () => {
  const vast = 2 ** 40
  const large: Step = ['ConstantOfShape', [ints(1.5e8)], 'large']
  const cases: readonly (readonly [name: string, steps: readonly Step[]])[] = [
    ['ConstantOfShape', [['ConstantOfShape', [ints(vast)], 'y']]],
    ['ConstantOfShape of many axes', [['ConstantOfShape', [ints(70_000, 70_000, 70_000)], 'y']]],
    ['Range', [['Range', [int(0), int(vast), int(1)], 'y']]],
    ['Expand', [['Expand', ['x', ints(vast, 3, 4, 4)], 'y']]],
    ['Tile', [['Tile', ['x', ints(vast, 1, 1, 1)], 'y']]],
    ['Pad', [['Pad', ['x', ints(0, 0, vast, 0, 0, 0, 0, 0), float(1)], 'y']]],
    ['Pad that continues', [['Pad', ['x', ints(0, 0, vast, 0, 0, 0, 0, 0), float(1)], 'y', { mode: 'edge' }]]],
    ['Resize', [['Resize', ['x', '', '', ints(1, 3, vast, vast)], 'y', { mode: 'linear' }]]],
    [
      'many constants',
      Array.from({ length: 5 }, (_, i): Step => ['ConstantOfShape', [ints(2 ** 26)], i < 4 ? `a${i}` : 'y']),
    ],
    // What follows fits, and would take seconds to work out each time that the network is built.
    ['a sum', [large, ['Add', ['large', 'large'], 'y']]],
    ['a mean', [large, ['ReduceMean', ['large'], 'y']]],
    ['NonZero', [large, ['NonZero', ['large'], 'y']]],
    // One node for each part.
    ['Gather', [['Gather', ['x', ints(...new Array<number>(60_000).fill(0))], 'y', { axis: 3 }]]],
    ['Resize of one side', [['Resize', ['x', '', '', ints(1, 3, 2 ** 20, 4)], 'y', { mode: 'linear' }]]],
  ]
  it.each(cases)('%s is not read', (_, steps) => {
    expect(importedCase({ x: [1, 3, 4, 4], steps }).get('y')?.kind).toBe('unavailable')
  })
  it.each(cases.slice(3, 8))('%s of weights is not read', (_, steps) => {
    expect(importedCase({ x: [1, 3, 4, 4], steps }, 'weights').get('y')?.kind).toBe('unavailable')
  })
})

/** Each name as a vector, with 1 appended to its name. */
function unsqueezed(...names: readonly string[]): Step[] {
  return names.map((name) => ['Unsqueeze', [name, ints(0)], `${name}1`])
}
