import type { Node } from '../../../graph.ts'
import { make, scalar } from '../../../ops.ts'
import type { Call, Operator, Operators } from '../call.ts'
import { combined, quotient, roundedHalfToEven, type Formula } from '../knownArithmetic.ts'
import { computed, constantOf, type Available, type Known } from '../value.ts'

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
  Round: ofKnown(roundedHalfToEven),
  Sign: ofKnown(Math.sign),
  Mod: (call) => {
    // The remainder has the sign of the dividend with fmod, else of the divisor.
    const formula: Formula = call.int('fmod', 0) === 1 ? (a, b) => a % b : (a, b) => a - b * Math.floor(a / b)
    return combined(call, call.known(0).type, call.knownInputs(), formula)
  },
}

function ofTwo(row: BinaryRow, formulaFor: (first: Known) => Formula): Operator {
  return (call) => {
    if (!call.isKnown) return computed(make(row, operands(call), {}, call.label))
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
      return computed(make('add', [operand(call, sum), operand(call, input)], {}, call.label))
    },
    inputs[0] ?? call.input(0),
  )
}

function operands(call: Call): Node[] {
  return [0, 1].map((index) => operand(call, call.input(index)))
}

/** A number without axes gets one: what it is combined with has some. */
function operand(call: Call, value: Available): Node {
  const isScalar = value.kind === 'known' && value.type === 'float' && value.shape.length === 0
  return isScalar ? constantOf({ ...value, shape: [1], data: value.data }) : call.nodeOf(value)
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
  if (Number.isInteger(exponent) && exponent >= 2 && exponent <= 4) {
    const factors = Array.from({ length: exponent - 1 }, () => x)
    return factors.reduce((product, factor) => make('mul', [product, factor], {}, label), x)
  }
  return make('power', [x], { exponent }, label)
}
