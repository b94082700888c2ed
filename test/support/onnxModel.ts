import { create, toBinary } from '@bufbuild/protobuf'
import {
  TensorProto_DataType as DataType,
  GraphProtoSchema,
  ModelProtoSchema,
  ValueInfoProtoSchema,
  type ValueInfoProto,
} from 'onnx-buf'
import { nodesOf, type Step } from './onnxCase.ts'

/** A tensor as a graph declares it; a side that is a text is open. */
export interface Declared {
  readonly name: string
  readonly shape: readonly (number | string)[]
  readonly type?: 'float' | 'uint8' | 'int64'
}

export interface OnnxModelOptions {
  readonly inputs?: readonly Declared[]
  readonly outputs?: readonly string[]
  readonly steps: readonly Step[]
  /** 17 unless it is said. */
  readonly opset?: number
}

/** An ONNX file of few nodes. Its input is `x`, one image of 3×16×16, and its output `y`, unless others are given. */
export function onnxModel({
  inputs = [{ name: 'x', shape: [1, 3, 16, 16] }],
  outputs = ['y'],
  steps,
  opset = 17,
}: OnnxModelOptions): Uint8Array {
  const graph = create(GraphProtoSchema, {
    name: 'model',
    ...nodesOf(steps),
    input: inputs.map(valueInfo),
    output: outputs.map((name) => create(ValueInfoProtoSchema, { name })),
  })
  const opsetImport = [
    { domain: '', version: BigInt(opset) },
    { domain: 'com.microsoft', version: 1n },
  ]
  const model = { irVersion: 8n, producerName: 'tests', producerVersion: '1', opsetImport, graph }
  return toBinary(ModelProtoSchema, create(ModelProtoSchema, model))
}

function valueInfo({ name, shape, type = 'float' }: Declared): ValueInfoProto {
  const elemType = { float: DataType.FLOAT, uint8: DataType.UINT8, int64: DataType.INT64 }[type]
  const dim = shape.map((side) => ({
    value:
      typeof side === 'number'
        ? { case: 'dimValue' as const, value: BigInt(side) }
        : { case: 'dimParam' as const, value: side },
  }))
  return create(ValueInfoProtoSchema, {
    name,
    type: { value: { case: 'tensorType', value: { elemType, shape: { dim } } } },
  })
}
