import { describe, expect, it } from 'vitest'
import {
  bools,
  float,
  floats,
  importedCase,
  int,
  ints,
  itAgrees,
  weights,
  type Step,
} from '../../../support/onnxCase.ts'

describe('reshapes', () => {
  itAgrees('Reshape with 0 and -1', { x: [2, 3, 4], steps: [['Reshape', ['x', ints(0, -1)], 'y']] })
  itAgrees('Reshape to no axes', { x: [1, 1], steps: [['Reshape', ['x', ints()], 'y']] })
  itAgrees('Reshape with allowzero', { x: [2, 3], steps: [['Reshape', ['x', ints(3, 2)], 'y', { allowzero: 1 }]] })
  itAgrees('Flatten', { x: [2, 3, 4, 5], steps: [['Flatten', ['x'], 'y']] })
  itAgrees('Flatten from axis 0', { x: [2, 3, 4], steps: [['Flatten', ['x'], 'y', { axis: 0 }]] })
  itAgrees('Flatten past the last axis', { x: [2, 3, 4], steps: [['Flatten', ['x'], 'y', { axis: 3 }]] })
  itAgrees('Flatten from a negative axis', { x: [2, 3, 4], steps: [['Flatten', ['x'], 'y', { axis: -1 }]] })
  itAgrees('Squeeze of all axes', { x: [1, 3, 1, 2], steps: [['Squeeze', ['x'], 'y']] })
  itAgrees('Squeeze of operator set 11', {
    x: [1, 3, 1, 2],
    opset: 11,
    steps: [['Squeeze', ['x'], 'y', { axes: [0, -2] }]],
  })
  itAgrees('Squeeze of operator set 13', { x: [1, 3, 1, 2], opset: 13, steps: [['Squeeze', ['x', ints(2)], 'y']] })
  itAgrees('Unsqueeze of operator set 9', {
    x: [3, 2],
    opset: 9,
    steps: [['Unsqueeze', ['x'], 'y', { axes: [0, 3] }]],
  })
  itAgrees('Unsqueeze of operator set 13', { x: [3, 2], opset: 13, steps: [['Unsqueeze', ['x', ints(-1, 1)], 'y']] })
})

describe('transposes', () => {
  itAgrees('Transpose', { x: [2, 3, 4], steps: [['Transpose', ['x'], 'y', { perm: [1, 2, 0] }]] })
  itAgrees('Transpose that reverses', { x: [2, 3, 4], steps: [['Transpose', ['x'], 'y']] })
  itAgrees('a Transpose of a Transpose', {
    x: [2, 3, 4, 5],
    steps: [
      ['Transpose', ['x'], 'a', { perm: [0, 2, 3, 1] }],
      ['Transpose', ['a'], 'y', { perm: [3, 0, 2, 1] }],
    ],
  })
})

describe('parts', () => {
  itAgrees('Split in equal parts', {
    x: [2, 6],
    opset: 11,
    outputs: ['a', 'b', 'c'],
    steps: [['Split', ['x'], ['a', 'b', 'c'], { axis: 1 }]],
  })
  itAgrees('Split of operator set 11', {
    x: [5, 2],
    opset: 11,
    outputs: ['a', 'b'],
    steps: [['Split', ['x'], ['a', 'b'], { split: [2, 3] }]],
  })
  itAgrees('Split of operator set 13', {
    x: [2, 5],
    opset: 13,
    outputs: ['a', 'b'],
    steps: [['Split', ['x', ints(4, 1)], ['a', 'b'], { axis: -1 }]],
  })
  itAgrees('Split of operator set 18 that does not come out even', {
    x: [2, 7],
    opset: 18,
    outputs: ['a', 'b', 'c'],
    steps: [['Split', ['x'], ['a', 'b', 'c'], { axis: 1, num_outputs: 3 }]],
  })
  itAgrees('Slice of operator set 9', {
    x: [4, 5, 6],
    opset: 9,
    steps: [['Slice', ['x'], 'y', { axes: [0, 2], starts: [1, -3], ends: [3, Infinity] }]],
  })
  itAgrees('Slice of the first axes', { x: [4, 5], steps: [['Slice', ['x', ints(1, 2), ints(-1, 4)], 'y']] })
  itAgrees('Slice with steps', {
    x: [7, 8, 9],
    steps: [['Slice', ['x', ints(1, 0, 2), ints(Infinity, Infinity, 8), ints(0, 1, 2), ints(2, 3, 4)], 'y']],
  })
  itAgrees('Slice of every second row and column', {
    x: [1, 3, 8, 7],
    steps: [['Slice', ['x', ints(0, 1), ints(Infinity, Infinity), ints(2, 3), ints(2, 2)], 'y']],
  })
  itAgrees('Slice backwards', {
    x: [2, 5],
    steps: [['Slice', ['x', ints(-1), ints(-Infinity), ints(1), ints(-1)], 'y']],
  })
  itAgrees('Slice backwards with a step', {
    x: [2, 8],
    steps: [['Slice', ['x', ints(6), ints(0), ints(1), ints(-2)], 'y']],
  })
  itAgrees('Gather of runs', { x: [2, 6, 3], steps: [['Gather', ['x', ints(1, 2, 3, 0, -1)], 'y', { axis: 1 }]] })
  itAgrees('Gather of one run', { x: [6, 3], steps: [['Gather', ['x', ints(2, 3)], 'y']] })
  itAgrees('Gather of one index', { x: [2, 6, 3], steps: [['Gather', ['x', int(-2)], 'y', { axis: 1 }]] })
  itAgrees('Gather with a matrix of indices', {
    x: [2, 6],
    steps: [['Gather', ['x', { type: 'int64', shape: [2, 2], data: [5, 0, 1, 1] }], 'y', { axis: -1 }]],
  })
})

describe('a split', () => {
  it.each([
    ['of other parts than it has outputs', ints(2, 2, 2), {}],
    ['of a number of parts that no file has', undefined, { num_outputs: 100_000 }],
  ])('%s is not read', (_, sizes, attributes) => {
    const inputs = sizes === undefined ? ['x'] : ['x', sizes]
    const steps: Step[] = [['Split', inputs, ['y', 'z'], attributes]]
    expect(importedCase({ x: [6, 2], opset: 18, steps }).get('y')).toMatchObject({ kind: 'unavailable' })
  })
})

describe('joins and repeats', () => {
  itAgrees('Concat', { x: [2, 3], steps: [['Concat', ['x', weights(2, 2), 'x'], 'y', { axis: -1 }]] })
  itAgrees('Concat of rows', { x: [2, 3], steps: [['Concat', ['x', weights(4, 3)], 'y', { axis: 0 }]] })
  itAgrees('Concat with an empty part', {
    x: [2, 3],
    steps: [['Concat', ['x', { type: 'float', shape: [2, 0], data: [] }], 'y', { axis: 1 }]],
  })
  itAgrees('Expand', { x: [3, 1], steps: [['Expand', ['x', ints(2, 1, 4)], 'y']] })
  itAgrees('Expand to less', { x: [3, 4], steps: [['Expand', ['x', ints(1)], 'y']] })
  itAgrees('Tile', { x: [2, 1, 3], steps: [['Tile', ['x', ints(2, 4, 1)], 'y']] })
})

describe('what keeps the numbers', () => {
  itAgrees('Identity', { x: [2, 3], steps: [['Identity', ['x'], 'y']] })
  itAgrees('Dropout', { x: [2, 3], opset: 11, steps: [['Dropout', ['x'], 'y', { ratio: { float: 0.5 } }]] })
  itAgrees('Dropout of operator set 13', {
    x: [2, 3],
    opset: 13,
    steps: [['Dropout', ['x', float(0.5), { type: 'bool', shape: [], data: [0] }], 'y']],
  })
  itAgrees('Cast to double and back', {
    x: [2, 3],
    steps: [
      ['Cast', ['x'], 'a', { to: 11 }],
      ['Cast', ['a'], 'y', { to: 1 }],
    ],
  })
  itAgrees('CastLike', { x: [2, 3], steps: [['CastLike', ['x', floats(1)], 'y']] })
  itAgrees('Where with a known condition', {
    x: [2, 3],
    steps: [['Where', [bools(1, 0, 1), 'x', weights(2, 3)], 'y']],
  })
  itAgrees('Where with a condition that always holds', {
    x: [1, 3],
    steps: [['Where', [bools(1), 'x', weights(2, 1)], 'y']],
  })
  itAgrees('Where that asks for NaN', {
    x: [2, 3],
    steps: [
      ['IsNaN', ['x'], 'nan'],
      ['Where', ['nan', float(0), 'x'], 'y'],
    ],
  })
  itAgrees('Where that masks with infinity', {
    x: [2, 3],
    steps: [['Where', [bools(1, 0, 1), 'x', float(-Infinity)], 'y']],
  })
})
