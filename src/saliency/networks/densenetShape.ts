import { InputError } from '../../base/errors.ts'
import type { Tensors, WeightTensor } from '../weights/tensors.ts'
import type { OutputLayer } from './family.ts'

/**
 * All that the weights say about a DenseNet in torchvision's layout. Strides and paddings are not in weights; they are
 * torchvision's: stem stride 2 and padding (stemKernel − 1) / 2, max pool 3×3 stride 2 padding 1, layers stride 1 with
 * padding (layerKernel − 1) / 2, transitions end in a 2×2 average pool.
 */
export interface DenseNetShape {
  /** Channels after `features.conv0`. */
  readonly initFeatures: number
  /** Channels that every dense layer adds. */
  readonly growth: number
  /** Channels between the two convolutions of a dense layer (128 in DenseNet-121: 4 · growth). */
  readonly bottleneck: number
  /** Dense layers per block, e.g. [6, 12, 24, 16]. */
  readonly blocks: readonly number[]
  /** Channels after each transition; one entry fewer than `blocks`. */
  readonly transitions: readonly number[]
  /** Channels after the last block, which `norm<blocks + 1>` and the heads take. */
  readonly finalFeatures: number
  /** Side of `features.conv0`'s kernel: 7. */
  readonly stemKernel: number
  /** Side of the second kernel of a dense layer: 3, or another odd number. The first is 1×1. */
  readonly layerKernel: number
  /** Batch norm's epsilon, which no checkpoint stores: torchvision's 1e-5. */
  readonly epsilon: number
  /** In the order of the file. */
  readonly heads: readonly OutputLayer[]
}

/** torchvision's batch norm; PyTorch's default too. */
const epsilon = 1e-5

const normParts = ['weight', 'bias', 'running_mean', 'running_var'] as const

/** Layers that are known to be in files without taking part in the forward pass. */
const unusedLayers: ReadonlySet<string> = new Set(['fc_finetune'])

/**
 * Finds the DenseNet that weights in torchvision's names make up, and checks that every tensor of it is there in the
 * shape that the others call for. InputError `unsupported-network` names the first tensor that is missing, of an odd
 * shape, or unknown: an unknown one may take part in the forward pass, and leaving it out would give wrong angles.
 * InputError `bad-checkpoint` names a variance below zero.
 */
export function findDenseNetShape(weights: Tensors, file: string): { shape: DenseNetShape; notes: string[] } {
  const finder = new ShapeFinder(weights, file)
  const trunk = finder.trunk()
  const { heads, notes } = finder.heads(trunk.finalFeatures)
  return { shape: { ...trunk, epsilon, heads }, notes }
}

class ShapeFinder {
  readonly #weights: Tensors
  readonly #file: string
  /** Names of the tensors that have their place in the network. */
  readonly #placed = new Set<string>()

  constructor(weights: Tensors, file: string) {
    this.#weights = weights
    this.#file = file
  }

  trunk(): Omit<DenseNetShape, 'heads' | 'epsilon'> {
    if (!this.#weights.has('features.conv0.weight')) throw this.#noDenseNet()
    const [initFeatures, , stemKernel] = this.#convolution('features.conv0', [null, 3, 7, 7])
    this.#norm('features.norm0', initFeatures)

    const blocks: number[] = []
    const transitions: number[] = []
    let growth: number | null = null
    let bottleneck: number | null = null
    let layerKernel: number | null = null
    let channels = initFeatures
    const layersByBlock = this.#layersByBlock()
    for (const [index, layers] of layersByBlock.entries()) {
      const block = index + 1
      for (let layer = 1; layer <= layers; layer++) {
        const name = `features.denseblock${block}.denselayer${layer}`
        this.#norm(`${name}.norm1`, channels)
        ;[bottleneck] = this.#convolution(`${name}.conv1`, [bottleneck, channels, 1, 1])
        this.#norm(`${name}.norm2`, bottleneck)
        ;[growth, , layerKernel] = this.#convolution(`${name}.conv2`, [growth, bottleneck, layerKernel, layerKernel])
        channels += growth
      }
      blocks.push(layers)
      if (block < layersByBlock.length) {
        this.#norm(`features.transition${block}.norm`, channels)
        ;[channels] = this.#convolution(`features.transition${block}.conv`, [null, channels, 1, 1])
        transitions.push(channels)
      }
    }
    this.#norm(`features.norm${blocks.length + 1}`, channels)
    if (growth === null || bottleneck === null || layerKernel === null) {
      throw this.#missing('features.denseblock1.denselayer1.conv1.weight')
    }
    if (layerKernel % 2 === 0) {
      throw this.#unsupported(`has dense layers with a ${layerKernel}×${layerKernel} kernel, whose padding is unknown`)
    }
    return {
      initFeatures,
      growth,
      bottleneck,
      blocks,
      transitions,
      finalFeatures: channels,
      stemKernel,
      layerKernel,
    }
  }

  heads(features: number): { heads: OutputLayer[]; notes: string[] } {
    const heads: OutputLayer[] = []
    const notes: string[] = []
    const rest = [...this.#weights.keys()].filter((name) => !this.#placed.has(name))
    for (const name of rest) {
      const { shape } = this.#tensor(name)
      const [, output] = /^(?!features\.)(.+)\.weight$/.exec(name) ?? []
      if (output === undefined || unusedLayers.has(output) || shape.length !== 2 || shape[1] !== features) continue
      const outputs = shape[0] ?? 0
      this.#placed.add(name)
      const bias = this.#weights.has(`${output}.bias`)
      if (bias) this.#expect(`${output}.bias`, [outputs])
      heads.push({ output, outputs, bias })
    }
    for (const name of rest) {
      if (this.#placed.has(name)) continue
      const layer = name.slice(0, name.lastIndexOf('.'))
      if (!unusedLayers.has(layer)) {
        throw this.#unsupported(
          `holds ${name} ${show(this.#tensor(name).shape)}, which has no place in a DenseNet whose heads take ${features} features`,
        )
      }
      notes.push(`${name} takes no part in the forward pass and is left out.`)
    }
    if (heads.length === 0) {
      throw this.#unsupported(`has no head: a weight of shape [outputs, ${features}] outside features is missing`)
    }
    return { heads, notes }
  }

  /** From the highest numbers that occur, so that a hole is reported as a missing tensor. */
  #layersByBlock(): number[] {
    const layersByBlock: number[] = []
    for (const name of this.#weights.keys()) {
      const match = /^features\.denseblock([1-9]\d?)\.denselayer([1-9]\d{0,2})\./.exec(name)
      if (!match) continue
      const block = Number(match[1])
      while (layersByBlock.length < block) layersByBlock.push(1)
      layersByBlock[block - 1] = Math.max(layersByBlock[block - 1] ?? 1, Number(match[2]))
    }
    return layersByBlock
  }

  #norm(name: string, channels: number): void {
    for (const part of normParts) this.#expect(`${name}.${part}`, [channels])
    this.#variance(`${name}.running_var`)
  }

  /** A batch norm divides by the square root: a variance below zero would be NaN in every angle and every map. */
  #variance(name: string): void {
    const wrong = this.#tensor(name).data.find((variance) => variance + epsilon <= 0)
    if (wrong === undefined) return
    throw new InputError(
      'bad-checkpoint',
      `${this.#file} holds a variance of ${wrong} in ${name}, and none can be below zero: take an earlier checkpoint`,
    )
  }

  #convolution(
    name: string,
    wanted: readonly [number | null, number, number | null, number | null],
  ): [number, number, number] {
    const [out = 0, input = 0, height = 0, width = 0] = this.#expect(`${name}.weight`, wanted)
    if (height !== width) throw this.#unsupported(`has a kernel of ${height}×${width} in ${name}, not a square one`)
    return [out, input, height]
  }

  /** The shape of the tensor, which must have the wanted sides; null stands for any size. */
  #expect(name: string, wanted: readonly (number | null)[]): readonly number[] {
    const { shape } = this.#tensor(name)
    const fits =
      shape.length === wanted.length && shape.every((side, axis) => side > 0 && side === (wanted[axis] ?? side))
    if (!fits) throw this.#unsupported(`has ${name} of shape ${show(shape)} where ${show(wanted)} belongs`)
    this.#placed.add(name)
    return shape
  }

  #tensor(name: string): WeightTensor {
    const tensor = this.#weights.get(name)
    if (!tensor) throw this.#missing(name)
    return tensor
  }

  #missing(name: string): InputError {
    return this.#unsupported(`lacks ${name}`)
  }

  #noDenseNet(): InputError {
    const names = [...this.#weights.keys()]
    const family = families.find(([, telling]) => names.includes(telling))?.[0]
    const kind = family === undefined ? '' : `, which looks like a ${family}`
    const some = names.slice(0, 3).join(', ')
    return this.#unsupported(`lacks features.conv0.weight${kind} (its weights begin with ${some || 'none at all'})`)
  }

  #unsupported(what: string): InputError {
    return new InputError(
      'unsupported-network',
      `${this.#file} ${what}: headlight builds DenseNets in torchvision's layout`,
    )
  }
}

const families: readonly (readonly [family: string, telling: string])[] = [
  ['ResNet', 'layer1.0.conv1.weight'],
  ['VGG or AlexNet', 'features.0.weight'],
  ['MobileNet or EfficientNet', 'features.0.0.weight'],
  ['vision transformer', 'class_token'],
  ['RepVGG', 'stage0.rbr_dense.conv.weight'],
]

function show(shape: readonly (number | null)[]): string {
  return `[${shape.map((side) => side ?? 'any').join(', ')}]`
}
