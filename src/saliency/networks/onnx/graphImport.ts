import type { GraphProto, NodeProto, TensorProto } from 'onnx-buf'
import { HeadlightError } from '../../../base/errors.ts'
import type { Node } from '../../graph.ts'
import { Call, NotImported, requireRoom, Room } from './call.ts'
import { operators } from './operators.ts'
import { readTensor, type TensorSource } from './tensorData.ts'
import { computed, shapeOf, type Available, type Known, type Value } from './value.ts'

export interface GraphSource extends TensorSource {
  readonly graph: GraphProto
  /** Versions of the operator sets, by domain; the usual one is ''. */
  readonly opsets: ReadonlyMap<string, number>
}

/**
 * What every tensor of an ONNX graph is when `image` is what its input named `imageName` gets, by the tensor's name.
 * `weights` are the floating-point tensors in the file, which a caller may have replaced by others of the same shapes.
 *
 * One pass: ONNX lists nodes after what they need. What headlight does not compute, and what needs it, is unavailable; that
 * is an error only where a head needs it. InputError `bad-checkpoint` for numbers that do not fit their tensor.
 */
export function importGraph(
  source: GraphSource,
  imageName: string,
  image: Node,
  weights: ReadonlyMap<string, Known>,
): ReadonlyMap<string, Value> {
  const values = new Map<string, Value>()
  const reading: Reading = { source, weights, room: new Room() }
  readInitialisers(source.graph, values, reading)
  for (const { name } of source.graph.input) {
    // Files of the first versions list initialisers among the inputs.
    if (!values.has(name)) values.set(name, { kind: 'unavailable', why: `the input ${name}, which is not the image` })
  }
  values.set(imageName, computed(image))
  readNodes(source.graph, values, reading)
  return values
}

/** What one import has at hand. */
interface Reading {
  readonly source: GraphSource
  readonly weights: ReadonlyMap<string, Known>
  readonly room: Room
}

function readInitialisers(graph: GraphProto, values: Map<string, Value>, { source, weights }: Reading): void {
  for (const tensor of graph.initializer) {
    values.set(tensor.name, weights.get(tensor.name) ?? initialiser(tensor, source))
  }
  for (const { name } of graph.sparseInitializer.flatMap(({ values: tensor }) => tensor ?? [])) {
    values.set(name, { kind: 'unavailable', why: `the sparse tensor ${name}` })
  }
}

function readNodes(graph: GraphProto, values: Map<string, Value>, reading: Reading): void {
  for (const node of graph.node) {
    const stored = node.opType === 'Constant' ? reading.weights.get(node.output[0] ?? '') : undefined
    const results = stored === undefined ? valuesOf(node, values, reading) : [stored]
    for (const [index, name] of node.output.entries()) {
      if (name === '') continue
      values.set(
        name,
        results[index] ?? { kind: 'unavailable', why: `output ${index} of ${operatorName(node)}, ${notComputed}` },
      )
    }
  }
}

const notComputed = 'which headlight does not compute'

function initialiser(tensor: TensorProto, source: TensorSource): Value {
  try {
    return readTensor(tensor, source)
  } catch (error) {
    if (!(error instanceof NotImported)) throw error
    return { kind: 'unavailable', why: `${error.message}, ${notComputed}` }
  }
}

function valuesOf(node: NodeProto, values: Map<string, Value>, reading: Reading): readonly Value[] {
  const { source, room } = reading
  const unavailable = (why: string, operator?: string): Value[] =>
    node.output.map(() => ({ kind: 'unavailable', why, ...(operator === undefined ? {} : { operator }) }))
  const inputs: (Available | undefined)[] = []
  for (const name of node.input) {
    const value = name === '' ? undefined : values.get(name)
    if (name !== '' && value === undefined) return unavailable(`${name}, which nothing in the file gives`)
    if (value?.kind === 'unavailable') return node.output.map(() => value)
    inputs.push(value)
  }
  const name = operatorName(node)
  const [condition] = inputs
  if (name === 'If' && condition?.kind === 'known') return branchOf(node, condition, values, reading)
  const operator = Object.hasOwn(operators, name) ? operators[name] : undefined
  const opset = source.opsets.get(domainOf(node))
  if (operator === undefined || opset === undefined) return unavailable(`the operator ${name}, ${notComputed}`, name)
  try {
    const found = operator(new Call(node, opset, inputs, { readTensor: (tensor) => readTensor(tensor, source), room }))
    const results = Array.isArray(found) ? (found as readonly Value[]) : [found as Value]
    for (const result of results) if (result.kind !== 'unavailable') requireRoom(shapeOf(result))
    return results
  } catch (error) {
    if (error instanceof HeadlightError) throw error
    if (error instanceof NotImported) return unavailable(`${name} ${label(node)} with ${error.message}, ${notComputed}`)
    // Shapes that do not fit together, which only a damaged file has.
    const message = error instanceof Error ? error.message : String(error)
    return unavailable(`${name} ${label(node)}, whose inputs do not fit (${message})`)
  }
}

/**
 * The outputs of the branch that a known condition takes: PyTorch asks for a length before it leaves out an axis. ONNX has
 * every name once, those in branches included.
 */
function branchOf(node: NodeProto, { data }: Known, values: Map<string, Value>, reading: Reading): readonly Value[] {
  const taken = data[0] === 0 ? 'else_branch' : 'then_branch'
  const branch = node.attribute.find(({ name }) => name === taken)?.g
  if (branch === undefined) return []
  readInitialisers(branch, values, { ...reading, weights: new Map() })
  readNodes(branch, values, reading)
  return branch.output.map(
    ({ name }) => values.get(name) ?? { kind: 'unavailable', why: `${name}, which nothing in the file gives` },
  )
}

function label(node: NodeProto): string {
  return JSON.stringify(node.name || node.output[0] || '')
}

function domainOf({ domain }: NodeProto): string {
  return domain === 'ai.onnx' ? '' : domain
}

/** `Conv`; with its domain where that is not ONNX's own. */
export function operatorName(node: NodeProto): string {
  const domain = domainOf(node)
  return domain === '' ? node.opType : `${domain}.${node.opType}`
}
