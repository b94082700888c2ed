import { create } from '@bufbuild/protobuf'
import {
  TensorProto_DataLocation as DataLocation,
  TensorProto_DataType as DataType,
  SparseTensorProtoSchema,
  StringStringEntryProtoSchema,
  TensorProtoSchema,
  type GraphProto,
  type TensorProto,
} from 'onnx-buf'
import type { Random } from '../../../../kill/random.ts'
import { floats, integers, oneOf, strangeNames, tensorsOf } from './telling.ts'

type Mutation = (graph: GraphProto, random: Random) => void

/** Weights, and numbers of shapes, that are not what they say, or not what they were. */
export const tensorMutations: readonly [Mutation, ...Mutation[]] = [
  ofTensor(dims),
  ofTensor(dims),
  ofTensor((tensor, random) => {
    tensor.dataType = random.unit() < 0.8 ? random.integer(0, 26) : Number(BigInt.asIntN(31, random.pick(integers)))
  }),
  ofTensor(length),
  ofTensor(listed),
  ofTensor(strangeFloat),
  ofTensor(text),
  shapeConstant,
  shapeConstant,
  shapeConstant,
  shapeConstant,
  external,
  external,
  external,
  // Removed, there twice, called otherwise.
  (graph, random) => void graph.initializer.splice(random.integer(0, graph.initializer.length - 1), 1),
  (graph, random) => {
    const tensor = oneOf(graph.initializer, random)
    if (tensor) graph.initializer.push(create(TensorProtoSchema, { ...tensor, dims: [...tensor.dims, 1n] }))
  },
  ofTensor((tensor, random) => {
    tensor.name = random.pick(strangeNames)
  }),
  sparse,
]

function ofTensor(mutation: (tensor: TensorProto, random: Random) => void): Mutation {
  return (graph, random) => {
    const tensor = oneOf(tensorsOf(graph), random)
    if (tensor) mutation(tensor, random)
  }
}

function dims(tensor: TensorProto, random: Random): void {
  const at = random.integer(0, tensor.dims.length - 1)
  const kind = random.unit()
  if (kind < 0.5) tensor.dims[at] = random.pick(integers)
  else if (kind < 0.6) tensor.dims.splice(at, 1)
  else if (kind < 0.7) tensor.dims.push(random.pick(integers))
  else if (kind < 0.8) tensor.dims.reverse()
  else if (kind < 0.9) tensor.dims = [tensor.dims.reduce((product, length) => product * length, 1n)]
  else tensor.dims = Array.from({ length: random.pick([9, 70, 3000]) }, () => random.pick([1n, 2n]))
}

function length(tensor: TensorProto, random: Random): void {
  const { rawData } = tensor
  const kind = random.unit()
  if (kind < 0.4) tensor.rawData = rawData.subarray(0, random.integer(0, Math.max(0, rawData.length - 1)))
  else if (kind < 0.7) tensor.rawData = Buffer.concat([rawData, Buffer.alloc(random.pick([1, 2, 4, 4000]))])
  else tensor.rawData = new Uint8Array()
}

/** In the fields for each type, in place of bytes. */
function listed(tensor: TensorProto, random: Random): void {
  const bytes = Uint8Array.from(tensor.rawData)
  if (bytes.length % 4 === 0) tensor.floatData = [...new Float32Array(bytes.buffer)]
  if (random.unit() < 0.8) tensor.rawData = new Uint8Array()
  const kind = random.unit()
  if (kind < 0.3) tensor.floatData.push(1)
  else if (kind < 0.4) tensor.int32Data = tensor.floatData.map((value) => Math.trunc(value) | 0)
  else if (kind < 0.5) tensor.int64Data = tensor.dims
  else if (kind < 0.6) tensor.stringData = [new Uint8Array(3)]
}

function strangeFloat(tensor: TensorProto, random: Random): void {
  const bytes = Buffer.from(tensor.rawData)
  if (bytes.length < 4) return
  for (let left = random.pick([1, 1, 1000]); left > 0; left--) {
    bytes.writeFloatLE(random.pick(floats), 4 * random.integer(0, Math.floor(bytes.length / 4) - 1))
  }
  tensor.rawData = bytes
}

function text(tensor: TensorProto): void {
  tensor.dataType = DataType.STRING
  const count = tensor.dims.reduce((product, side) => product * side, 1n)
  tensor.stringData = Array.from({ length: Number(count > 1000n ? 1000n : count) }, () => Buffer.from('text'))
  tensor.rawData = new Uint8Array()
}

/** A number among axes, sizes or indices. */
function shapeConstant(graph: GraphProto, random: Random): void {
  const shapes = tensorsOf(graph).filter(({ dataType, rawData }) => dataType === 7 && rawData.length <= 64)
  const tensor = oneOf(shapes, random)
  if (!tensor) return
  const numbers = new BigInt64Array(Uint8Array.from(tensor.rawData).buffer.slice(0, tensor.rawData.length & ~7))
  if (numbers.length === 0) tensor.int64Data = tensor.int64Data.map(() => random.pick(integers))
  numbers[random.integer(0, numbers.length - 1)] = random.pick(integers)
  tensor.rawData = new Uint8Array(numbers.buffer)
}

const entries = {
  location: [
    '../x',
    '/etc/passwd',
    '',
    '.',
    '..',
    'a\u0000b',
    'a/b',
    'a\\b',
    'mutant.onnx',
    'x'.repeat(300),
    '__proto__',
  ],
  offset: ['0', '1', '-1', '4', '4096', '99999999999', '1e3', '', 'NaN', '9007199254740993', '0x10', ' 4'],
  length: ['0', '1', '-1', '4', '99999999999', '1e3', '', 'NaN', '9007199254740993', '8'],
} as const

/** Where numbers lie in a second file: elsewhere, or in one that was never meant. */
function external(graph: GraphProto, random: Random): void {
  const outside = tensorsOf(graph).filter(({ dataLocation }) => dataLocation === DataLocation.EXTERNAL)
  const tensor = oneOf(outside.length > 0 && random.unit() < 0.9 ? outside : tensorsOf(graph), random)
  if (!tensor) return
  const key = random.pick<keyof typeof entries>(['location', 'offset', 'offset', 'length', 'length'])
  const value = random.pick(entries[key] as readonly [string, ...string[]])
  const kind = random.unit()
  if (kind < 0.1) tensor.dataLocation = random.pick([0, 1, 2 as DataLocation])
  else if (kind < 0.2) tensor.externalData.splice(random.integer(0, tensor.externalData.length - 1), 1)
  else {
    tensor.dataLocation = DataLocation.EXTERNAL
    const entry = tensor.externalData.find((other) => other.key === key)
    if (entry) entry.value = value
    else tensor.externalData.push(create(StringStringEntryProtoSchema, { key, value }))
  }
  // All of them, so that not the number of files alone is refused.
  if (key !== 'location' || kind < 0.2 || random.unit() < 0.5) return
  for (const other of outside) {
    const entry = other.externalData.find((one) => one.key === 'location')
    if (entry) entry.value = value
  }
}

function sparse(graph: GraphProto, random: Random): void {
  const at = random.integer(0, graph.initializer.length - 1)
  const [values] = graph.initializer.splice(at, 1)
  if (!values) return
  const indices = create(TensorProtoSchema, { dataType: DataType.INT64, dims: [1n], int64Data: [0n] })
  const tensor = random.unit() < 0.9 ? { values, indices, dims: values.dims } : { dims: values.dims }
  graph.sparseInitializer.push(create(SparseTensorProtoSchema, tensor))
}
