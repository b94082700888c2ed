import { create } from '@bufbuild/protobuf'
import {
  AttributeProtoSchema,
  AttributeProto_AttributeType as AttributeType,
  TensorProto_DataType as DataType,
  GraphProtoSchema,
  NodeProtoSchema,
  TensorProtoSchema,
  ValueInfoProtoSchema,
  type AttributeProto,
  type GraphProto,
  type NodeProto,
} from 'onnx-buf'
import type { Random } from '../../../../kill/random.ts'
import { intNamed, intsNamed, textNamed } from './attributes.ts'
import { oneOf } from './telling.ts'

type Mutation = (graph: GraphProto, random: Random) => void

/** Much to compute, to hold or to look through, put before one of a node's inputs. */
export const sizeMutations: readonly [Mutation, ...Mutation[]] = [huge, huge, huge, huge, many, doubling, nested]

/** Nodes before a node, the last of which gives what it took before. Their inputs beyond the first are whole numbers. */
function huge(graph: GraphProto, random: Random): void {
  const at = random.integer(0, graph.node.length - 1)
  const next = graph.node[at]
  if (!next) return
  const slot = random.integer(0, Math.max(0, next.input.length - 1))
  const taken = next.input[slot] ?? ''
  const size = random.pick([2n, 1000n, 100_000n, 2n ** 24n, 2n ** 28n, 2n ** 31n, 2n ** 40n, 2n ** 62n])
  const sizes = (count: number): bigint[] =>
    Array.from({ length: count }, () => (random.unit() < 0.4 ? size : random.pick([1n, 2n, 3n])))
  const made = random.pick([
    () => node('ConstantOfShape', [ints(graph, sizes(random.pick([1, 2, 4])))]),
    () => node('Expand', [taken, ints(graph, sizes(4))]),
    () => node('Tile', [taken, ints(graph, sizes(4))]),
    () => node('Range', [ints(graph, [0n], []), ints(graph, [size], []), ints(graph, [1n], [])]),
    () => node('Pad', [taken, ints(graph, sizes(8))]),
    () => node('Pad', [taken], [intsNamed('pads', sizes(8)), textNamed('mode', 'constant')]),
    () => node('Resize', [taken, '', '', ints(graph, sizes(4))]),
    () => node('Upsample', [taken, ints(graph, sizes(4))], [textNamed('mode', 'nearest')]),
    () => node('Reshape', [taken, ints(graph, random.pick([[-1n], [0n, -1n], [...sizes(2), -1n], sizes(3)]))]),
    () =>
      node('Gather', [
        taken,
        ints(
          graph,
          Array.from({ length: 60_000 }, () => 0n),
        ),
      ]),
    () => node('OneHot', [ints(graph, [0n, 1n]), ints(graph, [size], []), ints(graph, [0n, 1n])]),
    () => node('EyeLike', [taken]),
    () => node('MatMul', [taken, taken]),
    () => node('DepthToSpace', [taken], [intNamed('blocksize', size)]),
    () => node('Split', [taken], [intNamed('num_outputs', size)]),
    () => node('ConvTranspose', [taken, taken], [intsNamed('strides', [size, size])]),
    () => node('MaxPool', [taken], [intsNamed('kernel_shape', [3n, 3n]), intsNamed('pads', sizes(4))]),
    () => node('AveragePool', [taken], [intsNamed('kernel_shape', [2n, 2n]), intsNamed('pads', sizes(4))]),
    () => node('LRN', [taken], [intNamed('size', size)]),
    () => node('CumSum', [taken, ints(graph, [0n], [])]),
  ] as [() => NodeProto, ...(() => NodeProto)[]])()
  // Beside each other, so that broadcasting multiplies two sizes.
  const output = `huge${random.integer(0, 1e6)}`
  made.output = made.opType === 'Split' ? [output, `${output}b`] : [output]
  next.input[slot] = output
  graph.node.splice(at, 0, made)
}

function node(opType: string, input: string[], attribute: AttributeProto[] = []): NodeProto {
  return create(NodeProtoSchema, { opType, input, attribute })
}

/** A new tensor of whole numbers; its name. */
function ints(graph: GraphProto, int64Data: bigint[], dims = [BigInt(int64Data.length)]): string {
  const name = `ints${graph.initializer.length}`
  graph.initializer.push(create(TensorProtoSchema, { name, dataType: DataType.INT64, dims, int64Data }))
  return name
}

/** A long chain before an input: of activations, of sums with themselves, of copies. */
function many(graph: GraphProto, random: Random): void {
  const [opType, arity] = random.pick([
    ['Relu', 1],
    ['Identity', 1],
    ['Add', 2],
    ['Sigmoid', 1],
    ['Shape', 1],
    ['Softmax', 1],
    ['Transpose', 1],
    ['Max', 2],
  ] as [[string, number], ...[string, number][]])
  chain(graph, random, random.pick([100, 1000, 1000, 10_000, 100_000]), (input) => [
    node(
      opType,
      Array.from({ length: arity }, () => input),
    ),
  ])
}

/** Twice as long with each node. */
function doubling(graph: GraphProto, random: Random): void {
  const axis = BigInt(random.integer(0, 3))
  chain(graph, random, random.pick([3, 20, 40, 70]), (input) => [
    node('Concat', random.unit() < 0.9 ? [input, input] : [input, input, input, input], [intNamed('axis', axis)]),
  ])
}

function chain(graph: GraphProto, random: Random, length: number, make: (input: string) => NodeProto[]): void {
  const at = random.integer(0, graph.node.length - 1)
  const next = graph.node[at]
  if (!next) return
  const added: NodeProto[] = []
  let input = next.input[0] ?? ''
  for (let index = 0; index < length; index++) {
    for (const one of make(input)) {
      one.output = [`chain${index}`]
      added.push(one)
    }
    input = `chain${index}`
  }
  next.input[0] = input
  graph.node = [...graph.node.slice(0, at), ...added, ...graph.node.slice(at)]
}

/** A new tensor that holds; its name. */
function condition(graph: GraphProto): string {
  const name = `condition${graph.initializer.length}`
  graph.initializer.push(create(TensorProtoSchema, { name, dataType: DataType.BOOL, int32Data: [1] }))
  return name
}

/** A branch of a node that is there, within branches. */
function nested(graph: GraphProto, random: Random): void {
  const node = oneOf(graph.node, random)
  if (!node) return
  const depth = random.pick([1, 2, 10, 30, 45, 60, 200])
  const output = node.output.map((name) => create(ValueInfoProtoSchema, { name }))
  let inner = create(GraphProtoSchema, { name: 'inner', node: [{ ...node }], output })
  const [name, opType] = random.pick([
    ['then_branch', 'If'],
    ['body', 'Loop'],
    ['body', 'Scan'],
    ['then_branch', 'Relu'],
  ] as [[string, string], ...[string, string][]])
  for (let left = depth; left > 0; left--) {
    const attribute = [create(AttributeProtoSchema, { name, type: AttributeType.GRAPH, g: inner })]
    if (left === 1) {
      node.opType = opType
      node.attribute = attribute
      if (random.unit() < 0.5) node.input = [condition(graph)]
      return
    }
    inner = create(GraphProtoSchema, { name: 'inner', node: [{ ...node, attribute, opType }], output })
  }
}
