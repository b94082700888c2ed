import { create } from '@bufbuild/protobuf'
import {
  AttributeProtoSchema,
  AttributeProto_AttributeType as AttributeType,
  TensorProto_DataType as DataType,
  GraphProtoSchema,
  NodeProtoSchema,
  TensorProtoSchema,
  type AttributeProto,
  type GraphProto,
  type NodeProto,
} from 'onnx-buf'
import type { Random } from '../../../../kill/random.ts'
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
  // With much to compute put before one of its inputs.
  huge,
  huge,
  huge,
  huge,
  many,
  doubling,
  nested,
]

/** Every operator of ONNX that could come in the way, and some of others. */
const operators: readonly [string, ...string[]] = [
  ...(
    'Abs Acos Add And ArgMax ArgMin AveragePool BatchNormalization BitShift Cast CastLike Ceil Celu Clip Concat Constant ' +
    'ConstantOfShape Conv ConvInteger ConvTranspose CumSum DeformConv DepthToSpace DequantizeLinear Det Dropout ' +
    'DynamicQuantizeLinear Einsum Elu Equal Erf Exp Expand EyeLike Flatten Floor GRU Gather GatherElements GatherND Gelu Gemm ' +
    'GlobalAveragePool GlobalLpPool GlobalMaxPool Greater GridSample GroupNormalization HardSigmoid HardSwish Hardmax Identity ' +
    'If InstanceNormalization IsInf IsNaN LRN LSTM LayerNormalization LeakyRelu Less Log LogSoftmax Loop LpNormalization LpPool ' +
    'MatMul MatMulInteger Max MaxPool MaxRoiPool MaxUnpool Mean MeanVarianceNormalization Min Mish Mod Mul Multinomial Neg ' +
    'NonMaxSuppression NonZero Not OneHot Optional Or PRelu Pad Pow QLinearConv QLinearMatMul QuantizeLinear RNN RandomNormal ' +
    'Range Reciprocal ReduceL1 ReduceL2 ReduceLogSum ReduceLogSumExp ReduceMax ReduceMean ReduceMin ReduceProd ReduceSum ' +
    'ReduceSumSquare Relu Reshape Resize ReverseSequence RoiAlign Round Scan Scatter ScatterElements ScatterND Selu ' +
    'SequenceAt SequenceConstruct Shape Shrink Sigmoid Sign Sin Size Slice Softmax Softplus Softsign SpaceToDepth Split ' +
    'SplitToSequence Sqrt Squeeze StringNormalizer Sub Sum Swish Tan Tanh ThresholdedRelu Tile TopK Transpose Trilu Unique ' +
    'Unsqueeze Upsample Where Xor constructor __proto__ toString'
  ).split(' '),
] as [string, ...string[]]

/** Those that keep what they take, near enough, so that the rest of a graph often still fits. */
const likely: readonly [string, ...string[]] = [
  'Relu',
  'LeakyRelu',
  'Elu',
  'Sigmoid',
  'Tanh',
  'HardSigmoid',
  'HardSwish',
  'Clip',
  'Abs',
  'Neg',
  'Exp',
  'Sqrt',
  'Softmax',
  'LogSoftmax',
  'LRN',
  'Identity',
  'Dropout',
  'Softplus',
  'Selu',
  'Gelu',
  'Erf',
  'Floor',
  'Transpose',
  'MaxPool',
  'AveragePool',
  'GlobalAveragePool',
  'GlobalMaxPool',
  'ReduceMean',
  'ReduceMax',
  'ReduceSum',
  'Flatten',
  'InstanceNormalization',
  'LpNormalization',
  'Max',
  'Min',
  'Sum',
  'Mean',
  'Mul',
  'Add',
  'Sub',
  'Div',
  'Pow',
  'MatMul',
  'Concat',
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

/** Attributes that operators have or do not have. */
const further: readonly [() => AttributeProto, ...(() => AttributeProto)[]] = [
  () => intsNamed('dilations', [2n, 2n]),
  () => intsNamed('strides', [2n, 3n]),
  () => intsNamed('strides', [4096n, 4096n]),
  () => intsNamed('kernel_shape', [1n, 1n]),
  () => intsNamed('kernel_shape', [4096n, 4096n]),
  () => intsNamed('pads', [1n, 0n, 2n, 3n]),
  () => intsNamed('pads', [4095n, 4095n, 4095n, 4095n]),
  () => intsNamed('pads', [-1n, 0n, 0n, 0n]),
  () => intsNamed('axes', [-1n, 1n, 1n]),
  () => intsNamed('perm', [3n, 0n, 1n, 2n]),
  () => intNamed('ceil_mode', 1n),
  () => intNamed('count_include_pad', 1n),
  () => intNamed('group', 2n),
  () => intNamed('axis', -1n),
  () => intNamed('axis', 0n),
  () => intNamed('keepdims', 0n),
  () => intNamed('transA', 1n),
  () => intNamed('transB', 1n),
  () => intNamed('allowzero', 1n),
  () => intNamed('size', 2n ** 31n),
  () => intNamed('training_mode', 1n),
  () => floatNamed('alpha', NaN),
  () => floatNamed('alpha', 0),
  () => floatNamed('beta', -1e38),
  () => floatNamed('epsilon', -1),
  () => textNamed('auto_pad', 'SAME_LOWER'),
  () => textNamed('auto_pad', 'VALID'),
  () => textNamed('activation', 'HardSigmoid'),
]

function intsNamed(name: string, ints: bigint[]): AttributeProto {
  return create(AttributeProtoSchema, { name, type: AttributeType.INTS, ints })
}

function intNamed(name: string, i: bigint): AttributeProto {
  return create(AttributeProtoSchema, { name, type: AttributeType.INT, i })
}

function floatNamed(name: string, f: number): AttributeProto {
  return create(AttributeProtoSchema, { name, type: AttributeType.FLOAT, f })
}

function textNamed(name: string, s: string): AttributeProto {
  return create(AttributeProtoSchema, { name, type: AttributeType.STRING, s: Buffer.from(s) })
}

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

/** A branch of a node that is there, within branches. */
function nested(graph: GraphProto, random: Random): void {
  const node = oneOf(graph.node, random)
  if (!node) return
  const depth = random.pick([1, 2, 10, 30, 45, 60, 200])
  let inner = create(GraphProtoSchema, { name: 'inner', node: [{ ...node }], output: graph.output })
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
      return
    }
    inner = create(GraphProtoSchema, { name: 'inner', node: [{ ...node, attribute, opType }] })
  }
}
