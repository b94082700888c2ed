import type { Node } from '../graph.ts'
import { make } from '../ops.ts'
import type { Tensors } from '../weights/tensors.ts'
import { adaptiveAverage } from './adaptiveAverage.ts'
import { assumedFact, namesBehind, type Architecture, type NetworkFamily, type OutputLayer } from './family.ts'
import { Layers } from './layers.ts'
import { findVggShape, type VggShape } from './vggShape.ts'

/**
 * VGGs in torchvision's names (Simonyan and Zisserman 2015, arXiv 1409.1556), with batch norms or without: 3×3
 * convolutions with a ReLU each, 2×2 max pools, and linear layers on the last channels, which are averaged to 7×7 before.
 */
export const vgg: NetworkFamily = {
  name: 'VGG',
  layout: "VGGs in torchvision's layout",
  names: namesBehind(/^(|.*\.)features\.0\.weight$/),
  recognise(reader, given) {
    const { epsilon = 1e-5 } = given
    const { shape, outputs, notes } = findVggShape(reader, epsilon)
    const architecture = architectureOf(shape)
    const { blocks } = architecture
    const channels = shape.convolutions.at(-1)?.outs ?? 0
    const averages = shape.side === 1 ? '' : ` averaged to ${shape.side}×${shape.side}`
    const assumed =
      'It is assumed that a max pool stands wherever the names leave room for one, and after the last convolution: the weights do not say.'
    return {
      architecture,
      facts: [
        ['blocks', `${blocks.join('-')} convolutions, ${architecture.batchNorm ? 'with' : 'without'} batch norm`],
        ['features', `${channels} channels${averages}, ${shape.features} before the heads`],
        assumedFact('2×2 max pools, ReLUs', architecture.batchNorm ? given : { epsilon }),
      ],
      outputs,
      notes: publishedName(architecture.channels, blocks) === undefined ? [...notes, assumed] : notes,
      batchNorm: { epsilon },
      imageChannels: shape.imageChannels,
      // Each max pool halves and drops what is left over.
      smallestSide: 2 ** blocks.length,
      weights: reader.weights,
      used: reader.placed,
      build: (weights, image) => buildVgg(shape, outputs, epsilon, weights, image),
    }
  },
}

interface VggArchitecture extends Architecture {
  readonly family: 'VGG'
  /** Convolutions before each max pool. */
  readonly blocks: readonly number[]
  /** Channels of every convolution. */
  readonly channels: readonly number[]
  readonly batchNorm: boolean
}

/** Channels of each block's convolutions. */
const publishedChannels = [64, 128, 256, 512, 512]

const published: Readonly<Record<string, string>> = {
  '1-1-2-2-2': 'VGG-11',
  '2-2-2-2-2': 'VGG-13',
  '2-2-3-3-3': 'VGG-16',
  '2-2-4-4-4': 'VGG-19',
}

function architectureOf({ convolutions, hidden }: VggShape): VggArchitecture {
  const blocks = [0]
  for (const { pooled } of convolutions) {
    blocks.push((blocks.pop() ?? 0) + 1)
    if (pooled) blocks.push(0)
  }
  blocks.pop()
  const channels = convolutions.map(({ outs }) => outs)
  const batchNorm = convolutions.some(({ norm }) => norm !== undefined)
  const known = publishedName(channels, blocks) ?? `VGG of blocks ${blocks.join('-')}`
  const name = batchNorm ? `${known} with batch norm` : known
  return { family: 'VGG', name, relus: convolutions.length + hidden.length, blocks, channels, batchNorm }
}

function publishedName(channels: readonly number[], blocks: readonly number[]): string | undefined {
  const usual = blocks.flatMap((count, block) => Array<number>(count).fill(publishedChannels[block] ?? 0))
  return channels.join() === usual.join() ? published[blocks.join('-')] : undefined
}

function buildVgg(
  { convolutions, side, hidden }: VggShape,
  outputs: readonly OutputLayer[],
  epsilon: number,
  weights: Tensors,
  image: Node,
): ReadonlyMap<string, Node> {
  const layers = new Layers(weights, epsilon)
  let x = image
  for (const { name, norm, pooled } of convolutions) {
    const filtered = layers.convolution(x, name, { padding: 1 })
    x = layers.relu(norm === undefined ? filtered : layers.norm(filtered, norm), `${name}.relu`)
    if (pooled) x = layers.maxPool(x, 2, 2, 0, `${name}.pool`)
  }
  x = side === 1 ? layers.globalAverage(x) : flat(adaptiveAverage(side, x))
  for (const name of hidden) x = layers.relu(layers.linear(x, name), `${name}.relu`)
  return layers.outputs(x, outputs)
}

function flat(x: Node): Node {
  const [batch = 1, ...rest] = x.shape
  return make('reshape', [x], { shape: [batch, rest.reduce((product, length) => product * length, 1)] })
}
