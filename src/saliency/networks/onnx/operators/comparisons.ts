import type { Node } from '../../../graph.ts'
import { constant, make } from '../../../ops.ts'
import type { Call, Operator, Operators } from '../call.ts'
import { combined, type Formula } from '../knownArithmetic.ts'
import { computed, type Available, type Known } from '../value.ts'

/** Of what is known: a comparison is a step, which no gradient passes. */
export const comparisons: Operators = {
  Equal: holds((a, b) => a === b),
  Less: holds((a, b) => a < b),
  LessOrEqual: holds((a, b) => a <= b),
  Greater: holds((a, b) => a > b),
  GreaterOrEqual: holds((a, b) => a >= b),
  Not: holds((a) => a === 0),
  And: holds((a, b) => a !== 0 && b !== 0),
  Or: holds((a, b) => a !== 0 || b !== 0),
  Xor: holds((a, b) => a !== b),
  /** One of two numbers, by a condition that is known. */
  Where: (call) => {
    const [condition, yes, no] = [call.known(0), call.input(1), call.input(2)]
    if (yes.kind === 'known' && no.kind === 'known') {
      return combined(call, yes.type, [condition, yes, no], (chosen, a, b) => (chosen === 0 ? b : a))
    }
    const not = combined(call, 'bool', [condition], (chosen) => (chosen === 0 ? 1 : 0))
    return computed(make('add', [masked(call, condition, yes), masked(call, not, no)], {}, call.label))
  },
}

function holds(condition: (a: number, b: number) => boolean): Operator {
  const formula: Formula = (a, b) => (condition(a, b) ? 1 : 0)
  return (call) => combined(call, 'bool', call.knownInputs(), formula)
}

/** The value where the mask is 1, else 0, even if the value is infinite there, as masks of attention are. */
function masked(call: Call, mask: Known, value: Available): Node {
  if (value.kind === 'known') {
    return call.nodeOf(combined(call, value.type, [mask, value], (chosen, a) => (chosen === 0 ? 0 : a)))
  }
  const shape = mask.shape.length === 0 ? [1] : mask.shape
  return make('mul', [value.node, constant(Float32Array.from(mask.data), shape)])
}
