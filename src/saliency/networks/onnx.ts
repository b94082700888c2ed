import type { ModelProto } from 'onnx-buf'
import { InputError } from '../../base/errors.ts'
import { dependents } from '../activations.ts'
import { elements, topological, type Node } from '../graph.ts'
import { make } from '../ops.ts'
import type { Tensors } from '../weights/tensors.ts'
import { channelsOf, type DescriptionOverride } from './description.ts'
import type { Architecture, RecognisedNetwork } from './family.ts'
import type { ExternalData } from './onnx/externalData.ts'
import { importGraph, type GraphSource } from './onnx/graphImport.ts'
import {
  declared,
  declaredText,
  freeInputs,
  imageInputOf,
  type DeclaredTensor,
  type ImageInput,
} from './onnx/imageInput.ts'
import { readModelFile } from './onnx/modelFile.ts'
import { candidatesOf, findOutputs, type Candidate, type FoundOutput, type ReadGraph } from './onnx/outputs.ts'
import type { Value } from './onnx/value.ts'
import { knownWeights, weightsOf } from './onnx/weights.ts'
import { perImage, widenBatch } from './onnx/widenBatch.ts'
import { badDescription } from './override.ts'
import { usualSide } from './resolveInput.ts'
import { withNetworkFacts } from './unresolvedNetwork.ts'

/**
 * Networks as ONNX files (onnx.ai), whoever exported them: the graph is in the file, so nothing has to be recognised in
 * tensors. It is read operator by operator into headlight's own graph (`onnx/operators.ts`), whose gradient is then the
 * same as that of any other network.
 */
export interface OnnxNetwork {
  readonly recognised: RecognisedNetwork
  /** The number types that the weights were stored in, each once. */
  readonly storedTypes: readonly string[]
}

export interface OnnxOptions {
  /** What is given in place of what the file leaves open: input size, tensors that heads read. */
  readonly given: DescriptionOverride
  /** Where people find that; `<file>.yaml` unless it is said. */
  readonly source: string | undefined
  readonly externalData: ExternalData | undefined
}

interface OnnxArchitecture extends Architecture {
  readonly family: 'ONNX'
  /** What wrote the file, as it calls itself. */
  readonly producer: string
  readonly opset: number
  readonly inputs: readonly DeclaredTensor[]
  readonly outputs: readonly DeclaredTensor[]
  /** Tensors that a head may name. */
  readonly tensors: readonly Candidate[]
}

const oldestOpset = 7
/** The newest that was tried. */
const newestOpset = 20

/**
 * InputErrors: `bad-checkpoint` for a damaged file, `unsupported-network` for a network without one image as its input, or
 * whose outputs need what headlight does not compute, `bad-description` for what contradicts the file.
 */
export function readOnnx(bytes: Uint8Array, file: string, { given, source, externalData }: OnnxOptions): OnnxNetwork {
  const { model, graph } = readModelFile(bytes, file)
  const bad = (what: string): InputError => badDescription(file, what, source)
  const opsets = opsetsOf(model, file)
  const from: GraphSource = { file, externalData, graph, opsets }
  const input = imageInputOf(graph, file)
  if (given.batchNorm?.epsilon !== undefined) throw bad('batchNorm.epsilon is in the file itself, so leave it out')
  const { tensors, storedTypes } = weightsOf(from)
  const asked = new Set((given.heads ?? []).flatMap(({ output }) => output ?? []))

  const batch = input.batch ?? 1
  const channels = input.channels ?? channelsOf(given.input?.channels ?? 'rgb')
  const sides = { height: sideOf('height', input, given, bad), width: sideOf('width', input, given, bad) }
  const image = make('input', [], {
    name: 'image',
    shape: [batch, channels, sides.height, sides.width],
    dtype: 'float32',
  })
  const layout = layoutOf(input, (as) => readsOutput(importedAs(from, input, as, image, tensors), graph))
  const importFor = (node: Node, weights: Tensors): ReadonlyMap<string, Value> =>
    importedAs(from, input, layout, node, weights)

  const values = importFor(image, tensors)
  const read: ReadGraph = { graph, file, values, depends: dependence(values, image), batch, opset: opsets.get('') ?? 0 }
  const architecture = architectureOf(model, read)
  const facts = factsOf(architecture, { ...input, layout })
  const { outputs: found, notes } = withNetworkFacts({ file, architecture, facts }, () =>
    findOutputs(read, [...asked], bad),
  )
  const build: RecognisedNetwork['build'] = (weights, wide) => {
    const of = (node: Node) => outputNodes(importFor(node, weights), found, batch)
    if (wide.shape[0] === batch) return of(wide)
    const narrow = make('input', [], { name: 'image', shape: wide.shape.with(0, batch), dtype: 'float32' })
    const widened = widenBatch(of(narrow), narrow, wide)
    if (widened !== undefined) return widened
    if (batch === 1) return perImage(wide, of)
    throw new InputError(
      'unsupported-network',
      `${file} was exported for ${batch} images at a time and mixes them: export it for one`,
    )
  }
  return {
    storedTypes,
    recognised: {
      architecture,
      facts,
      outputs: found.map(({ layer }) => layer),
      notes: [...notes, ...newerNote(architecture.opset)],
      batchNorm: { epsilon: 1e-5 },
      imageChannels: channels,
      smallestSide: 1,
      found: {
        ...(input.width === undefined ? {} : { width: input.width }),
        ...(input.height === undefined ? {} : { height: input.height }),
        isBytes: input.isBytes,
      },
      weights: tensors,
      used: new Set(tensors.keys()),
      build,
    },
  }
}

function opsetsOf({ opsetImport }: ModelProto, file: string): ReadonlyMap<string, number> {
  const opsets = new Map(
    opsetImport.map(({ domain, version }) => [domain === 'ai.onnx' ? '' : domain, Number(version)]),
  )
  const opset = opsets.get('')
  if (opset !== undefined && opset >= oldestOpset) return opsets
  throw new InputError(
    'unsupported-network',
    `${file} is of ${opset === undefined ? 'no operator set of ONNX' : `operator set ${opset}`}, and headlight reads ${oldestOpset} and later: convert it with onnx.version_converter`,
  )
}

function newerNote(opset: number): string[] {
  if (opset <= newestOpset) return []
  return [
    `Operator set ${opset} is newer than ${newestOpset}, the newest that headlight was tried with: hold some images against your own code.`,
  ]
}

/** The file's, which nothing may contradict, else what is given. */
function sideOf(
  side: 'width' | 'height',
  input: ImageInput,
  given: DescriptionOverride,
  bad: (what: string) => InputError,
): number {
  const [inFile, wanted] = [input[side], given.input?.[side]]
  if (inFile !== undefined && wanted !== undefined && inFile !== wanted) {
    throw bad(
      `input.${side} is ${wanted}, and the file was exported for ${inFile}: export it for ${wanted}, or with open sizes`,
    )
  }
  return inFile ?? wanted ?? usualSide
}

/** What the axes say; where they leave it open, the order in which the network can be computed. */
function layoutOf(input: ImageInput, reads: (layout: ImageInput['layout']) => boolean): ImageInput['layout'] {
  if (input.channels !== undefined) return input.layout
  return !reads('nchw') && reads('nhwc') ? 'nhwc' : 'nchw'
}

function importedAs(
  source: GraphSource,
  input: ImageInput,
  layout: ImageInput['layout'],
  image: Node,
  weights: Tensors,
): ReadonlyMap<string, Value> {
  const laidOut = layout === 'nchw' ? image : make('transpose', [image], { permutation: [0, 2, 3, 1] })
  return importGraph(source, input.name, laidOut, knownWeights(weights))
}

function readsOutput(values: ReadonlyMap<string, Value>, { output }: GraphSource['graph']): boolean {
  return output.some(({ name }) => values.get(name)?.kind === 'computed')
}

function dependence(values: ReadonlyMap<string, Value>, image: Node): (node: Node) => boolean {
  // What lies behind a step changes with the image, but has no gradient.
  const smooth = topological(computedNodes(values)).filter(({ op }) => op !== 'step')
  const depends = dependents(image, smooth)
  return (node) => depends.has(node)
}

function computedNodes(values: ReadonlyMap<string, Value>): Node[] {
  return [...values.values()].flatMap((value) => (value.kind === 'computed' ? [value.node] : []))
}

function outputNodes(
  values: ReadonlyMap<string, Value>,
  outputs: readonly FoundOutput[],
  batch: number,
): ReadonlyMap<string, Node> {
  return new Map(
    outputs.map(({ layer: { output, outputs: count }, tensor }) => {
      const value = values.get(tensor)
      if (value?.kind !== 'computed' || elements(value.node.shape) !== batch * count) {
        throw new Error(`${output} is not what it was when the network was read`)
      }
      const { node } = value
      return [output, node.shape.length === 2 ? node : make('reshape', [node], { shape: [batch, count] })]
    }),
  )
}

function architectureOf({ producerName, producerVersion }: ModelProto, read: ReadGraph): OnnxArchitecture {
  const { graph } = read
  const relus = topological(computedNodes(read.values)).filter(
    (node) => node.op === 'relu' && read.depends(node),
  ).length
  return {
    family: 'ONNX',
    name: `ONNX graph of ${graph.node.length} operators`,
    relus,
    producer: [producerName, producerVersion].filter((text) => text !== '').join(' '),
    opset: read.opset,
    inputs: freeInputs(graph).map(declared),
    outputs: graph.output.map(declared),
    tensors: candidatesOf(read),
  }
}

/** How many of the tensors are listed for people: heads end a network. */
const listedTensors = 12

function factsOf(architecture: OnnxArchitecture, { layout, name }: ImageInput): (readonly [string, string])[] {
  const { producer, opset, inputs, outputs, tensors } = architecture
  const list = (title: string, lines: readonly string[]): (readonly [string, string])[] =>
    lines.map((line, index) => [index === 0 ? title : '', line])
  const last = tensors.slice(-listedTensors)
  const more = tensors.length - last.length
  return [
    ['written by', `${producer || 'an unknown program'}, operator set ${opset}`],
    ...list(
      'inputs',
      inputs.map((input) => declaredText(input) + (input.name === name && layout === 'nhwc' ? ', channels last' : '')),
    ),
    ...list('outputs', outputs.map(declaredText)),
    ...list('tensors', [
      ...last.map((tensor) => `${tensor.name} ${tensor.shape.join('×')} (${tensor.operator})`),
      ...(more > 0 ? [`and ${more} more before them, see --json`] : []),
    ]),
  ]
}
