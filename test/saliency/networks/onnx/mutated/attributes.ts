import { create } from '@bufbuild/protobuf'
import { AttributeProtoSchema, AttributeProto_AttributeType as AttributeType, type AttributeProto } from 'onnx-buf'

/** Attributes that operators have or do not have. */
export const further: readonly [() => AttributeProto, ...(() => AttributeProto)[]] = [
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

export function intsNamed(name: string, ints: bigint[]): AttributeProto {
  return create(AttributeProtoSchema, { name, type: AttributeType.INTS, ints })
}

export function intNamed(name: string, i: bigint): AttributeProto {
  return create(AttributeProtoSchema, { name, type: AttributeType.INT, i })
}

function floatNamed(name: string, f: number): AttributeProto {
  return create(AttributeProtoSchema, { name, type: AttributeType.FLOAT, f })
}

export function textNamed(name: string, s: string): AttributeProto {
  return create(AttributeProtoSchema, { name, type: AttributeType.STRING, s: Buffer.from(s) })
}
