import { create, toBinary } from '@bufbuild/protobuf'
import {
  AttributeProtoSchema,
  AttributeProto_AttributeType as AttributeType,
  TensorProto_DataLocation as DataLocation,
  TensorProto_DataType as DataType,
  GraphProtoSchema,
  ModelProtoSchema,
  NodeProtoSchema,
  StringStringEntryProtoSchema,
  TensorProtoSchema,
  ValueInfoProtoSchema,
  type NodeProto,
  type TensorProto,
} from 'onnx-buf'

export interface TinyOnnxOptions {
  /** Of the weights: another seed is the same network trained anew. */
  readonly seed?: number
  /** The file in which the weights lie; in the ONNX file itself where it is left out. */
  readonly externalData?: string
  /** Width and height of the image in pixels. */
  readonly side?: number
  /** How many numbers each output gives. */
  readonly outputs?: Readonly<Record<string, number>>
}

export interface TinyOnnx {
  /** The ONNX file. */
  readonly bytes: Uint8Array
  /** The second file; empty where there is none. */
  readonly data: Uint8Array
}

const channels = 4
const oneForEachAngle = { fc_yaw: 1, fc_pitch: 1, fc_roll: 1 }

/**
 * A convolution of 3×3 with stride 2, a ReLU, the mean over the picture, and a linear layer for each output: `fc_yaw`,
 * `fc_pitch` and `fc_roll`, each an angle, unless others are asked for. Equal options give equal bytes, and the seed alone changes nothing of the
 * ONNX file where the weights lie in a second one.
 */
export function tinyOnnx(options: TinyOnnxOptions = {}): TinyOnnx {
  const { seed = 1, externalData, side = 32, outputs = oneForEachAngle } = options
  const heads = Object.entries(outputs)
  const random = numbersFrom(seed)
  const shapes: readonly (readonly [name: string, shape: readonly number[]])[] = [
    ['conv.weight', [channels, 3, 3, 3]],
    ['conv.bias', [channels]],
    ...heads.flatMap(([name, count]) => [
      [`${name}.weight`, [count, channels]] as const,
      [`${name}.bias`, [count]] as const,
    ]),
  ]
  const parts: Uint8Array[] = []
  let offset = 0
  const initializer = shapes.map(([name, shape]): TensorProto => {
    const count = shape.reduce((product, length) => product * length, 1)
    const rawData = new Uint8Array(Float32Array.from({ length: count }, random).buffer)
    const tensor = { name, dataType: DataType.FLOAT, dims: shape.map(BigInt) }
    if (externalData === undefined) return create(TensorProtoSchema, { ...tensor, rawData })
    const entries = { location: externalData, offset: String(offset), length: String(rawData.length) }
    parts.push(rawData)
    offset += rawData.length
    return create(TensorProtoSchema, {
      ...tensor,
      dataLocation: DataLocation.EXTERNAL,
      externalData: Object.entries(entries).map(([key, value]) => create(StringStringEntryProtoSchema, { key, value })),
    })
  })
  const graph = create(GraphProtoSchema, {
    name: 'tiny',
    initializer,
    node: [
      node('Conv', ['image', 'conv.weight', 'conv.bias'], 'conv', {
        kernel_shape: [3, 3],
        pads: [1, 1, 1, 1],
        strides: [2, 2],
      }),
      node('Relu', ['conv'], 'relu'),
      node('GlobalAveragePool', ['relu'], 'mean'),
      node('Flatten', ['mean'], 'features', { axis: 1 }),
      ...heads.map(([name]) => node('Gemm', ['features', `${name}.weight`, `${name}.bias`], name, { transB: 1 })),
    ],
    input: [floats('image', [1, 3, side, side])],
    output: heads.map(([name, count]) => floats(name, [1, count])),
  })
  const model = create(ModelProtoSchema, {
    irVersion: 9n,
    producerName: 'headlight-test',
    opsetImport: [{ domain: '', version: 18n }],
    graph,
  })
  return { bytes: toBinary(ModelProtoSchema, model), data: Buffer.concat(parts) }
}

/** Between -1 and 1, the same for the same seed. */
function numbersFrom(seed: number): () => number {
  let state = seed
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return state / 2 ** 31 - 1
  }
}

function node(
  opType: string,
  input: string[],
  output: string,
  attributes: Readonly<Record<string, number | readonly number[]>> = {},
): NodeProto {
  const attribute = Object.entries(attributes).map(([name, value]) =>
    typeof value === 'number'
      ? create(AttributeProtoSchema, { name, type: AttributeType.INT, i: BigInt(value) })
      : create(AttributeProtoSchema, { name, type: AttributeType.INTS, ints: value.map(BigInt) }),
  )
  return create(NodeProtoSchema, { name: output, opType, input, output: [output], attribute })
}

function floats(name: string, shape: readonly number[]) {
  const dim = shape.map((length) => ({ value: { case: 'dimValue' as const, value: BigInt(length) } }))
  const value = { case: 'tensorType' as const, value: { elemType: DataType.FLOAT, shape: { dim } } }
  return create(ValueInfoProtoSchema, { name, type: { value } })
}
