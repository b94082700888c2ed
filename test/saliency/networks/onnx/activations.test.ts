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
    ['LeakyRelu', [['LeakyRelu', ['x'], 'y']], 'prelu'],
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
})
