import { describe } from 'vitest'
import { bools, float, floats, int, ints, itAgrees, itIsKnown, weights } from '../../../support/onnxCase.ts'

/** Above 0. */
const positive = { type: 'float', shape: [2, 3], data: [0.5, 1.5, 2, 0.1, 3, 0.7] } as const

describe('arithmetic', () => {
  for (const operator of ['Add', 'Sub', 'Mul', 'Div']) {
    itAgrees(`${operator} of one shape`, { x: [2, 3], steps: [[operator, ['x', positive], 'y']] })
    itAgrees(`${operator} with a number`, { x: [2, 3], steps: [[operator, ['x', float(3)], 'y']] })
    itAgrees(`${operator} of a number`, {
      x: [2, 3],
      steps: [
        ['Mul', ['x', 'x'], 'square'],
        ['Add', ['square', float(1)], 'above'],
        [operator, [float(3), 'above'], 'y'],
      ],
    })
    itAgrees(`${operator} that broadcasts both`, { x: [2, 1, 3], steps: [[operator, ['x', weights(4, 1)], 'y']] })
    itAgrees(`${operator} of two images`, {
      x: [1, 4, 2, 2],
      steps: [
        ['Exp', ['x'], 'a'],
        [operator, ['x', 'a'], 'y'],
      ],
    })
  }
  itAgrees('Sum of three', { x: [2, 3], steps: [['Sum', ['x', weights(3), 'x'], 'y']] })
  itAgrees('Sum of weights before an image', { x: [2, 3], steps: [['Sum', [weights(3), float(2), 'x'], 'y']] })
  itAgrees('Mean of three', { x: [2, 3], steps: [['Mean', ['x', weights(3), 'x'], 'y']] })
  for (const operator of ['Neg', 'Abs', 'Exp', 'Reciprocal']) {
    itAgrees(operator, { x: [2, 3], steps: [[operator, ['x'], 'y']] })
  }
  itAgrees('Sqrt', {
    x: [2, 3],
    steps: [
      ['Mul', ['x', 'x'], 'a'],
      ['Sqrt', ['a'], 'y'],
    ],
  })
  for (const exponent of [1, 2, 3, 4]) {
    itAgrees(`Pow ${exponent}`, { x: [2, 3], steps: [['Pow', ['x', float(exponent)], 'y']] })
  }
  for (const exponent of [0.5, 1.7, -0.5, -1]) {
    itAgrees(`Pow ${exponent}`, {
      x: [2, 3],
      steps: [
        ['Exp', ['x'], 'a'],
        ['Pow', ['a', float(exponent)], 'y'],
      ],
    })
  }
  itAgrees('Atan', { x: [2, 3], steps: [['Atan', ['x'], 'y']] })
  for (const operator of ['Less', 'LessOrEqual', 'Greater', 'GreaterOrEqual']) {
    itAgrees(`Where of what depends on ${operator}`, {
      x: [2, 3],
      steps: [
        [operator, ['x', float(0.1)], 'above'],
        ['Not', ['above'], 'not'],
        ['Where', ['not', weights(2, 3), 'x'], 'a'],
        [operator, ['x', 'x'], 'equal'],
        ['Where', ['equal', float(2), 'a'], 'y'],
      ],
    })
  }
  itAgrees('Pow with a whole number', { x: [2, 3], steps: [['Pow', ['x', int(2)], 'y']] })
})

describe('numbers that are worked out on reading', () => {
  const whole = ints(7, -7, 5, 0, 9)
  const other = ints(2, 2, -3, 4, -9)
  for (const operator of ['Add', 'Sub', 'Mul', 'Div', 'Mod', 'Min', 'Max']) {
    itIsKnown(`${operator} of whole numbers`, { steps: [[operator, [whole, other], 'y']] })
  }
  for (const operator of ['Equal', 'Less', 'Greater', 'LessOrEqual', 'GreaterOrEqual']) {
    itIsKnown(operator, { steps: [[operator, [ints(1, 2, 3), ints(3, 2, 1)], 'y']] })
    itIsKnown(`${operator} of floats`, { steps: [[operator, [floats(1, 2, 3), float(2)], 'y']] })
  }
  for (const operator of ['And', 'Or', 'Xor']) {
    itIsKnown(operator, { steps: [[operator, [bools(0, 0, 1, 1), bools(0, 1, 0, 1)], 'y']] })
  }
  itIsKnown('Not', { steps: [['Not', [bools(0, 1)], 'y']] })
  for (const operator of ['Floor', 'Ceil', 'Round', 'Sign']) {
    itIsKnown(operator, { steps: [[operator, [floats(-2.5, -1.5, -0.2, 0, 0.5, 1.5, 2.6)], 'y']] })
  }
  itIsKnown('Log', { steps: [['Log', [floats(0.5, 1, 20)], 'y']] })
  itIsKnown('Mod of floats', { steps: [['Mod', [floats(-5.5, 5.5), floats(2, -2)], 'y', { fmod: 1 }]] })
  itIsKnown('Pow of whole numbers', { steps: [['Pow', [ints(2, 3), ints(3, 2)], 'y']] })
  itIsKnown('a third rounded to float32', { steps: [['Div', [floats(1), floats(3)], 'y']] })
  itIsKnown('Where', { steps: [['Where', [bools(0, 1, 1), ints(1, 2, 3), int(9)], 'y']] })
  itIsKnown('Cast to whole numbers', { steps: [['Cast', [floats(-1.7, 1.7)], 'y', { to: 7 }]] })
  itIsKnown('Cast to bool', { steps: [['Cast', [floats(0, 0.5)], 'y', { to: 9 }]] })
  itIsKnown('Cast of bool', { steps: [['Cast', [bools(0, 1)], 'y', { to: 1 }]] })
})

describe('constants', () => {
  itIsKnown('Constant', { steps: [['Constant', [], 'y', { value: weights(2, 2) }]] })
  itIsKnown('Constant of whole numbers', { steps: [['Constant', [], 'y', { value_ints: [4, 5] }]] })
  itIsKnown('Constant of one whole number', { steps: [['Constant', [], 'y', { value_int: 4 }]] })
  itIsKnown('Constant of one float', { steps: [['Constant', [], 'y', { value_float: { float: 0.1 } }]] })
  itIsKnown('Constant of floats', { steps: [['Constant', [], 'y', { value_floats: { floats: [0.1, 2] } }]] })
  itIsKnown('ConstantOfShape', { steps: [['ConstantOfShape', [ints(2, 3)], 'y']] })
  itIsKnown('ConstantOfShape without axes', { steps: [['ConstantOfShape', [ints()], 'y', { value: ints(3) }]] })
  itIsKnown('Range', { steps: [['Range', [int(2), int(11), int(3)], 'y']] })
  itIsKnown('Range backwards', { steps: [['Range', [int(5), int(0), int(-2)], 'y']] })
  itIsKnown('Range of floats', { steps: [['Range', [float(0), float(1), float(0.25)], 'y']] })
  itIsKnown('an empty Range', { steps: [['Range', [int(2), int(2), int(1)], 'y']] })
  itIsKnown('NonZero', { steps: [['NonZero', [{ type: 'int64', shape: [2, 3], data: [0, 1, 2, 3, 0, 5] }], 'y']] })
  itAgrees('Shape', { x: [2, 3, 4], steps: [['Shape', ['x'], 'y']] })
  itAgrees('Shape with start and end', { x: [2, 3, 4], steps: [['Shape', ['x'], 'y', { start: -2, end: -1 }]] })
  itAgrees('Size', { x: [2, 3, 4], steps: [['Size', ['x'], 'y']] })
})
