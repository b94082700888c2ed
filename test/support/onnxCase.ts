import { create, toBinary } from '@bufbuild/protobuf'
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
  type GraphProto,
  type ModelProto,
  type NodeProto,
  type TensorProto,
  type ValueInfoProto,
} from 'onnx-buf'
import { InferenceSession, Tensor } from 'onnxruntime-node'
import { expect, it } from 'vitest'
import { evaluate } from '../../src/saliency/engines/reference.ts'
import { elements, type Shape } from '../../src/saliency/graph.ts'
import { importGraph } from '../../src/saliency/networks/onnx/graphImport.ts'
import { shapeOf, type Value } from '../../src/saliency/networks/onnx/value.ts'
import { make } from '../../src/saliency/ops.ts'
import { seededRandom } from './operationExamples.ts'

/** A whole number is an INT, and `{ float }` a FLOAT, `{ floats }` FLOATS. */
type AttributeValue =
  | number
  | string
  | readonly number[]
  | Numbers
  | Branch
  | { readonly float: number }
  | { readonly floats: readonly number[] }

/** A graph inside a node, with one output. */
interface Branch {
  readonly steps: readonly Step[]
  readonly output: string
}

/** A tensor of the file. */
interface Numbers {
  readonly type: 'float' | 'int64' | 'bool'
  readonly shape: Shape
  readonly data: readonly number[]
}

export function ints(...data: readonly number[]): Numbers {
  return { type: 'int64', shape: [data.length], data }
}

export function int(value: number): Numbers {
  return { type: 'int64', shape: [], data: [value] }
}

export function floats(...data: readonly number[]): Numbers {
  return { type: 'float', shape: [data.length], data }
}

export function float(value: number): Numbers {
  return { type: 'float', shape: [], data: [value] }
}

export function bools(...data: readonly number[]): Numbers {
  return { type: 'bool', shape: [data.length], data }
}

/** Numbers between -1 and 1 that depend on the shape alone. */
export function weights(...shape: readonly number[]): Numbers {
  const random = seededRandom(shape.reduce((seed, side) => seed * 31 + side, 7))
  return { type: 'float', shape, data: Array.from({ length: elements(shape) }, random) }
}

/** One node. An input is the name of a value, or numbers that become an initialiser. */
export type Step = readonly [
  operator: string,
  inputs: readonly (string | Numbers)[],
  outputs: string | readonly string[],
  attributes?: Readonly<Record<string, AttributeValue>>,
]

/** A model of few nodes. Its image is `x`, and its result `y`. */
export interface OnnxCase {
  readonly x?: Shape
  readonly opset?: number
  readonly steps: readonly Step[]
  /** 'y' alone where it is left out. */
  readonly outputs?: readonly string[]
}

/**
 * Tests that headlight computes of a model what ONNX Runtime computes of it: once with x as the image, and once with x as
 * weights of the file, so that what follows is worked out on reading.
 */
export function itAgrees(name: string, found: OnnxCase): void {
  it(`${name}, of an image`, () => expectAgreement(found, 'image'))
  it(`${name}, of weights`, () => expectAgreement(found, 'weights'))
}

/** The same for models that have no image, whose results must all be known on reading. */
export function itIsKnown(name: string, found: OnnxCase): void {
  it(`${name} is known`, async () => {
    const { values } = await expectAgreement(found, 'weights')
    for (const value of values) expect(value.kind).toBe('known')
  })
}

/** What headlight makes of a model's outputs, without computing anything. */
export function importedCase(found: OnnxCase, xIs: 'image' | 'weights' = 'image'): ReadonlyMap<string, Value> {
  const { graph, opset } = modelOf(found, xIs)
  const image = make('input', [], { name: 'x', shape: found.x ?? [1], dtype: 'float32' })
  const source = {
    file: 'case.onnx',
    externalData: undefined,
    graph,
    opsets: new Map([
      ['', opset],
      ['com.microsoft', 1],
    ]),
  }
  return importGraph(source, xIs === 'image' ? 'x' : '', image, new Map())
}

function imageOf({ x = [1] }: OnnxCase): Float32Array {
  const random = seededRandom(elements(x) + 5)
  return Float32Array.from({ length: elements(x) }, random)
}

async function expectAgreement(found: OnnxCase, xIs: 'image' | 'weights'): Promise<{ values: Value[] }> {
  const { model, outputs } = modelOf(found, xIs)
  const image = imageOf(found)
  const session = await InferenceSession.create(toBinary(ModelProtoSchema, model), {
    graphOptimizationLevel: 'disabled',
    intraOpNumThreads: 1,
    logSeverityLevel: 3,
  })
  const expected = await session.run(xIs === 'image' ? { x: new Tensor('float32', image, [...(found.x ?? [1])]) } : {})
  await session.release()
  const values = importedCase(found, xIs)
  const results: Value[] = []
  for (const name of outputs) {
    const value = values.get(name)
    const right = expected[name]
    if (value === undefined || right === undefined) throw new Error(`no output ${name}`)
    if (value.kind === 'unavailable') throw new Error(value.why)
    expect(shapeOf(value)).toEqual([...right.dims])
    const data =
      value.kind === 'known'
        ? value.data
        : evaluate({ outputs: new Map([['y', value.node]]) }, new Map([['x', image]])).get('y')
    expectClose(data ?? [], Array.from(right.data as ArrayLike<number | bigint | boolean>, Number))
    results.push(value)
  }
  return { values: results }
}

function expectClose(found: ArrayLike<number>, expected: readonly number[]): void {
  const scale = expected.reduce(
    (largest, value) => (Number.isFinite(value) ? Math.max(largest, Math.abs(value)) : largest),
    1e-6,
  )
  const wrong = expected.findIndex((value, i) => {
    const other = found[i] ?? NaN
    return !(Object.is(value, other) || Math.abs(value - other) <= 1e-5 * scale)
  })
  if (wrong !== -1) expect.fail(`number ${wrong} is ${found[wrong]} instead of ${expected[wrong]}`)
  expect(found.length).toBe(expected.length)
}

function modelOf(
  { x = [1], opset = 17, steps, outputs = ['y'] }: OnnxCase,
  xIs: 'image' | 'weights',
): { model: ModelProto; graph: GraphProto; opset: number; outputs: readonly string[] } {
  const { node, initializer } = nodesOf(steps)
  if (xIs === 'weights') initializer.push(tensor('x', { type: 'float', shape: x, data: [...imageOf({ x, steps })] }))
  const graph = create(GraphProtoSchema, {
    name: 'case',
    node,
    initializer,
    input: xIs === 'image' ? [imageInput(x)] : [],
    // ONNX Runtime infers type and shape.
    output: outputs.map((name) => create(ValueInfoProtoSchema, { name })),
  })
  const opsetImport = [
    { domain: '', version: BigInt(opset) },
    { domain: 'com.microsoft', version: 1n },
  ]
  const model = create(ModelProtoSchema, { irVersion: 8n, opsetImport, graph })
  return { model, graph, opset, outputs }
}

/** The nodes of a graph, and the initialisers for the numbers among their inputs. */
export function nodesOf(
  steps: readonly Step[],
  prefix = 'c',
): { readonly node: NodeProto[]; readonly initializer: TensorProto[] } {
  const initializer: TensorProto[] = []
  const node: NodeProto[] = []
  for (const [operator, inputs, results, attributes = {}] of steps) {
    const [domain, opType] = operator.includes('.') ? split(operator) : ['', operator]
    const input = inputs.map((value) => {
      if (typeof value === 'string') return value
      const name = `${prefix}${initializer.length}`
      initializer.push(tensor(name, value))
      return name
    })
    const output = typeof results === 'string' ? [results] : [...results]
    const attribute = Object.entries(attributes).map(([key, value]) => attributeOf(key, value))
    node.push(create(NodeProtoSchema, { opType, domain, input, output, attribute }))
  }
  return { node, initializer }
}

function split(operator: string): [domain: string, name: string] {
  const at = operator.lastIndexOf('.')
  return [operator.slice(0, at), operator.slice(at + 1)]
}

function imageInput(shape: Shape): ValueInfoProto {
  const dim = shape.map((side) => ({ value: { case: 'dimValue' as const, value: BigInt(side) } }))
  const value = { case: 'tensorType' as const, value: { elemType: DataType.FLOAT, shape: { dim } } }
  return create(ValueInfoProtoSchema, { name: 'x', type: { value } })
}

function tensor(name: string, { type, shape, data }: Numbers): TensorProto {
  const common = { name, dims: shape.map(BigInt) }
  switch (type) {
    case 'float':
      return create(TensorProtoSchema, { ...common, dataType: DataType.FLOAT, floatData: [...data] })
    case 'int64':
      return create(TensorProtoSchema, { ...common, dataType: DataType.INT64, int64Data: data.map(wide) })
    case 'bool':
      return create(TensorProtoSchema, { ...common, dataType: DataType.BOOL, int32Data: [...data] })
  }
}

/** Infinity stands for the largest whole number, as exporters write "up to the end". */
function wide(value: number): bigint {
  if (value === Infinity) return 2n ** 63n - 1n
  return value === -Infinity ? -(2n ** 63n) : BigInt(value)
}

function attributeOf(name: string, value: AttributeValue): AttributeProto {
  if (typeof value === 'string') {
    return create(AttributeProtoSchema, { name, type: AttributeType.STRING, s: new TextEncoder().encode(value) })
  }
  if (typeof value === 'number') {
    return create(AttributeProtoSchema, { name, type: AttributeType.INT, i: BigInt(value) })
  }
  if ('float' in value) return create(AttributeProtoSchema, { name, type: AttributeType.FLOAT, f: value.float })
  if ('floats' in value) {
    return create(AttributeProtoSchema, { name, type: AttributeType.FLOATS, floats: [...value.floats] })
  }
  if ('steps' in value) {
    const graph = { name, ...nodesOf(value.steps, `${name}.`), output: [{ name: value.output }] }
    return create(AttributeProtoSchema, { name, type: AttributeType.GRAPH, g: create(GraphProtoSchema, graph) })
  }
  if ('shape' in value) return create(AttributeProtoSchema, { name, type: AttributeType.TENSOR, t: tensor('', value) })
  return create(AttributeProtoSchema, { name, type: AttributeType.INTS, ints: value.map(wide) })
}
