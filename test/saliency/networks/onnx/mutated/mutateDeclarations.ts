import { create } from '@bufbuild/protobuf'
import {
  AttributeProtoSchema,
  FunctionProtoSchema,
  OperatorSetIdProtoSchema,
  TypeProtoSchema,
  ValueInfoProtoSchema,
  type ModelProto,
  type ValueInfoProto,
} from 'onnx-buf'
import type { Random } from '../../../../kill/random.ts'
import { dimsOf, integers, oneOf, strangeNames, tensorNames } from './telling.ts'

type Mutation = (model: ModelProto, random: Random) => void

/** What a file says of itself: its inputs, outputs and operator sets. */
export const declarationMutations: readonly [Mutation, ...Mutation[]] = [
  // Batch, channels, height, width.
  side([0], [0n, 1n, 2n, 3n, 7n, -1n, 1000n, 2n ** 40n]),
  side([0], [2n, 3n, 7n]),
  side([1, 2, 3], [0n, 1n, 2n, 3n, 4n, -1n, 5n, 100_000n, 2n ** 31n, 2n ** 62n]),
  side([2, 3], [1n, 7n, 8n, 33n, 512n, 4096n, 5000n, 100_000n]),
  (model, random) => {
    const dim = oneOf(imageDims(model), random)
    if (dim) dim.value = random.unit() < 0.7 ? { case: 'dimParam', value: 'N' } : { case: undefined }
  },
  (model) => {
    for (const dim of imageDims(model)) dim.value = { case: 'dimParam', value: 'open' }
  },
  (model, random) => {
    const all = imageDims(model)
    const chance = random.unit()
    if (chance < 0.3) all.pop()
    else if (chance < 0.6) all.push(...all.slice(0, 1))
    else if (chance < 0.8) all.push(...all.splice(1, 1))
    else all.length = 0
  },
  (model, random) => {
    const { type } = oneOf(model.graph?.input ?? [], random) ?? {}
    if (type?.value.case === 'tensorType') type.value.value.elemType = random.integer(-1, 26)
  },
  // Something that is no tensor, or nothing.
  (model, random) => {
    const input = oneOf([...(model.graph?.input ?? []), ...(model.graph?.output ?? [])], random)
    if (!input) return
    const elemType = input.type
    const kinds = ['sequenceType', 'optionalType', 'mapType', undefined] as const
    const kind = random.pick(kinds)
    if (kind === undefined) delete input.type
    else input.type = create(TypeProtoSchema, { value: { case: kind, value: elemType ? { elemType } : {} } as never })
  },
  // Another image, or the same once more.
  ({ graph }, random) => {
    const [input] = graph?.input ?? []
    if (!graph || !input) return
    graph.input.push(copied(input, random.unit() < 0.7 ? 'another' : input.name))
    const node = oneOf(graph.node, random)
    if (node && random.unit() < 0.5) node.input[0] = 'another'
  },
  ({ graph }) => void graph?.input.pop(),
  ({ graph }, random) => {
    for (const { name } of graph?.initializer ?? []) {
      if (random.unit() < 0.5) graph?.input.push(create(ValueInfoProtoSchema, { name }))
    }
  },
  // Outputs: of inputs, of weights, of anything; none, or each of them.
  ({ graph }, random) => {
    const output = oneOf(graph?.output ?? [], random)
    const name = graph && oneOf([...tensorNames(graph), ...strangeNames], random)
    if (output && name !== undefined) output.name = name
  },
  ({ graph }, random) => {
    if (!graph) return
    const names = tensorNames(graph)
    const chance = random.unit()
    if (chance < 0.2) graph.output = []
    else if (chance < 0.4) graph.output.push(...graph.output)
    else if (chance < 0.6) graph.output = names.map((name) => create(ValueInfoProtoSchema, { name }))
    else
      graph.output = [names, names, names].map((all) =>
        create(ValueInfoProtoSchema, { name: oneOf(all, random) ?? '' }),
      )
  },
  renamed,
  renamed,
  (model, random) => {
    const set = oneOf(model.opsetImport, random)
    if (set) set.version = random.unit() < 0.8 ? BigInt(random.integer(0, 30)) : random.pick(integers)
  },
  (model, random) => {
    const chance = random.unit()
    const domain = random.pick(['', 'ai.onnx', 'ai.onnx.ml', 'com.microsoft', '__proto__'])
    if (chance < 0.2) model.opsetImport = []
    else if (chance < 0.4) for (const set of model.opsetImport) set.domain = domain
    else model.opsetImport.push(create(OperatorSetIdProtoSchema, { domain, version: BigInt(random.integer(0, 30)) }))
  },
  (model) => void delete model.graph,
  ({ graph }) => {
    if (graph) graph.node = []
  },
  (model, random) => void (model.irVersion = random.pick(integers)),
  // An operator that the file itself defines.
  (model, random) => {
    const node = oneOf(model.graph?.node ?? [], random)
    if (!node || !model.graph) return
    node.domain = 'local'
    const { opType: name, input, output } = node
    const domain = random.pick(['local', ''])
    model.functions.push(create(FunctionProtoSchema, { name, domain, input, output, node: model.graph.node }))
    model.opsetImport.push(create(OperatorSetIdProtoSchema, { domain: 'local', version: 1n }))
    node.attribute.push(create(AttributeProtoSchema, { name: 'of', refAttrName: 'another' }))
  },
  ({ graph }, random) => {
    const value = random.pick(strangeNames)
    if (graph) graph.name = value
  },
  (model, random) => {
    model.producerName = random.pick(strangeNames)
    model.producerVersion = random.pick(strangeNames)
  },
]

function side(axes: readonly [number, ...number[]], lengths: readonly [bigint, ...bigint[]]): Mutation {
  return (model, random) => {
    const dim = imageDims(model)[random.pick(axes)]
    if (dim) dim.value = { case: 'dimValue', value: random.pick(lengths) }
  }
}

function imageDims({ graph }: ModelProto) {
  for (const input of graph?.input ?? []) {
    const dims = dimsOf(input)
    if (dims?.length === 4) return dims
  }
  return []
}

/** A tensor that is called otherwise wherever it is named. */
function renamed({ graph }: ModelProto, random: Random): void {
  if (!graph) return
  const ends = random.unit() < 0.5 ? graph.output.map(({ name }) => name) : tensorNames(graph)
  const old = oneOf(ends, random)
  const name = random.unit() < 0.8 ? random.pick(strangeNames) : oneOf(tensorNames(graph), random)
  if (old === undefined || name === undefined) return
  for (const value of [...graph.input, ...graph.output, ...graph.initializer]) if (value.name === old) value.name = name
  for (const node of graph.node) {
    node.input = node.input.map((other) => (other === old ? name : other))
    node.output = node.output.map((other) => (other === old ? name : other))
  }
}

function copied({ type }: ValueInfoProto, name: string): ValueInfoProto {
  return create(ValueInfoProtoSchema, type ? { name, type } : { name })
}
