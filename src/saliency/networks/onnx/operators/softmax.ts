import { elements } from '../../../graph.ts'
import { make } from '../../../ops.ts'
import type { Operators } from '../call.ts'
import { reshapedNode, transposedNode } from '../layout.ts'
import { computed } from '../value.ts'

export const softmax: Operators = {
  Softmax: (call) => {
    const x = call.node(0)
    const rank = x.shape.length
    if (call.opset < 13) {
      // Over everything from the axis on, as one row.
      const axis = call.axis(call.int('axis', 1), rank)
      const row = reshapedNode(x, [elements(x.shape.slice(0, axis)), elements(x.shape.slice(axis))])
      const whole = make('softmax', [axis === rank - 1 ? x : row], {}, call.label)
      return computed(reshapedNode(whole, x.shape, call.label))
    }
    const axis = call.axis(call.int('axis', -1), rank)
    // Exchanging two axes is its own inverse.
    const exchange = x.shape.map((_, i) => (i === axis ? rank - 1 : i === rank - 1 ? axis : i))
    const last = make('softmax', [transposedNode(x, exchange)], {}, call.label)
    return computed(transposedNode(last, exchange, call.label))
  },
}
