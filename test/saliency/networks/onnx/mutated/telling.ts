import type { GraphProto, TensorProto, ValueInfoProto } from 'onnx-buf'
import type { Random } from '../../../../kill/random.ts'

/** Numbers at which readers go wrong. */
export const integers: readonly [bigint, ...bigint[]] = [
  0n,
  -1n,
  1n,
  2n,
  3n,
  7n,
  -2n,
  64n,
  4095n,
  65_536n,
  100_000n,
  2n ** 24n,
  2n ** 28n,
  2n ** 31n - 1n,
  2n ** 31n,
  2n ** 53n,
  2n ** 63n - 1n,
  -(2n ** 63n),
]

export const floats: readonly [number, ...number[]] = [
  0,
  -0,
  -1,
  1,
  6,
  0.5,
  1e-30,
  1e30,
  -3.4e38,
  NaN,
  Infinity,
  -Infinity,
]

/** Names at which readers go wrong. */
export const strangeNames: readonly [string, ...string[]] = [
  '__proto__',
  'constructor',
  'toString',
  'hasOwnProperty',
  '',
  ' ',
  '\u0000',
  'line\nbreak',
  'a"b\\c',
  '../x',
  'é\u202e',
  'yaw',
  'x'.repeat(100_000),
]

/** One of a list that may be empty. */
export function oneOf<T>(list: readonly T[], random: Random): T | undefined {
  return list[random.integer(0, list.length - 1)]
}

/** Every name of a tensor in a graph. */
export function tensorNames({ node, initializer, input }: GraphProto): string[] {
  return [
    ...initializer.map(({ name }) => name),
    ...input.map(({ name }) => name),
    ...node.flatMap(({ output }) => output),
  ]
}

/** Tensors of weights and of shapes, those among the attributes of nodes included. */
export function tensorsOf({ node, initializer }: GraphProto): TensorProto[] {
  return [...initializer, ...node.flatMap(({ attribute }) => attribute.flatMap(({ t }) => t ?? []))]
}

/** The axes that an input or output is declared with; undefined where it is declared without. */
export function dimsOf({ type }: ValueInfoProto) {
  return type?.value.case === 'tensorType' ? type.value.value.shape?.dim : undefined
}
