import {
  AttributeProto_AttributeType as AttributeType,
  type AttributeProto,
  type GraphProto,
  type NodeProto,
} from 'onnx-buf'
import type { Random } from '../../../../kill/random.ts'
import { further } from './attributes.ts'
import { likely, operators } from './operatorNames.ts'
import { floats, integers, oneOf, strangeNames, tensorNames } from './telling.ts'

type Mutation = (graph: GraphProto, random: Random) => void

/** Operators that are not what they were: their attributes, what they take and give, their order. */
export const nodeMutations: readonly [Mutation, ...Mutation[]] = [
  ofAttribute(number),
  ofAttribute(number),
  ofAttribute(number),
  ofAttribute(number),
  ofAttribute((attribute, random) => {
    // A list of another length.
    const times = random.pick([1, 1, 5, 5000])
    for (let left = times; left > 0; left--) {
      if (attribute.floats.length > 0) attribute.floats.push(random.pick(floats))
      else attribute.ints.push(random.pick([0n, 1n, 2n, ...integers]))
    }
  }),
  ofAttribute((attribute, random) => {
    const kept = random.integer(0, Math.max(0, attribute.ints.length - 1))
    attribute.ints.length = Math.min(kept, attribute.ints.length)
    attribute.floats.length = Math.min(kept, attribute.floats.length)
  }),
  // Another type: the number where the list was, the list where the number was.
  ofAttribute((attribute, random) => {
    attribute.type = random.integer(0, 14)
    const { i, ints, f } = attribute
    attribute.i = ints[0] ?? 0n
    attribute.ints = random.unit() < 0.5 ? [i] : []
    attribute.floats = random.unit() < 0.5 ? [f] : []
    attribute.s = random.unit() < 0.5 ? new Uint8Array() : Buffer.from('SAME_UPPER')
    delete attribute.t
  }),
  (graph, random) => {
    const node = withAttributes(graph, random)
    node?.attribute.splice(random.integer(0, node.attribute.length - 1), 1)
  },
  (graph, random) => oneOf(graph.node, random)?.attribute.push(random.pick(further)()),
  (graph, random) => oneOf(graph.node, random)?.attribute.push(random.pick(further)()),
  (graph, random) => oneOf(graph.node, random)?.attribute.push(random.pick(further)()),
  ofAttribute((attribute, random) => {
    attribute.name = random.pick([...strangeNames, 'axis', 'axes', 'pads', 'value', 'mode'] as [string, ...string[]])
  }),
  // What it takes.
  (graph, random) => {
    const node = oneOf(graph.node, random)
    const name = oneOf([...tensorNames(graph), ...strangeNames], random)
    if (node && name !== undefined) node.input[random.integer(0, Math.max(0, node.input.length - 1))] = name
  },
  ofNode((node, random) => void node.input.splice(random.integer(0, node.input.length - 1), 1)),
  ofNode((node, random) => void (node.input[random.integer(0, node.input.length - 1)] = '')),
  ofNode((node) => void node.input.reverse()),
  ofNode((node, random) => {
    const times = random.pick([1, 1, 3, 10_000])
    const name = oneOf(node.input, random)
    for (let left = times; left > 0; left--) node.input.push(name ?? '')
  }),
  ofNode((node) => void (node.input[0] = node.output[0] ?? '')),
  (graph, random) => {
    // What comes later, so that the graph goes in circles.
    const at = random.integer(0, graph.node.length - 1)
    const later = graph.node[random.integer(at, graph.node.length - 1)]
    const [name] = later?.output ?? []
    if (name !== undefined) graph.node[at]?.input.splice(0, 1, name)
  },
  // What it gives.
  ofNode((node, random) => {
    const name = random.pick(strangeNames)
    if (random.unit() < 0.5) node.output.push(name)
    else node.output[0] = name
  }),
  (graph, random) => {
    const [node, other] = [oneOf(graph.node, random), oneOf(graph.node, random)]
    if (node && other) node.output = [...other.output]
  },
  ofNode((node) => void (node.output = [])),
  // Which of them there are, and in which order.
  (graph, random) => void graph.node.splice(random.integer(0, graph.node.length - 1), random.pick([1, 1, 5])),
  (graph, random) => {
    const node = oneOf(graph.node, random)
    if (node) graph.node.splice(random.integer(0, graph.node.length - 1), 0, node)
  },
  (graph, random) => {
    const [at, other] = [random.integer(0, graph.node.length - 1), random.integer(0, graph.node.length - 1)]
    const [a, b] = [graph.node[at], graph.node[other]]
    if (a && b) [graph.node[at], graph.node[other]] = [b, a]
  },
  (graph) => void graph.node.reverse(),
  bridged,
  bridged,
  // What it is.
  exchanged,
  exchanged,
  exchanged,
  exchanged,
  ofNode((node, random) => {
    node.domain = random.pick(['com.microsoft', 'ai.onnx', 'ai.onnx.ml', 'custom', 'com.microsoft.nchwc', '__proto__'])
  }),
]

function ofNode(mutation: (node: NodeProto, random: Random) => void): Mutation {
  return (graph, random) => {
    const node = oneOf(graph.node, random)
    if (node) mutation(node, random)
  }
}

function withAttributes({ node }: GraphProto, random: Random): NodeProto | undefined {
  return oneOf(
    node.filter(({ attribute }) => attribute.length > 0),
    random,
  )
}

function ofAttribute(mutation: (attribute: AttributeProto, random: Random) => void): Mutation {
  return (graph, random) => {
    const attribute = oneOf(withAttributes(graph, random)?.attribute ?? [], random)
    if (attribute) mutation(attribute, random)
  }
}

function number(attribute: AttributeProto, random: Random): void {
  const some = random.unit() < 0.5 ? BigInt(random.integer(-2, 9)) : random.pick(integers)
  if (attribute.ints.length > 0) attribute.ints[random.integer(0, attribute.ints.length - 1)] = some
  else if (attribute.floats.length > 0) attribute.floats[0] = random.pick(floats)
  else if (attribute.type === AttributeType.INT) attribute.i = some
  else if (attribute.type === AttributeType.FLOAT) attribute.f = random.pick(floats)
  else
    attribute.s = Buffer.from(
      random.pick(['', 'SAME_UPPER', 'SAME_LOWER', 'VALID', 'reflect', 'edge', 'nearest', 'cubic']),
    )
}

function exchanged(graph: GraphProto, random: Random): void {
  const node = oneOf(graph.node, random)
  if (!node) return
  node.opType = random.pick(random.unit() < 0.6 ? likely : operators)
  if (random.unit() < 0.5) node.attribute = []
  if (random.unit() < 0.3) node.input = node.input.slice(0, 1)
}

/** Taken out, and what took its output takes its input. */
function bridged(graph: GraphProto, random: Random): void {
  const [removed] = graph.node.splice(random.integer(0, graph.node.length - 1), 1)
  const [from = '', to] = [removed?.input[0], removed?.output[0]]
  for (const node of graph.node) node.input = node.input.map((name) => (name === to ? from : name))
}
