import { describe, expect, it } from 'vitest'
import { float, floats, importedCase, itAgrees, weights, type Step } from '../../../support/onnxCase.ts'

describe('activations', () => {
  for (const operator of ['Relu', 'Sigmoid', 'Tanh', 'HardSwish', 'HardSigmoid', 'Elu', 'LeakyRelu']) {
    itAgrees(operator, { x: [2, 3], steps: [[operator, ['x'], 'y']] })
  }
  itAgrees('LeakyRelu with a slope', { x: [2, 3], steps: [['LeakyRelu', ['x'], 'y', { alpha: { float: 0.3 } }]] })
  itAgrees('Elu with alpha', { x: [2, 3], steps: [['Elu', ['x'], 'y', { alpha: { float: 0.3 } }]] })
  itAgrees('HardSigmoid with alpha and beta', {
    x: [2, 3],
    steps: [['HardSigmoid', ['x'], 'y', { alpha: { float: 2 }, beta: { float: 0.1 } }]],
  })
  for (const alpha of [1, 1.5]) {
    itAgrees(`QuickGelu with an alpha of ${alpha}`, {
      x: [2, 3],
      steps: [['com.microsoft.QuickGelu', ['x'], 'y', { alpha: { float: alpha } }]],
    })
  }
  itAgrees('PRelu of one slope', { x: [2, 3, 2, 2], steps: [['PRelu', ['x', floats(0.3)], 'y']] })
  itAgrees('PRelu of a slope for each channel', {
    x: [2, 3, 2, 2],
    steps: [['PRelu', ['x', weights(3, 1, 1)], 'y']],
  })
  itAgrees('PRelu of a slope for each channel, with an axis for images', {
    x: [2, 3, 2, 2],
    steps: [['PRelu', ['x', weights(1, 3, 1, 1)], 'y']],
  })
  itAgrees('PRelu of a vector', { x: [2, 3], steps: [['PRelu', ['x', weights(3)], 'y']] })
  itAgrees('Clip of operator set 7', {
    x: [2, 3],
    opset: 7,
    steps: [['Clip', ['x'], 'y', { min: { float: -0.2 }, max: { float: 0.3 } }]],
  })
  itAgrees('Clip to a least number', { x: [2, 3], steps: [['Clip', ['x', float(-0.2)], 'y']] })
  itAgrees('Clip to a largest number', { x: [2, 3], steps: [['Clip', ['x', '', float(0.2)], 'y']] })
  itAgrees('Clip without bounds', { x: [2, 3], opset: 7, steps: [['Clip', ['x'], 'y']] })
  for (const operator of ['Max', 'Min']) {
    itAgrees(`${operator} with 0`, { x: [2, 3], steps: [[operator, ['x', float(0)], 'y']] })
    itAgrees(`${operator} of two`, { x: [2, 3], steps: [[operator, ['x', weights(2, 3)], 'y']] })
    itAgrees(`${operator} that broadcasts`, { x: [2, 3], steps: [[operator, [weights(4, 1, 1), 'x'], 'y']] })
    itAgrees(`${operator} of three`, { x: [2, 3], steps: [[operator, ['x', weights(3), float(0.1)], 'y']] })
    itAgrees(`${operator} of one`, { x: [2, 3], steps: [[operator, ['x'], 'y']] })
  }
})

describe('which rows guided backpropagation can guide', () => {
  const rows: readonly (readonly [name: string, steps: readonly Step[], row: string])[] = [
    ['Relu', [['Relu', ['x'], 'y']], 'relu'],
    ['Max with 0', [['Max', ['x', float(0)], 'y']], 'relu'],
    ['Max with 0 first', [['Max', [floats(0), 'x'], 'y']], 'relu'],
    ['Clip from 0', [['Clip', ['x', float(0)], 'y']], 'relu'],
    ['Clip from 0 to the largest float32', [['Clip', ['x', float(0), float(3.4028234663852886e38)], 'y']], 'relu'],
    ['Clip from 0 to 6', [['Clip', ['x', float(0), float(6)], 'y']], 'relu6'],
    ['Clip from -1 to 1', [['Clip', ['x', float(-1), float(1)], 'y']], 'clip'],
    [
      'Min with 6 of a Relu',
      [
        ['Relu', ['x'], 'a'],
        ['Min', ['a', float(6)], 'y'],
      ],
      'relu6',
    ],
    [
      'Max with 0 of a Min with 6, as TensorFlow writes bounds',
      [
        ['Min', ['x', float(6)], 'a'],
        ['Max', ['a', float(0)], 'y'],
      ],
      'relu6',
    ],
    [
      'a hard sigmoid in that order',
      [
        ['Min', ['x', float(1)], 'a'],
        ['Max', ['a', float(0)], 'y'],
      ],
      'clip',
    ],
    [
      'the ReLU6 of x + 3 in that order',
      [
        ['Add', ['x', float(3)], 'a'],
        ['Min', ['a', float(6)], 'b'],
        ['Max', ['b', float(0)], 'y'],
      ],
      'clip',
    ],
    [
      'Clip at 6 of a Relu',
      [
        ['Relu', ['x'], 'a'],
        ['Clip', ['a', '', float(6)], 'y'],
      ],
      'relu6',
    ],
    ['Max with zeros for each channel', [['Max', ['x', floats(0, 0)], 'y']], 'relu'],
    ['Clip from 0 to the largest float16', [['Clip', ['x', float(0), float(65_504)], 'y']], 'relu'],
    [
      'Max of x and a tenth of it',
      [
        ['Mul', ['x', float(0.1)], 'a'],
        ['Max', ['a', 'x'], 'y'],
      ],
      'prelu',
    ],
    ['LeakyRelu', [['LeakyRelu', ['x'], 'y']], 'prelu'],
    ['LeakyRelu with a slope of 0', [['LeakyRelu', ['x'], 'y', { alpha: { float: 0 } }]], 'relu'],
    [
      'the ReLU6 of x + 3, a part of a hard-swish',
      [
        ['Add', ['x', float(3)], 'a'],
        ['Clip', ['a', float(0), float(6)], 'y'],
      ],
      'clip',
    ],
  ]
  it.each(rows)('%s', (_, steps, row) => {
    const value = importedCase({ x: [1, 3, 2, 2], steps }).get('y')
    expect(value?.kind === 'computed' ? value.node.op : value).toBe(row)
  })
  for (const [name, steps] of rows) itAgrees(`in numbers: ${name}`, { x: [1, 3, 2, 2], steps })

  it('a Relu with another bound behind it', () => {
    const value = importedCase({
      x: [1, 3],
      steps: [
        ['Relu', ['x'], 'a'],
        ['Clip', ['a', '', float(20)], 'y'],
      ],
    }).get('y')
    const node = value?.kind === 'computed' ? value.node : undefined
    expect([node?.op, node?.inputs[0]?.op]).toEqual(['clip', 'relu'])
  })

  it.each<[string, Step]>([
    ['divided by 6', ['Div', ['a', float(6)], 'y']],
    ['times a sixth', ['Mul', ['a', float(1 / 6)], 'y']],
  ])('not the ReLU6 of a hard sigmoid whose + 3 was folded away, %s', (_, last) => {
    const steps: Step[] = [['Clip', ['x', float(0), float(6)], 'a'], last]
    const value = importedCase({ x: [1, 3], steps }).get('y')
    expect(value?.kind === 'computed' ? value.node.inputs[0]?.op : value).toBe('clip')
  })
})
