import { create, toBinary } from '@bufbuild/protobuf'
import { BinaryWriter, WireType } from '@bufbuild/protobuf/wire'
import {
  AttributeProtoSchema,
  AttributeProto_AttributeType as AttributeType,
  TensorProto_DataType as DataType,
  GraphProtoSchema,
  ModelProtoSchema,
  NodeProtoSchema,
  TensorProtoSchema,
  ValueInfoProtoSchema,
  type AttributeProto,
  type NodeProto,
  type TensorProto,
  type ValueInfoProto,
} from 'onnx-buf'
import type { DType, Shape } from '../graph.ts'

/** ONNX operator set and file version that the written models ask for. */
const operatorSet = 20n
const irVersion = 9n

type AttributeValue = number | string | readonly number[] | { readonly float: number }

/** Collects nodes and constants and writes them as one ONNX file. Names are made here and are unique. */
export class OnnxModel {
  readonly #nodes: NodeProto[] = []
  readonly #initializers: TensorProto[] = []
  readonly #inputs: ValueInfoProto[] = []
  readonly #outputs: ValueInfoProto[] = []
  readonly #int64Names = new Map<string, string>()
  #count = 0

  input(name: string, dtype: DType, shape: Shape): string {
    this.#inputs.push(valueInfo(name, dtype, shape))
    return name
  }

  output(name: string, from: string, dtype: DType, shape: Shape): void {
    // A graph output needs a name of its own, also when an input or another output has the same value.
    this.#nodes.push(create(NodeProtoSchema, { opType: 'Identity', input: [from], output: [name] }))
    this.#outputs.push(valueInfo(name, dtype, shape))
  }

  floats(data: Float32Array, shape: Shape): string {
    const name = this.#fresh('w')
    this.#initializers.push(
      create(TensorProtoSchema, {
        name,
        dataType: DataType.FLOAT,
        dims: shape.map(BigInt),
        rawData: bytesOf(data),
      }),
    )
    return name
  }

  /** Small whole numbers (axes, shapes, indices); equal ones are stored once. */
  ints(data: readonly number[]): string {
    const key = data.join()
    const known = this.#int64Names.get(key)
    if (known !== undefined) return known
    const name = this.#fresh('i')
    this.#initializers.push(
      create(TensorProtoSchema, {
        name,
        dataType: DataType.INT64,
        dims: [BigInt(data.length)],
        rawData: bytesOf(BigInt64Array.from(data, BigInt)),
      }),
    )
    this.#int64Names.set(key, name)
    return name
  }

  /** Adds a node with one output, whose name comes back. */
  node(opType: string, inputs: readonly string[], attributes: Readonly<Record<string, AttributeValue>> = {}): string {
    return this.nodeWithOutputs(opType, inputs, attributes, 1)[0] ?? ''
  }

  nodeWithOutputs(
    opType: string,
    inputs: readonly string[],
    attributes: Readonly<Record<string, AttributeValue>>,
    outputCount: number,
  ): string[] {
    const output = Array.from({ length: outputCount }, () => this.#fresh('v'))
    this.#nodes.push(
      create(NodeProtoSchema, {
        name: output[0] ?? '',
        opType,
        input: [...inputs],
        output,
        attribute: Object.entries(attributes).map(([name, value]) => attribute(name, value)),
      }),
    )
    return output
  }

  bytes(): Uint8Array {
    // Some writers use a value's origin rather than the value.
    const used = new Set(this.#outputs.map(({ name }) => name))
    const nodes = this.#nodes.toReversed().filter(({ input, output }) => {
      const needed = output.some((name) => used.has(name))
      if (needed) for (const name of input) used.add(name)
      return needed
    })
    const tensors = this.#initializers.filter(({ name }) => used.has(name))
    const model = toBinary(
      ModelProtoSchema,
      create(ModelProtoSchema, {
        irVersion,
        producerName: 'headlight',
        opsetImport: [{ domain: '', version: operatorSet }],
      }),
    )
    const graph = toBinary(
      GraphProtoSchema,
      create(GraphProtoSchema, {
        name: 'saliency',
        node: nodes.toReversed(),
        input: this.#inputs,
        output: this.#outputs,
      }),
    )
    // The encoder copies nested messages once per level, which takes a second for the weights of a DenseNet-121. Fields
    // of a message may be appended to it, so the weights go in by hand, each copied once.
    const weights = tensors.flatMap(({ name, dataType, dims, rawData }) => {
      const head = toBinary(TensorProtoSchema, create(TensorProtoSchema, { name, dataType, dims }))
      const data = [lengthDelimited(TensorProtoSchema.field.rawData.number, rawData.length), rawData]
      const length = head.length + data.reduce((total, part) => total + part.length, 0)
      return [lengthDelimited(GraphProtoSchema.field.initializer.number, length), head, ...data]
    })
    const graphLength = weights.reduce((total, part) => total + part.length, graph.length)
    return Buffer.concat([model, lengthDelimited(ModelProtoSchema.field.graph.number, graphLength), graph, ...weights])
  }

  #fresh(prefix: string): string {
    return `${prefix}${this.#count++}`
  }
}

function attribute(name: string, value: AttributeValue): AttributeProto {
  if (typeof value === 'string') {
    return create(AttributeProtoSchema, { name, type: AttributeType.STRING, s: new TextEncoder().encode(value) })
  }
  if (typeof value === 'number')
    return create(AttributeProtoSchema, { name, type: AttributeType.INT, i: BigInt(value) })
  if ('float' in value) return create(AttributeProtoSchema, { name, type: AttributeType.FLOAT, f: value.float })
  return create(AttributeProtoSchema, { name, type: AttributeType.INTS, ints: value.map(BigInt) })
}

function valueInfo(name: string, dtype: DType, shape: Shape): ValueInfoProto {
  return create(ValueInfoProtoSchema, {
    name,
    type: {
      value: {
        case: 'tensorType',
        value: {
          elemType: dtype === 'uint8' ? DataType.UINT8 : DataType.FLOAT,
          shape: { dim: shape.map((length) => ({ value: { case: 'dimValue' as const, value: BigInt(length) } })) },
        },
      },
    },
  })
}

function bytesOf(data: Float32Array | BigInt64Array): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(data.buffer, data.byteOffset, data.byteLength)
  return bytes.buffer instanceof ArrayBuffer ? (bytes as Uint8Array<ArrayBuffer>) : Uint8Array.from(bytes)
}

/** Tag and length of a protobuf field whose `length` bytes follow. */
function lengthDelimited(fieldNumber: number, length: number): Uint8Array {
  return new BinaryWriter().tag(fieldNumber, WireType.LengthDelimited).uint32(length).finish()
}
