import type { Relu6Rule, Scope } from './choices.ts'
import { topological, type Node, type NodeOf, type OpName } from './graph.ts'

/** The kinds of activation; all of them can be guided (see backward.ts). LeakyReLU is a PReLU with one slope. */
const activationKinds = ['relu', 'relu6', 'prelu'] as const satisfies readonly OpName[]
export type ActivationKind = (typeof activationKinds)[number]

export type Activation = NodeOf<ActivationKind> & Node

/** Undefined for a node that is no activation. */
export function activationKind({ op }: Node): ActivationKind | undefined {
  return activationKinds.find((kind) => kind === op)
}

/** The activations that lie on a path from the image to an output, in the graph's order. */
export function activationsBetween(image: Node, outputs: Iterable<Node>): Activation[] {
  const order = topological(outputs)
  return activationsAmong(order, dependents(image, order))
}

/** The same for who knows the graph's order and what depends on the image. */
export function activationsAmong(order: readonly Node[], depends: ReadonlySet<Node>): Activation[] {
  return order.filter((node): node is Activation => activationKind(node) !== undefined && depends.has(node))
}

/** Those of the activations, in the graph's order, that a scope guides. */
export function guidedActivations(
  activations: readonly Activation[],
  scope: Scope,
  relu6: Relu6Rule,
): readonly Activation[] {
  if (scope === 'none') return []
  const candidates = activations.filter(({ op }) => op !== 'relu6' || relu6 === 'guided')
  return scope === 'stem' ? candidates.slice(0, 1) : candidates
}

/** `node` and what depends on it, of nodes in the graph's order. */
export function dependents(node: Node, order: readonly Node[]): ReadonlySet<Node> {
  const depends = new Set<Node>([node])
  for (const other of order) if (other.inputs.some((input) => depends.has(input))) depends.add(other)
  return depends
}
