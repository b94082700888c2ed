import type { Node } from '../graph.ts'
import type { Tensors } from '../weights/tensors.ts'

/** One linear layer on the globally averaged features: weight `[outputs, features]`, bias `[outputs]` or none. */
export interface OutputLayer {
  /** Weight prefix: the tensors are `<output>.weight` and, where `bias` is true, `<output>.bias`. */
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

/** A network that its family has found in weights, ready to be built. */
export interface RecognisedNetwork {
  /** Plain data. */
  readonly architecture: Architecture
  /** The same for people, below the name: lines of `network inspect`. */
  readonly facts: readonly (readonly [name: string, text: string])[]
  /** In the order of the file. */
  readonly outputs: readonly OutputLayer[]
  /** Sentences about what was left out. */
  readonly notes: readonly string[]
  /** Width and height of the input in pixels below which nothing is left to average. */
  readonly smallestSide: number
  /** Names of the trunk's tensors begin so. */
  readonly trunkPrefix: string
  /**
   * Takes the normalised image, N×3×H×W; gives each output's N×outputs by its name. The weights are given anew, since a
   * caller may put others of the same shapes in their place: closed over, those would be passed over without a word.
   */
  build(weights: Tensors, image: Node): ReadonlyMap<string, Node>
}

/** Networks that are built alike, in one file with how their weights are recognised. `families.ts` lists them. */
export interface NetworkFamily {
  /**
   * Finds the network that the weights make up, and checks that every tensor of it is there in the shape that the others
   * call for. InputError `unsupported-network` names the first tensor that is missing, of an odd shape, or unknown: an
   * unknown one may take part in the forward pass, and leaving it out would give wrong angles. `file` is for messages.
   */
  recognise(weights: Tensors, file: string): RecognisedNetwork
}
