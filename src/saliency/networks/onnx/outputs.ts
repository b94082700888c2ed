import type { GraphProto, NodeProto } from 'onnx-buf'
import { InputError } from '../../../base/errors.ts'
import { isShownWhole, shownText } from '../../../base/shownText.ts'
import { closest } from '../../../base/spelling.ts'
import { elements, type Node } from '../../graph.ts'
import type { OutputLayer } from '../family.ts'
import { adviceOn } from './advice.ts'
import { operatorName } from './graphImport.ts'
import type { Value } from './value.ts'

/** What can be read of a graph that was imported for some images. */
export interface ReadGraph {
  readonly graph: GraphProto
  readonly file: string
  readonly values: ReadonlyMap<string, Value>
  /** Whether a node depends on the image so that a gradient passes. */
  readonly depends: (node: Node) => boolean
  /** How many images it was imported for. */
  readonly batch: number
  /** Of ONNX's own operators. */
  readonly opset: number
}

/** A tensor that a head could read: some numbers for each image. */
export interface Candidate {
  readonly name: string
  readonly shape: readonly number[]
  /** That gives it. */
  readonly operator: string
}

/** What no head has: a map of classes for every pixel, features of a whole plane. */
const mostOutputs = 65_536

/** An output as heads know it, and the tensor that is read for it. */
export interface FoundOutput {
  readonly layer: OutputLayer
  readonly tensor: string
}

/**
 * The outputs that heads may read: those of the file, and each tensor that is asked for by name. For a Softmax, what it is
 * made of is read: heads of bins and of classes have a softmax of their own, and a gradient is taken of the logit.
 * InputErrors: `bad-description` for a name that no tensor has, `unsupported-network` where one that is asked for, or every
 * output, cannot be computed from the image.
 */
export function findOutputs(
  read: ReadGraph,
  asked: readonly string[],
  bad: (what: string) => InputError,
): { readonly outputs: readonly FoundOutput[]; readonly notes: readonly string[] } {
  const { graph, values } = read
  const notes: string[] = []
  const outputs: FoundOutput[] = []
  const problems: string[] = []
  for (const name of new Set([...graph.output.map(({ name: output }) => output), ...asked])) {
    if (!values.has(name) && asked.includes(name)) throw bad(unknownTensor(read, name))
    const tensor = softened(read, name) ?? name
    const problem = isShownWhole(name) ? problemWith(read, tensor) : 'its name is empty, too long or no plain text'
    if (problem === undefined) {
      if (tensor !== name)
        notes.push(`The output ${name} is the Softmax of ${shownText(tensor)}, which is read in its place.`)
      notes.push(...sigmoidNote(read, name))
      outputs.push({ layer: layerOf(read, name, tensor), tensor })
      continue
    }
    if (asked.includes(name)) throw unsupported(read, `cannot be computed up to ${shownText(name)}: ${problem}`)
    problems.push(`${shownText(name)}: ${problem}`)
    notes.push(`The output ${shownText(name)} is left out: ${problem}.`)
  }
  if (outputs.length > 0) return { outputs, notes }
  throw unsupported(read, `gives nothing that headlight could compute: ${problems[0] ?? 'it has no output'}`)
}

function unsupported(read: ReadGraph, what: string): InputError {
  const names = mostTelling(read)
    .map(({ name, shape }) => `${name} (${shape.join('×')})`)
    .join(', ')
  const hint = names === '' ? '' : `; a head may name a tensor before it, such as ${names}`
  return new InputError('unsupported-network', `${read.file} ${what}${hint}`)
}

/**
 * What people mean who look for a head: the last linear layers. The steps of a rotation or a softmax behind them, which the
 * file's end is full of, mean nothing by themselves.
 */
function mostTelling(read: ReadGraph): Candidate[] {
  const candidates = candidatesOf(read)
  const products = new Set(candidates.filter(({ operator }) => operator === 'MatMul').map(({ name }) => name))
  const biased = read.graph.node.filter(
    ({ opType, input }) => opType === 'Add' && input.some((name) => products.has(name)),
  )
  const linear = new Set(biased.flatMap(({ output }) => output))
  const unbiased = new Set(biased.flatMap(({ input }) => input))
  const heads = candidates.filter(
    ({ name, operator }) => linear.has(name) || (['Gemm', 'MatMul'].includes(operator) && !unbiased.has(name)),
  )
  return (heads.length > 0 ? heads : candidates).slice(-3)
}

/** Tensors that hold up to some thousand numbers for each image, in the order of the file. */
export function candidatesOf(read: ReadGraph): Candidate[] {
  return read.graph.node.flatMap((node) =>
    node.output.flatMap((name) => {
      const value = read.values.get(name)
      if (value?.kind !== 'computed' || !read.depends(value.node)) return []
      const { shape } = value.node
      const isVector = shape.length <= 3 || shape.slice(2).every((side) => side === 1)
      const count = elements(shape) / read.batch
      const isNamed = isShownWhole(name)
      return isNamed && isVector && count <= 8192 && Number.isInteger(count)
        ? [{ name, shape, operator: operatorName(node) }]
        : []
    }),
  )
}

/** What hinders a tensor from being read as an output, as a sentence without its full stop; undefined where nothing does. */
function problemWith(read: ReadGraph, name: string): string | undefined {
  const value = read.values.get(name)
  if (value === undefined) return 'nothing in the file gives it'
  if (value.kind === 'unavailable') {
    const advice = value.operator === undefined ? undefined : adviceOn(value.operator)
    return `it needs ${shownText(value.why)}${advice === undefined ? '' : ` (${advice})`}`
  }
  if (value.kind === 'known') return 'it does not depend on the image'
  if (!read.depends(value.node)) {
    return 'it does not depend on the image, or by comparisons alone, which no gradient passes'
  }
  const count = elements(value.node.shape) / read.batch
  if (!Number.isInteger(count))
    return `its ${elements(value.node.shape)} numbers are not those of ${read.batch} images, so export the network for one`
  return count > mostOutputs
    ? `it has ${count.toLocaleString('en-US')} numbers for each image, more than a head reads`
    : undefined
}

/** The tensor of which an output is the Softmax; undefined where it is none, or over anything but all of an image's numbers. */
function softened(read: ReadGraph, name: string): string | undefined {
  const node = givenBy(read.graph, name)
  if (node === undefined || !['Softmax', 'LogSoftmax'].includes(operatorName(node))) return undefined
  const [logits = ''] = node.input
  const value = read.values.get(logits)
  if (value?.kind !== 'computed') return undefined
  const { shape } = value.node
  const [long, ...more] = shape.flatMap((side, axis) => (axis > 0 && side > 1 ? [axis] : []))
  if (long === undefined || more.length > 0) return undefined
  // Up to operator set 12 all axes from the given one on are one.
  const given = node.attribute.find((attribute) => attribute.name === 'axis')?.i
  const axis = Number(given ?? (read.opset < 13 ? 1 : -1))
  const first = axis < 0 ? axis + shape.length : axis
  return first === long || (read.opset < 13 && first >= 1 && first < long) ? logits : undefined
}

/** A probability for each class by itself is no score; whoever explains one may mean its logit. */
function sigmoidNote({ graph }: ReadGraph, name: string): string[] {
  const node = givenBy(graph, name)
  if (node === undefined || operatorName(node) !== 'Sigmoid') return []
  return [
    `The output ${name} is a Sigmoid and read as it is; to explain its logits, name ${node.input[0]} as the output of a head.`,
  ]
}

function givenBy({ node }: GraphProto, name: string): NodeProto | undefined {
  return node.find(({ output }) => output.includes(name))
}

function layerOf({ values, batch }: ReadGraph, name: string, tensor: string): OutputLayer {
  const value = values.get(tensor)
  if (value?.kind !== 'computed') throw new Error(`${tensor} is not computed`)
  return { output: name, outputs: elements(value.node.shape) / batch, bias: false }
}

function unknownTensor({ values, file }: ReadGraph, name: string): string {
  const meant = closest(name, [...values.keys()].filter(isShownWhole))
  const hint =
    meant === undefined
      ? `headlight network inspect ${file} lists those that a head can read`
      : `did you mean ${meant}?`
  return `a head names the output ${shownText(name)}, and no tensor in the file is called so; ${hint}`
}
