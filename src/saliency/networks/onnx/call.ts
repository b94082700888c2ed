import type { AttributeProto, NodeProto, TensorProto } from 'onnx-buf'
import { elements, type Node, type Shape } from '../../graph.ts'
import { constantOf, shapeOf, type Available, type Known, type KnownType, type Value } from './value.ts'

/**
 * Raised on reading a node that headlight does not compute: the importer makes its outputs unavailable. The message is the end
 * of “it needs Conv "x" with …”.
 */
export class NotImported extends Error {}

/** One node of an ONNX graph with the values of its inputs, as an operator reads it. */
export class Call {
  readonly op: string
  /** Of its first output: what heads and people call it. */
  readonly label: string
  /** Of the operator's own domain. */
  readonly opset: number
  readonly outputCount: number
  /** How many of them have a name: a file may list others without. */
  readonly namedOutputCount: number
  readonly #inputs: readonly (Available | undefined)[]
  readonly #readTensor: (tensor: TensorProto) => Known
  readonly #attributes: ReadonlyMap<string, AttributeProto>
  readonly #room: Room

  constructor(
    node: NodeProto,
    opset: number,
    inputs: readonly (Available | undefined)[],
    { readTensor, room }: { readonly readTensor: (tensor: TensorProto) => Known; readonly room: Room },
  ) {
    this.op = node.opType
    this.label = node.output[0] ?? node.name
    this.opset = opset
    this.outputCount = node.output.length
    this.namedOutputCount = node.output.filter((name) => name !== '').length
    this.#inputs = inputs
    this.#readTensor = readTensor
    this.#room = room
    this.#attributes = new Map(node.attribute.map((attribute) => [attribute.name, attribute]))
  }

  get inputCount(): number {
    return this.#inputs.length
  }

  /** Whether nothing of it depends on the image. */
  get isKnown(): boolean {
    return this.#inputs.every((input) => input === undefined || input.kind === 'known')
  }

  has(input: number): boolean {
    return this.#inputs[input] !== undefined
  }

  input(index: number): Available {
    const value = this.#inputs[index]
    if (value === undefined) throw new NotImported(`no input ${index}`)
    return value
  }

  shape(index: number): Shape {
    return shapeOf(this.input(index))
  }

  /** Numbers that must not depend on the image. */
  known(index: number): Known {
    const value = this.input(index)
    if (value.kind === 'known') return value
    throw new NotImported(`an input ${index} that depends on the image`)
  }

  /** All inputs, which must not depend on the image. */
  knownInputs(): Known[] {
    return this.#inputs.map((_, index) => this.known(index))
  }

  /** Of float32, a constant where the input is known. */
  node(index: number): Node {
    return this.nodeOf(this.input(index))
  }

  /** Of float32 numbers that must not depend on the image: no gradient passes to what an operation takes as weights. */
  constant(index: number): Node {
    return this.nodeOf(this.known(index))
  }

  /** Of float32, a constant where the value is known. */
  nodeOf(value: Available): Node {
    if (value.kind === 'computed') return value.node
    if (value.type !== 'float') throw new NotImported(`whole numbers where it computes with floating point`)
    return constantOf(value)
  }

  /** All inputs that there are, whatever they are. */
  inputs(): Available[] {
    return this.#inputs.map((_, index) => this.input(index))
  }

  /** All inputs that there are. */
  nodes(): Node[] {
    return this.#inputs.map((_, index) => this.node(index))
  }

  /** The numbers of a known input, such as axes or a shape; undefined where there is none. */
  numbers(index: number): number[] | undefined {
    if (!this.has(index)) return undefined
    const { shape, data } = this.known(index)
    if (elements(shape) > mostListed) throw new NotImported(`${elements(shape)} numbers as input ${index}`)
    return Array.from(data)
  }

  /** The one number of a known input; undefined where there is none. */
  number(index: number): number | undefined {
    const found = this.numbers(index)
    if (found !== undefined && found.length !== 1) throw new NotImported(`${found.length} numbers as input ${index}`)
    return found?.[0]
  }

  /** From an attribute up to some operator set, from an input since then; undefined where neither is there. */
  numbersOrAttribute(index: number, name: string): number[] | undefined {
    return this.numbers(index) ?? this.ints(name)
  }

  int(name: string, otherwise: number): number {
    const attribute = this.#attributes.get(name)
    return attribute === undefined ? otherwise : whole(attribute.i)
  }

  float(name: string, otherwise: number): number {
    return this.#attributes.get(name)?.f ?? otherwise
  }

  text(name: string, otherwise: string): string {
    const bytes = this.#attributes.get(name)?.s
    return bytes === undefined ? otherwise : Buffer.from(bytes).toString('utf8')
  }

  ints(name: string): number[] | undefined {
    return this.#attributes.get(name)?.ints.map(whole)
  }

  floats(name: string): number[] | undefined {
    return this.#attributes.get(name)?.floats
  }

  hasAttribute(name: string): boolean {
    return this.#attributes.has(name)
  }

  /** A tensor among the attributes, such as that of Constant. */
  tensor(name: string): Known | undefined {
    const tensor = this.#attributes.get(name)?.t
    return tensor === undefined ? undefined : this.#readTensor(tensor)
  }

  /** The axis counted from the front; -1 is the last of `rank`. */
  axis(axis: number, rank: number): number {
    const found = axis < 0 ? axis + rank : axis
    if (!Number.isInteger(found) || found < 0 || found >= rank) {
      throw new NotImported(`axis ${axis} of a tensor with ${rank} axes`)
    }
    return found
  }

  /** A place for numbers that are worked out on reading. NotImported where an import has worked out too many. */
  allocate(type: KnownType, shape: Shape): Float32Array | Float64Array {
    this.workOut(shape)
    return this.filled(type, shape, 0)
  }

  allocateFloats(shape: Shape): Float32Array {
    this.workOut(shape)
    this.#room.fill(shape, 4)
    return new Float32Array(elements(shape))
  }

  /** One number many times, which takes little time. */
  filled(type: KnownType, shape: Shape, value: number): Float32Array | Float64Array {
    this.#room.fill(shape, type === 'float' ? 4 : 8)
    const numbers = type === 'float' ? new Float32Array(elements(shape)) : new Float64Array(elements(shape))
    // Zeros are there already, and take no memory until they are written.
    return value === 0 ? numbers : numbers.fill(value)
  }

  /** To be called before work on numbers for which nothing is allocated. */
  workOut(shape: Shape): void {
    this.#room.workOut(shape)
  }

  /** To be called where a number in the file says of how many nodes the result is put together. */
  spread(nodes: number): void {
    this.#room.spread(nodes)
  }

  require(condition: boolean, what: string): void {
    if (!condition) throw this.refusal(what)
  }

  refusal(what: string): NotImported {
    return new NotImported(what)
  }
}

/** What an operator gives: one value, or one for each of its outputs. */
export type Operator = (call: Call) => Value | readonly Value[]

/** Operators by name; those of another domain by `domain.Name`. */
export type Operators = Readonly<Record<string, Operator>>

/** The most numbers that one tensor may have. A damaged size would fill the memory before anything else notices. */
const mostNumbers = 2 ** 28

/** The most bytes of numbers that are worked out on reading. VGG-19 has 5.75e8, most of which an export may transpose. */
const mostBytes = 768 * 2 ** 20

/**
 * What time costs beside memory, in bytes: to work a number out takes longer than to fill its room, and a node of
 * the graph, which each further pass looks at, longer still.
 */
const [workedOutBytes, nodeBytes] = [2, 2 ** 14] as const

/** The most axes, sizes or indices that an operator may list. */
const mostListed = 2 ** 16

/** What one import may take. NotImported for more. */
export class Room {
  #left = mostBytes

  fill(shape: Shape, bytesPerNumber: number): void {
    requireRoom(shape)
    this.#take(elements(shape) * bytesPerNumber, `${shape.join('×')} numbers`)
  }

  workOut(shape: Shape): void {
    this.fill(shape, workedOutBytes)
  }

  spread(nodes: number): void {
    this.#take(nodes * nodeBytes, `${nodes} parts`)
  }

  #take(bytes: number, what: string): void {
    this.#left -= bytes
    if (!(this.#left >= 0)) throw new NotImported(`${what} more to be worked out than there is room for`)
  }
}

export function requireRoom(shape: Shape): void {
  if (!(elements(shape) <= mostNumbers)) throw new NotImported(`a tensor of ${shape.join('×')} numbers`)
}

function whole(value: bigint): number {
  return Number(value)
}
