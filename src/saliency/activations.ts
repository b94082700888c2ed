import type { Relu6Rule, Scope } from './choices.ts'
import { topological, type Node, type NodeOf, type OpName } from './graph.ts'

/** The kinds of activation that can be guided (see backward.ts). LeakyReLU is a PReLU with one slope. */
const activationKinds = ['relu', 'relu6', 'prelu'] as const satisfies readonly OpName[]
export type ActivationKind = (typeof activationKinds)[number]

export type Activation = NodeOf<ActivationKind> & Node

/** Activations that are never guided: they keep their plain gradient, and are only counted. */
const neverGuided = ['sigmoid', 'tanh', 'hardSigmoid', 'hardSwish', 'silu', 'clip'] as const
type NeverGuidedKind = (typeof neverGuided)[number]

export function isNeverGuided(kind: string): boolean {
  return neverGuided.some((never) => never === kind)
}

/** Undefined for a node that is no activation that could be guided. */
export function activationKind({ op }: Node): ActivationKind | undefined {
  return activationKinds.find((kind) => kind === op)
}

/** The kind of every activation on a path from the image to an output, of those too that are never guided, in the graph's order. */
export function kindsBetween(
  image: Node,
  outputs: Iterable<Node>,
): ReadonlyMap<Node, ActivationKind | NeverGuidedKind> {
  const order = topological(outputs)
  const depends = dependents(image, order)
  const kinds = new Map<Node, ActivationKind | NeverGuidedKind>()
  for (const node of order) {
    if (!depends.has(node)) continue
    const gate = ownGate(node)
    // Counted as the whole that it is a part of.
    if (gate !== undefined) kinds.delete(gate)
    const kind = activationKind(node) ?? neverGuidedKind(node, gate)
    if (kind !== undefined) kinds.set(node, kind)
  }
  return kinds
}

function neverGuidedKind({ op }: Node, gate: Node | undefined): NeverGuidedKind | undefined {
  if (gate !== undefined) return gate.op === 'sigmoid' ? 'silu' : 'hardSwish'
  return neverGuided.find((kind) => kind === op)
}

/** The sigmoid or hard sigmoid of x by which x is multiplied in a SiLU or hard-swish; undefined for another node. */
function ownGate({ op, inputs }: Node): Node | undefined {
  if (op !== 'mul') return undefined
  return inputs.find(
    (gate, i) => (gate.op === 'sigmoid' || gate.op === 'hardSigmoid') && gate.inputs[0] === inputs[1 - i],
  )
}

/** The activations that could be guided on a path from the image to an output, in the graph's order. */
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
