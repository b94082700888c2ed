import type { Attributes, Node, NodeOf, OpName, Shape } from './graph.ts'
import { shapeRules } from './shapes.ts'

type Arguments<K extends OpName> =
  Attributes[K] extends Readonly<Record<string, never>>
    ? [attributes?: Attributes[K], label?: string]
    : [attributes: Attributes[K], label?: string]

/** A new node; its shape follows from its rule. */
export function make<K extends OpName>(op: K, inputs: readonly Node[], ...rest: Arguments<K>): NodeOf<K> & Node {
  // The conditional type above makes attributes optional exactly where there are none; `{}` stands in then.
  const attributes = (rest[0] ?? {}) as Attributes[K]
  const rule = shapeRules[op]
  const shape = rule.shape(inputs, attributes)
  if (shape.some((length) => !Number.isInteger(length) || length < 1)) {
    throw new Error(`${op}${rest[1] ? ` (${rest[1]})` : ''} would have shape ${shape.join('×')}`)
  }
  const dtype = rule.dtype?.(inputs, attributes) ?? inputs[0]?.dtype ?? 'float32'
  return { op, inputs, attributes, shape, dtype, label: rest[1] ?? '' } as unknown as NodeOf<K> & Node
}

/** The same operation on other inputs. */
export function remake(node: Node, inputs: readonly Node[]): Node {
  const remakeOne = make as (op: OpName, inputs: readonly Node[], attributes: Attributes[OpName], label: string) => Node
  return remakeOne(node.op, inputs, node.attributes, node.label)
}

export function constant(data: Float32Array | readonly number[], shape: Shape, label = ''): Node {
  return make('constant', [], { shape, data: data instanceof Float32Array ? data : Float32Array.from(data) }, label)
}

export function scalar(value: number): Node {
  return constant([value], [1])
}

export function zeros(shape: Shape): Node {
  return make('expand', [scalar(0)], { shape })
}

/** The values of a constant node; raises for anything else. */
export function constantData(node: Node): Float32Array {
  if (node.op !== 'constant') throw new Error(`expected a constant, found ${node.op}`)
  return node.attributes.data
}

export function inputAt(node: Node, index: number): Node {
  const input = node.inputs[index]
  if (input === undefined) throw new Error(`${node.op} has no input ${index}`)
  return input
}
