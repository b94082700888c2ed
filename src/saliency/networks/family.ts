import { InputError } from '../../base/errors.ts'
import type { Node } from '../graph.ts'
import { renamed, unlessTaken } from '../weights/names.ts'
import type { Tensors } from '../weights/tensors.ts'
import type { TrunkReader } from './trunkReader.ts'

/**
 * One linear layer on the trunk's features: weight `[outputs, features]`, bias `[outputs]` or none. In an ONNX file a tensor
 * with some numbers for each image, whatever gives it.
 */
export interface OutputLayer {
  /** Weight prefix: the tensors are `<output>.weight` and, where `bias` is true, `<output>.bias`. In an ONNX file the tensor's name. */
  readonly output: string
  readonly outputs: number
  readonly bias: boolean
}

/** What `network inspect --json` prints of a network's build, besides what the family adds. */
export interface Architecture {
  /** `DenseNet` */
  readonly family: string
  /** `DenseNet-121` for a published network; otherwise its measures. */
  readonly name: string
  readonly relus: number
}

/** Batch norm's epsilon, which no checkpoint stores. */
export interface BatchNormEpsilons {
  /** PyTorch's default is 1e-5. */
  readonly epsilon: number
  /** That of the norms at the end of an inverted residual where it differs (MobileNetV2). */
  readonly projectionEpsilon?: number
}

/** What a description says of them; what it does not say is the family's to assume. */
export type GivenEpsilons = { readonly [K in keyof BatchNormEpsilons]?: number | undefined }

/**
 * The line of `network inspect` for what no weights tell: a network of other strides, dilations or activations, or whose
 * features are pooled in another way, has the same tensors and would give other angles and maps without a word.
 */
export function assumedFact(what: string, given: GivenEpsilons): readonly [string, string] {
  const epsilon = given.epsilon === undefined ? ', batch norm epsilon 0.00001' : ''
  return ['assumed', `${what}${epsilon}: the weights do not say`]
}

/** What a file with a graph in it says of its input. */
export interface FoundInput {
  /** Pixels; absent where any size goes. */
  readonly width?: number
  readonly height?: number
  /** Whether it takes pixels as whole numbers from 0 to 255, which are then the default. */
  readonly isBytes: boolean
}

/** A network that its family has found in weights, ready to be built. */
export interface RecognisedNetwork {
  /** Plain data. */
  readonly architecture: Architecture
  /** The same for people, below the name: lines of `network inspect`. */
  readonly facts: readonly (readonly [name: string, text: string])[]
  /** In the order of the file. */
  readonly outputs: readonly OutputLayer[]
  /** Sentences about what was assumed or left out. */
  readonly notes: readonly string[]
  readonly batchNorm: BatchNormEpsilons
  /** Channels of the image that the first convolution takes. */
  readonly imageChannels: 1 | 3
  /** Width and height of the input in pixels below which nothing is left to average. */
  readonly smallestSide: number
  /** What the file says of the image besides; weights alone say nothing. */
  readonly found?: FoundInput
  /** The tensors by the family's own names; what it folds on loading is folded here. */
  readonly weights: Tensors
  /** Names in `weights` of the tensors that take part, the outputs' included. */
  readonly used: ReadonlySet<string>
  /**
   * Takes the normalised image, N×C×H×W; gives each output's N×outputs by its name. The weights are given anew, since a
   * caller may put others of the same shapes in their place: closed over, those would be passed over without a word.
   */
  build(weights: Tensors, image: Node): ReadonlyMap<string, Node>
}

/** Networks that are built alike, in one file with how their weights are recognised. `families.ts` lists them. */
export interface NetworkFamily {
  /** `ResNet` */
  readonly name: string
  /** What is built of it, for sentences: `ResNets in torchvision's layout`. */
  readonly layout: string
  /**
   * The family's own name for each of a file's names, without what stands before the trunk (`backbone.`); undefined when
   * nothing in the names tells of this family. InputError `unsupported-network` when they hold two such networks.
   */
  readonly names: (names: readonly string[], file: string) => ReadonlyMap<string, string> | undefined
  /**
   * Finds the network that the weights make up, and checks that every tensor of its trunk is there in the shape that the
   * others call for. InputError `unsupported-network` (made by the reader) names the first tensor that is missing, of an
   * odd shape, or unknown: an unknown one may take part in the forward pass, and leaving it out would give wrong angles.
   * `given` is what the description says of batch norms.
   */
  recognise(reader: TrunkReader, given: GivenEpsilons): RecognisedNetwork
}

/**
 * The usual `names`: `telling` matches one tensor that all networks of the family hold and no other's, and its first group
 * is what stands before the trunk, which is taken off all names that begin with it.
 */
export function namesBehind(telling: RegExp): NetworkFamily['names'] {
  return (names, file) => {
    const prefixes = new Set(names.flatMap((name) => telling.exec(name)?.[1] ?? []))
    const [prefix] = prefixes
    if (prefix === undefined) return undefined
    if (prefixes.size > 1) {
      const some = [...prefixes].map((one) => JSON.stringify(one)).join(' and ')
      throw new InputError('unsupported-network', `${file} holds networks under ${some}: save one alone`)
    }
    const withoutPrefix = (name: string): string => (name.startsWith(prefix) ? name.slice(prefix.length) : name)
    return renamed(names, unlessTaken(names, withoutPrefix), file)
  }
}
