import { elements, type Node, type Shape } from '../../graph.ts'
import { constant } from '../../ops.ts'

/**
 * What a tensor of an ONNX graph is on reading. Shapes are concrete, so whatever is computed of them is known; what depends
 * on the image is a node of headlight's own graph. A tensor that headlight cannot compute does not matter unless a head
 * needs it.
 */
export type Value = Known | Computed | Unavailable

/** A value that an operator can work with. */
export type Available = Known | Computed

export type KnownType = 'float' | 'int' | 'bool'

/** Numbers that are known without an image: weights, and what follows from shapes. */
export interface Known {
  readonly kind: 'known'
  readonly type: KnownType
  readonly shape: Shape
  /** Row-major; booleans are 0 and 1. Whole numbers beyond 2⁵³ are rounded: they stand for "up to the end". */
  readonly data: ArrayLike<number>
  /** That of the initialiser, where it is one. */
  readonly name: string
}

/** A float32 node that depends on the image, or on constants too large to be computed on reading. */
export interface Computed {
  readonly kind: 'computed'
  readonly node: Node
}

export interface Unavailable {
  readonly kind: 'unavailable'
  /** The end of “it needs …”: `the operator NonMaxSuppression, which headlight does not compute`. */
  readonly why: string
  /** The operator that headlight does not have, where that is why. */
  readonly operator?: string
}

export function computed(node: Node): Computed {
  return { kind: 'computed', node }
}

export function known(type: KnownType, shape: Shape, data: ArrayLike<number>, name = ''): Known {
  if (elements(shape) !== data.length) throw new Error(`${data.length} numbers do not fill ${shape.join('×')}`)
  return { kind: 'known', type, shape, data, name }
}

export function shapeOf(value: Available): Shape {
  return value.kind === 'known' ? value.shape : value.node.shape
}

const nodes = new WeakMap<Known, Node>()

/** A constant of the graph with these numbers; one and the same wherever the tensor is used. */
export function constantOf(value: Known): Node {
  const made = nodes.get(value)
  if (made !== undefined) return made
  const data = value.data instanceof Float32Array ? value.data : Float32Array.from(value.data)
  const node = constant(data, value.shape, value.name)
  nodes.set(value, node)
  return node
}
