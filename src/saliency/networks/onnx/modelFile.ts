import { fromBinary } from '@bufbuild/protobuf'
import { ModelProtoSchema, type GraphProto, type ModelProto } from 'onnx-buf'
import { InputError } from '../../../base/errors.ts'

/** An ONNX file as its protobuf holds it. Bytes of tensors are views of the file's. */
export interface ModelFile {
  readonly model: ModelProto
  readonly graph: GraphProto
}

/**
 * Whether bytes are an ONNX file's: protobuf has no mark of its own, but every writer begins with field 1, the small number
 * of the format's version, and goes on with a field that a model has.
 */
export function isOnnx(bytes: Uint8Array): boolean {
  const [first, version = 0, next = 0, length = 0, letter = 0] = bytes
  if (first !== 0x08 || version < 1 || version > 0x20 || !modelFields.has(next)) return false
  // The producer's name. TensorFlow's SavedModels and Core ML's networks begin alike, with a message in its place.
  return next !== 0x12 || length === 0 || (length < 0x80 && letter >= 0x20)
}

/** Tags of the fields that follow: producer, domain, version, text, graph, operator sets, metadata, functions. */
const modelFields = new Set([0x12, 0x1a, 0x22, 0x28, 0x32, 0x3a, 0x42, 0x72, 0xca])

/** Ten times as many as large networks have with all their shape arithmetic. More would take minutes to read. */
const mostOperators = 2 ** 14

/** InputErrors: `bad-checkpoint` for bytes that end early or are no ONNX file after all, `unsupported-network` for too many operators. */
export function readModelFile(bytes: Uint8Array, file: string): ModelFile {
  let model: ModelProto
  try {
    model = fromBinary(ModelProtoSchema, bytes)
  } catch (error) {
    throw new InputError('bad-checkpoint', `${file} is a damaged ONNX file: copy or download it again`, {
      cause: error,
    })
  }
  if (model.graph === undefined || model.graph.node.length === 0) {
    throw new InputError('bad-checkpoint', `${file} is an ONNX file without a network in it: export it again`)
  }
  const count = operatorsIn(model.graph)
  if (count > mostOperators) {
    throw new InputError(
      'unsupported-network',
      `${file} has ${count} operators, and headlight reads up to ${mostOperators}: export the network without unrolled loops`,
    )
  }
  return { model, graph: model.graph }
}

/** Those of branches and loops included. */
function operatorsIn({ node }: GraphProto): number {
  let count = node.length
  for (const { attribute } of node) for (const { g } of attribute) if (g !== undefined) count += operatorsIn(g)
  return count
}
