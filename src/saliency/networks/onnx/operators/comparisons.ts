import type { Node } from '../../../graph.ts'
import { constant, make, scalar } from '../../../ops.ts'
import type { Call, Operator, Operators } from '../call.ts'
import { combined, type Formula } from '../knownArithmetic.ts'
import { expanded } from '../layout.ts'
import { broadcastShape } from '../places.ts'
import { computed, known, type Available, type Known } from '../value.ts'
import { together } from './arithmetic.ts'

/**
 * Of what is known, and for PyTorch's atan2, which is an arc tangent and some conditions, of what depends on the image: as 1
 * and 0, which no gradient passes.
 */
export const comparisons: Operators = {
  Equal: holds((a, b) => a === b),
  Less: holds(
    (a, b) => a < b,
    (call) => isPositive(call, 1, 0),
  ),
  LessOrEqual: holds(
    (a, b) => a <= b,
    (call) => not(isPositive(call, 0, 1)),
  ),
  Greater: holds(
    (a, b) => a > b,
    (call) => isPositive(call, 0, 1),
  ),
  GreaterOrEqual: holds(
    (a, b) => a >= b,
    (call) => not(isPositive(call, 1, 0)),
  ),
  Not: holds(
    (a) => a === 0,
    (call) => not(call.node(0)),
  ),
  And: holds((a, b) => a !== 0 && b !== 0),
  Or: holds((a, b) => a !== 0 || b !== 0),
  Xor: holds((a, b) => a !== b),
  /** Never, as far as headlight goes: an image for which a number is not finite gets no map. */
  IsNaN: (call) => never(call),
  IsInf: (call) => never(call),
  /** One of two numbers, by a condition. */
  Where: (call) => {
    const [condition, yes, no] = [call.input(0), call.input(1), call.input(2)]
    if (condition.kind === 'computed') {
      const other = computed(not(condition.node))
      const chosen = [together(call, 'mul', condition, yes), together(call, 'mul', other, no)]
      return computed(make('add', chosen, {}, call.label))
    }
    if (yes.kind === 'known' && no.kind === 'known') {
      return combined(call, yes.type, [condition, yes, no], (chosen, a, b) => (chosen === 0 ? b : a))
    }
    const first = condition.data[0]
    if (first !== undefined && isAll(condition.data, first)) {
      return expanded(call, first === 0 ? no : yes, broadcastShape([0, 1, 2].map((index) => call.shape(index))))
    }
    const other = combined(call, 'bool', [condition], (chosen) => (chosen === 0 ? 1 : 0))
    return computed(make('add', [masked(call, condition, yes), masked(call, other, no)], {}, call.label))
  },
}

function holds(condition: (a: number, b: number) => boolean, row?: (call: Call) => Node): Operator {
  const formula: Formula = (a, b) => (condition(a, b) ? 1 : 0)
  return (call) =>
    call.isKnown || row === undefined ? combined(call, 'bool', call.knownInputs(), formula) : computed(row(call))
}

function never(call: Call): Known {
  const shape = call.shape(0)
  return known('bool', shape, call.allocate('bool', shape))
}

/** 1 where one input is larger than another, else 0. */
function isPositive(call: Call, larger: number, smaller: number): Node {
  return make('step', [together(call, 'sub', call.input(larger), call.input(smaller))], {}, call.label)
}

function not(condition: Node): Node {
  return make('sub', [scalar(1), condition])
}

/** Without a copy: a damaged size may be of a hundred million numbers. */
function isAll(data: ArrayLike<number>, value: number): boolean {
  for (let i = 0; i < data.length; i++) if (data[i] !== value) return false
  return true
}

/** The value where the mask is 1, else 0, even if the value is infinite there, as masks of attention are. */
function masked(call: Call, mask: Known, value: Available): Node {
  if (value.kind === 'known') {
    return call.nodeOf(combined(call, value.type, [mask, value], (chosen, a) => (chosen === 0 ? 0 : a)))
  }
  const shape = mask.shape.length === 0 ? [1] : mask.shape
  return make('mul', [value.node, constant(Float32Array.from(mask.data), shape)])
}
