import type { Node, Padding } from '../graph.ts'
import { constant, make } from '../ops.ts'
import type { Tensors } from '../weights/tensors.ts'
import type { OutputLayer } from './family.ts'

interface ConvolutionSettings {
  readonly stride?: number
  /** On all four sides. */
  readonly padding?: number
}

/** The layers that networks are built of, by the names of their weights. Activations are N×C×H×W. */
export class Layers {
  readonly #weights: Tensors
  readonly #epsilon: number

  constructor(weights: Tensors, epsilon: number) {
    this.#weights = weights
    this.#epsilon = epsilon
  }

  parameter(name: string): Node {
    const tensor = this.#weights.get(name)
    if (tensor === undefined) throw new Error(`the weights hold no ${name}`)
    return constant(tensor.data, tensor.shape, name)
  }

  /** With a bias where the weights hold one. How many groups there are follows from the weight's shape. */
  convolution(x: Node, name: string, { stride = 1, padding = 0 }: ConvolutionSettings = {}): Node {
    const weight = this.parameter(`${name}.weight`)
    const bias = this.#weights.has(`${name}.bias`) ? [this.parameter(`${name}.bias`)] : []
    const groups = (x.shape[1] ?? 1) / (weight.shape[1] ?? 1)
    return make('conv', [x, weight, ...bias], { strides: [stride, stride], pads: square(padding), groups }, name)
  }

  norm(x: Node, name: string, epsilon: number = this.#epsilon): Node {
    const parts = ['weight', 'bias', 'running_mean', 'running_var'].map((part) => this.parameter(`${name}.${part}`))
    return make('batchNorm', [x, ...parts], { epsilon }, name)
  }

  relu(x: Node, label: string): Node {
    return make('relu', [x], {}, label)
  }

  relu6(x: Node, label: string): Node {
    return make('relu6', [x], {}, label)
  }

  /** By the slopes in `<name>.weight`, one for each channel or one for all; `label` is of this use of the layer. */
  prelu(x: Node, name: string, label: string): Node {
    return make('prelu', [x, this.parameter(`${name}.weight`)], {}, label)
  }

  add(x: Node, y: Node, label: string): Node {
    return make('add', [x, y], {}, label)
  }

  maxPool(x: Node, kernel: number, stride: number, padding: number, label: string): Node {
    return make('maxPool', [x], { kernel: [kernel, kernel], strides: [stride, stride], pads: square(padding) }, label)
  }

  /** N×C: the mean over height and width. */
  globalAverage(x: Node): Node {
    const [batch = 1, channels = 1] = x.shape
    const pooled = make('reduceMean', [x], { axes: [2, 3] }, 'pool')
    return make('reshape', [pooled], { shape: [batch, channels] })
  }

  /** N×ins → N×outs, with a bias where the weights hold one. */
  linear(x: Node, name: string): Node {
    const product = make('matmul', [x, this.parameter(`${name}.weight`)], { transposeB: true }, name)
    return this.#weights.has(`${name}.bias`) ? make('add', [product, this.parameter(`${name}.bias`)]) : product
  }

  /** Each output's N×outputs by its name. */
  outputs(features: Node, outputs: readonly OutputLayer[]): ReadonlyMap<string, Node> {
    return new Map(outputs.map(({ output }) => [output, this.linear(features, output)]))
  }
}

function square(padding: number): Padding {
  return [padding, padding, padding, padding]
}
