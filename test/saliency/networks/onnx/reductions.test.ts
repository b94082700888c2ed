import { describe } from 'vitest'
import { ints, itAgrees, itIsKnown, weights } from '../../../support/onnxCase.ts'

describe('reductions', () => {
  for (const operator of [
    'ReduceMean',
    'ReduceSumSquare',
    'ReduceL1',
    'ReduceL2',
    'ReduceMax',
    'ReduceMin',
    'ReduceSum',
  ]) {
    const isSum = operator === 'ReduceSum'
    itAgrees(`${operator} over a plane`, {
      x: [2, 3, 4, 5],
      opset: isSum ? 11 : 17,
      steps: [[operator, ['x'], 'y', { axes: [2, 3] }]],
    })
    itAgrees(`${operator} over a plane that goes`, {
      x: [2, 3, 4, 5],
      opset: 11,
      steps: [[operator, ['x'], 'y', { axes: [-1, 2], keepdims: 0 }]],
    })
    itAgrees(`${operator} of operator set 18`, {
      x: [2, 3, 4],
      opset: 18,
      steps: [[operator, ['x', ints(1)], 'y']],
    })
    itAgrees(`${operator} over everything`, {
      x: [1, 3, 4],
      opset: 18,
      steps: [[operator, ['x'], 'y', { keepdims: 0 }]],
    })
  }
  for (const operator of ['ReduceSum', 'ReduceMean', 'ReduceMax', 'ReduceMin']) {
    itAgrees(`${operator} over nothing`, {
      x: [2, 3],
      opset: 18,
      steps: [[operator, ['x', ints()], 'y', { noop_with_empty_axes: 1 }]],
    })
  }
  itAgrees('ReduceSum of operator set 13', { x: [2, 3, 4], opset: 13, steps: [['ReduceSum', ['x', ints(0, 2)], 'y']] })
  itIsKnown('ReduceProd of a shape', {
    steps: [['ReduceProd', [ints(2, 3, 4)], 'y', { axes: [0], keepdims: 0 }]],
  })
  itIsKnown('ReduceMean of weights', { steps: [['ReduceMean', [weights(2, 3, 4)], 'y', { axes: [1] }]] })
})

describe('softmax', () => {
  itAgrees('Softmax', { x: [2, 3, 4], steps: [['Softmax', ['x'], 'y']] })
  itAgrees('Softmax along the channels', { x: [1, 3, 4, 2], steps: [['Softmax', ['x'], 'y', { axis: 1 }]] })
  itAgrees('Softmax of operator set 12', { x: [2, 3, 4], opset: 12, steps: [['Softmax', ['x'], 'y']] })
  itAgrees('Softmax of operator set 12 along the last axis', {
    x: [2, 3, 4],
    opset: 12,
    steps: [['Softmax', ['x'], 'y', { axis: -1 }]],
  })
})
