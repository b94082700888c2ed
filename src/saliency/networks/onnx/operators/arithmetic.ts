import { roundHalfToEven } from '../../../../base/rounding.ts'
import { elements, type Node } from '../../../graph.ts'
import { constant, constantData, inputAt, make, scalar } from '../../../ops.ts'
import type { Call, Operator, Operators } from '../call.ts'
import { combined, quotient, type Formula } from '../knownArithmetic.ts'
import { reshapedKnown } from '../knownLayout.ts'
import { computed, shapeOf, type Available, type Known } from '../value.ts'
import { ofSixth } from './activations.ts'

type BinaryRow = 'add' | 'sub' | 'mul' | 'div'

export const arithmetic: Operators = {
  Add: ofTwo('add', () => (a, b) => a + b),
  Sub: ofTwo('sub', () => (a, b) => a - b),
  Mul: ofTwo('mul', () => (a, b) => a * b),
  Div: ofTwo('div', ({ type }) => quotient(type)),
  Sum: (call) => total(call),
  Mean: (call) => {
    const whole = total(call)
    const share = 1 / call.inputCount
    if (whole.kind === 'known') return combined(call, whole.type, [whole], (a) => a * share)
    return computed(make('mul', [whole.node, scalar(share)], {}, call.label))
  },
  Neg: ofOne((a) => -a, negated),
  Abs: ofOne(Math.abs, absolute),
  Sqrt: ofOne(Math.sqrt, (x) => make('sqrt', [x])),
  Exp: ofOne(Math.exp, (x) => make('exp', [x])),
  Reciprocal: ofOne(
    (a) => 1 / a,
    (x) => make('div', [scalar(1), x]),
  ),
  Atan: ofOne(Math.atan, (x) => make('atan2', [x, make('expand', [scalar(1)], { shape: x.shape })])),
  Pow: (call) => {
    if (call.isKnown) return combined(call, call.known(0).type, call.knownInputs(), (a, b) => a ** b)
    const exponent = call.number(1)
    if (exponent === undefined) throw call.refusal('no exponent')
    return computed(raised(call.node(0), exponent, call.label))
  },
  // These are steps, or have no row: only what is known passes them.
  Log: ofKnown((a) => Math.log(a)),
  Floor: ofKnown(Math.floor),
  Ceil: ofKnown(Math.ceil),
  Round: ofKnown(roundHalfToEven),
  Sign: ofKnown(Math.sign),
  Mod: (call) => {
    // The remainder has the sign of the dividend with fmod, else of the divisor.
    const formula: Formula = call.int('fmod', 0) === 1 ? (a, b) => a % b : (a, b) => a - b * Math.floor(a / b)
    return combined(call, call.known(0).type, call.knownInputs(), formula)
  },
}

function ofTwo(row: BinaryRow, formulaFor: (first: Known) => Formula): Operator {
  return (call) => {
    if (!call.isKnown) return computed(together(call, row, call.input(0), call.input(1)))
    const first = call.known(0)
    return combined(call, first.type, [first, call.known(1)], formulaFor(first))
  }
}

function ofOne(formula: Formula, row: (x: Node) => Node): Operator {
  return (call) =>
    call.isKnown ? combined(call, call.known(0).type, [call.known(0)], formula) : computed(row(call.node(0)))
}

function ofKnown(formula: Formula): Operator {
  return (call) => combined(call, call.known(0).type, call.knownInputs(), formula)
}

function total(call: Call): Available {
  const inputs = call.inputs()
  return inputs.slice(1).reduce<Available>(
    (sum, input) => {
      if (sum.kind === 'known' && input.kind === 'known') return combined(call, sum.type, [sum, input], (a, b) => a + b)
      return computed(together(call, 'add', sum, input))
    },
    inputs[0] ?? call.input(0),
  )
}

/** Of two values of which one at least depends on the image. */
export function together(call: Call, row: BinaryRow, left: Available, right: Available): Node {
  const [a, b] = [operand(call, left, right), operand(call, right, left)]
  // Engines know a factor and a bias by their second place.
  const [x, other] = a.op === 'constant' && (row === 'add' || row === 'mul') ? [b, a] : [a, b]
  return (
    (row === 'add' ? channelNorm(x, other, call.label) : undefined) ??
    make(row, [ofSixth(row, x, other), other], {}, call.label)
  )
}

/**
 * Known numbers, with as many axes as what they are combined with: engines recognise a number for each channel by its shape
 * 1×C×1×1. A single number has one axis.
 */
function operand(call: Call, value: Available, other: Available): Node {
  if (value.kind === 'computed' || value.type !== 'float') return call.nodeOf(value)
  const lead = Array.from({ length: Math.max(0, shapeOf(other).length - value.shape.length) }, () => 1)
  const shape = elements(value.shape) === 1 && value.shape.length <= 1 ? [1] : [...lead, ...value.shape]
  return call.nodeOf(reshapedKnown(value, shape))
}

/**
 * x · scale + shift with one of each for every channel, as TensorFlow, Caffe and OpenVINO write a batch norm: it is read as
 * one, so that it can be folded into the convolution before it.
 */
function channelNorm(product: Node, shift: Node, label: string): Node | undefined {
  if (product.op !== 'mul') return undefined
  const [x, scale] = [inputAt(product, 0), inputAt(product, 1)]
  const channels = x.shape[1] ?? 0
  const isPerChannel = (node: Node): boolean => node.op === 'constant' && node.shape.join() === `1,${channels},1,1`
  if (x.shape.length !== 4 || x.op === 'constant' || !isPerChannel(scale) || !isPerChannel(shift)) return undefined
  const perChannel = [constantData(scale), constantData(shift)].map((data) => constant(data, [channels]))
  const [zeros, ones] = [0, 1].map((value) => new Float32Array(channels).fill(value))
  const moments = [constant(zeros ?? [], [channels]), constant(ones ?? [], [channels])]
  return make('batchNorm', [x, ...perChannel, ...moments], { epsilon: 0 }, label)
}

export function negated(x: Node): Node {
  return make('mul', [x, scalar(-1)])
}

/** From two clips, since the row `abs` has no gradient. */
export function absolute(x: Node): Node {
  const above = make('clip', [x], { min: 0, max: Number.MAX_VALUE })
  return make('sub', [above, make('clip', [x], { min: -Number.MAX_VALUE, max: 0 })])
}

/** Powers of any number where the exponent is a small whole one; `power` is for numbers above 0. */
function raised(x: Node, exponent: number, label: string): Node {
  if (exponent === 1) return x
  if (exponent === 0.5) return make('sqrt', [x], {}, label)
  if (Number.isInteger(exponent) && exponent <= -1 && exponent >= -4) {
    return make('div', [scalar(1), raised(x, -exponent, '')], {}, label)
  }
  if (Number.isInteger(exponent) && exponent >= 2 && exponent <= 4) {
    const factors = Array.from({ length: exponent - 1 }, () => x)
    return factors.reduce((product, factor) => make('mul', [product, factor], {}, label), x)
  }
  return make('power', [x], { exponent }, label)
}
