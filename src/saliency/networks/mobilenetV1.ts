import type { Node } from '../graph.ts'
import type { Tensors } from '../weights/tensors.ts'
import { assumedFact, namesBehind, type Architecture, type NetworkFamily, type OutputLayer } from './family.ts'
import { Layers } from './layers.ts'
import type { TrunkReader } from './trunkReader.ts'

/**
 * MobileNetV1 (Howard et al. 2017, arXiv 1704.04861) in the names of 3DDFA, 3DDFA_V2 and SynergyNet
 * (cleardusk/3DDFA_V2, models/mobilenet_v1.py): a stem and 13 depthwise separable blocks of any width. Strides are not in
 * weights; they are those of that file. Each block has one ReLU, or one PReLU with one slope, which is applied after both of
 * its norms.
 */
export const mobileNetV1: NetworkFamily = {
  name: 'MobileNetV1',
  layout: "MobileNetV1s in 3DDFA's layout",
  names: namesBehind(/^(|.*\.)dw\d_\d\.conv_dw\.weight$/),
  recognise(reader, given) {
    const { epsilon = 1e-5 } = given
    const shape = findShape(reader, epsilon)
    const features = shape.blocks.at(-1)?.outs ?? 0
    const { outputs, notes } = reader.heads(features, /^(?:conv1|bn1|relu|dw\d+(?:_\d+)?)\./)
    return {
      architecture: architectureOf(shape),
      facts: [
        ['blocks', `${shape.blocks.length}, of 3×3 by channel and 1×1`],
        ['features', `${shape.stemChannels} after the stem, ${features} before the heads`],
        assumedFact(`3DDFA's strides, ${shape.activation === 'relu' ? 'ReLUs, ' : ''}global average`, given),
      ],
      outputs,
      notes,
      batchNorm: { epsilon },
      imageChannels: shape.imageChannels,
      // Every 3×3 convolution is padded, so that one pixel stays one pixel.
      smallestSide: 1,
      weights: reader.weights,
      used: reader.placed,
      build: (weights, image) => buildMobileNetV1(shape, outputs, epsilon, weights, image),
    }
  },
}

/** Strides of the depthwise convolutions. */
const strides: readonly (readonly [name: string, stride: 1 | 2])[] = [
  ['dw2_1', 1],
  ['dw2_2', 2],
  ['dw3_1', 1],
  ['dw3_2', 2],
  ['dw4_1', 1],
  ['dw4_2', 2],
  ['dw5_1', 1],
  ['dw5_2', 1],
  ['dw5_3', 1],
  ['dw5_4', 1],
  ['dw5_5', 1],
  ['dw5_6', 2],
  ['dw6', 1],
]

interface Block {
  readonly name: string
  readonly stride: 1 | 2
  readonly outs: number
}

interface MobileNetV1Shape {
  readonly activation: 'relu' | 'prelu'
  readonly imageChannels: 1 | 3
  readonly stemChannels: number
  readonly blocks: readonly Block[]
}

function findShape(reader: TrunkReader, epsilon: number): MobileNetV1Shape {
  const { outs: stemChannels, imageChannels } = reader.stem('conv1', 3)
  reader.norm('bn1', stemChannels, epsilon)
  const activation = reader.highest(/^dw(\d)(?:_\d)?\.relu\.weight$/) === undefined ? 'relu' : 'prelu'
  // A block uses its PReLU on two numbers of channels, so that it can have one slope alone.
  if (activation === 'prelu') reader.shape('relu.weight', [1])
  let channels = stemChannels
  const blocks = strides.map(([name, stride]): Block => {
    reader.convolution(`${name}.conv_dw`, [channels, 1, 3, 3])
    reader.norm(`${name}.bn_dw`, channels, epsilon)
    const { outs } = reader.convolution(`${name}.conv_sep`, [null, channels, 1, 1])
    reader.norm(`${name}.bn_sep`, outs, epsilon)
    if (activation === 'prelu') reader.shape(`${name}.relu.weight`, [1])
    channels = outs
    return { name, stride, outs }
  })
  return { activation, imageChannels, stemChannels, blocks }
}

interface MobileNetV1Architecture extends Architecture {
  readonly family: 'MobileNetV1'
  /** Channels after the stem and after each block. */
  readonly channels: readonly number[]
}

/** Channels of the network of width 1. */
const plainChannels = [32, 64, 128, 128, 256, 256, 512, 512, 512, 512, 512, 512, 1024, 1024]

function architectureOf({ stemChannels, blocks }: MobileNetV1Shape): MobileNetV1Architecture {
  const channels = [stemChannels, ...blocks.map(({ outs }) => outs)]
  const width = stemChannels / 32
  const even = plainChannels.every((plain, index) => Math.trunc(plain * width) === channels[index])
  const name = even ? `MobileNetV1 ×${width}` : `MobileNetV1 of ${stemChannels} to ${channels.at(-1)} channels`
  return { family: 'MobileNetV1', name, relus: 1 + 2 * blocks.length, channels }
}

function buildMobileNetV1(
  { activation, blocks }: MobileNetV1Shape,
  outputs: readonly OutputLayer[],
  epsilon: number,
  weights: Tensors,
  image: Node,
): ReadonlyMap<string, Node> {
  const layers = new Layers(weights, epsilon)
  const activated = (x: Node, name: string, label: string): Node =>
    activation === 'prelu' ? layers.prelu(x, name, label) : layers.relu(x, label)

  let x = layers.norm(layers.convolution(image, 'conv1', { stride: 2, padding: 1 }), 'bn1')
  x = activated(x, 'relu', 'relu')
  for (const { name, stride } of blocks) {
    x = layers.norm(layers.convolution(x, `${name}.conv_dw`, { stride, padding: 1 }), `${name}.bn_dw`)
    x = activated(x, `${name}.relu`, `${name}.relu_dw`)
    x = layers.norm(layers.convolution(x, `${name}.conv_sep`), `${name}.bn_sep`)
    x = activated(x, `${name}.relu`, `${name}.relu_sep`)
  }
  return layers.outputs(layers.globalAverage(x), outputs)
}
