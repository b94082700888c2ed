import { elements, type Node } from '../../../graph.ts'
import { make } from '../../../ops.ts'
import type { Operator, Operators } from '../call.ts'
import { reduced, type Reduction } from '../knownArithmetic.ts'
import { reshapedKnown } from '../knownLayout.ts'
import { reshapedNode, transposedNode } from '../layout.ts'
import { computed } from '../value.ts'
import { absolute, negated } from './arithmetic.ts'

/** Axes are an attribute up to operator set 17 (ReduceSum: 12). */
export const reductions: Operators = {
  ReduceSum: along({ first: 0, step: (total, value) => total + value }, (x, axes) => make('reduceSum', [x], { axes })),
  ReduceMean: along(
    { first: 0, step: (total, value) => total + value, last: (total, count) => total / count },
    (x, axes) => make('reduceMean', [x], { axes }),
  ),
  ReduceSumSquare: along({ first: 0, step: (total, value) => total + value ** 2 }, squares),
  ReduceL1: along({ first: 0, step: (total, value) => total + Math.abs(value) }, (x, axes) =>
    make('reduceSum', [absolute(x)], { axes }),
  ),
  ReduceL2: along({ first: 0, step: (total, value) => total + value ** 2, last: Math.sqrt }, (x, axes) =>
    make('sqrt', [squares(x, axes)]),
  ),
  ReduceMax: along({ first: -Infinity, step: (a, b) => Math.max(a, b) }, (x, axes) => largest(x, axes)),
  ReduceMin: along({ first: Infinity, step: (a, b) => Math.min(a, b) }, (x, axes) =>
    negated(largest(negated(x), axes)),
  ),
  ReduceProd: along({ first: 1, step: (a, b) => a * b }),
}

const plain = new Set(['ReduceSum', 'ReduceMean', 'ReduceMax', 'ReduceMin', 'ReduceProd'])

function along(reduction: Reduction, row?: (x: Node, axes: readonly number[]) => Node): Operator {
  return (call) => {
    const x = call.input(0)
    const shape = call.shape(0)
    const asked = call.numbersOrAttribute(1, 'axes') ?? []
    // No axes are all of them, unless the file says that they are none.
    if (asked.length === 0 && call.int('noop_with_empty_axes', 0) === 1) {
      // Whether the others then square or take the absolute value differs between ONNX Runtime and the standard.
      call.require(plain.has(call.op), 'noop_with_empty_axes')
      return x
    }
    const axes = [...(asked.length === 0 ? shape.keys() : asked.map((axis) => call.axis(axis, shape.length)))]
    const kept = call.int('keepdims', 1) === 1 ? undefined : shape.filter((_, axis) => !axes.includes(axis))
    if (x.kind === 'known') {
      const result = reduced(call, x, axes, reduction)
      return kept === undefined ? result : reshapedKnown(result, kept)
    }
    if (row === undefined) throw call.refusal('an input that depends on the image')
    const result = row(x.node, axes)
    return computed(kept === undefined ? result : reshapedNode(result, kept, call.label))
  }
}

function squares(x: Node, axes: readonly number[]): Node {
  return make('reduceSum', [make('mul', [x, x])], { axes })
}

/**
 * As a max pool over all of a plane that holds what is reduced, since that passes a gradient: to the first of equal maxima.
 * The plane of an image is there already; other axes are brought to it.
 */
function largest(x: Node, axes: readonly number[]): Node {
  const others = x.shape.map((_, axis) => axis).filter((axis) => !axes.includes(axis))
  const isPlane = x.shape.length === 4 && others.join() === '0,1'
  const front = others.map((axis) => x.shape[axis] ?? 1)
  const [first = 1, ...more] = front
  const size = elements(x.shape) / elements(front)
  const planes = isPlane ? x : reshapedNode(transposedNode(x, [...others, ...axes]), [first, elements(more), 1, size])
  const kernel = [planes.shape[2] ?? 1, planes.shape[3] ?? 1] as const
  const pooled = make('maxPool', [planes], { kernel, strides: [1, 1], pads: [0, 0, 0, 0] })
  return reshapedNode(
    pooled,
    x.shape.map((side, axis) => (axes.includes(axis) ? 1 : side)),
  )
}
