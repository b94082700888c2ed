import type { Node } from '../graph.ts'
import { renamed } from '../weights/names.ts'
import type { Tensors } from '../weights/tensors.ts'
import { assumedFact, namesBehind, type Architecture, type NetworkFamily, type OutputLayer } from './family.ts'
import { Layers } from './layers.ts'
import type { TrunkReader } from './trunkReader.ts'

/**
 * ResNets in torchvision's names (He et al. 2016, arXiv 1512.03385), with its ResNeXts and Wide ResNets. Strides are not in
 * weights; they are torchvision's: stem 7×7 with stride 2, max pool 3×3 with stride 2, and every stage but the first halves
 * in the 3×3 convolution of its first block. The original paper's bottleneck halves in its 1×1 instead, which no PyTorch
 * model of these names does.
 */
export const resNet: NetworkFamily = {
  name: 'ResNet',
  layout: "ResNets in torchvision's layout",
  names: (names, file) => named(names, file) ?? numbered(names, file),
  recognise(reader, given) {
    const { epsilon = 1e-5 } = given
    const shape = findShape(reader, epsilon)
    const features = shape.stages.at(-1)?.at(-1)?.outs ?? 0
    const { outputs, notes } = reader.heads(features, /^(?:conv1|bn1|layer\d+)\./)
    return {
      architecture: architectureOf(shape),
      facts: [
        ['blocks', `${shape.stages.map((blocks) => blocks.length).join('-')}, ${kindText(shape)}`],
        ['features', `${shape.stemChannels} after the stem, ${features} before the heads`],
        assumedFact("torchvision's strides and max pool, no dilation, ReLUs, global average", given),
      ],
      outputs,
      notes,
      batchNorm: { epsilon },
      imageChannels: shape.imageChannels,
      // Every convolution is padded, so that one pixel stays one pixel.
      smallestSide: 1,
      weights: reader.weights,
      used: reader.placed,
      build: (weights, image) => buildResNet(shape, outputs, epsilon, weights, image),
    }
  },
}

const named = namesBehind(/^(|.*\.)layer1\.0\.conv1\.weight$/)

/** Of `nn.Sequential(*list(resnet.children())[:-1])`, by which many backbones are cut off: 2, 3 and 8 have no weights. */
const children = ['conv1', 'bn1', '', '', 'layer1', 'layer2', 'layer3', 'layer4']

function numbered(names: readonly string[], file: string): ReadonlyMap<string, string> | undefined {
  const [prefix] = names.flatMap((name) => /^(|.*\.)4\.0\.conv1\.weight$/.exec(name)?.[1] ?? [])
  if (prefix === undefined || !['0.weight', '1.running_mean'].every((stem) => names.includes(prefix + stem))) {
    return undefined
  }
  const rename = (name: string): string => {
    const [, number = '', rest = ''] = (name.startsWith(prefix) && /^(\d)\.(.+)$/.exec(name.slice(prefix.length))) || []
    const child = children[Number(number)]
    return rest === '' || child === undefined || child === '' ? name : `${child}.${rest}`
  }
  return renamed(names, rename, file)
}

interface Block {
  readonly name: string
  /** Channels of its last convolution. */
  readonly outs: number
  /** Of the 3×3 convolution in a bottleneck. */
  readonly width: number
  readonly groups: number
  readonly stride: number
  readonly downsamples: boolean
}

interface ResNetShape {
  readonly imageChannels: 1 | 3
  readonly stemChannels: number
  /** Two 3×3 convolutions in a block, or 1×1, 3×3, 1×1. */
  readonly block: 'basic' | 'bottleneck'
  readonly stages: readonly (readonly Block[])[]
}

function findShape(reader: TrunkReader, epsilon: number): ResNetShape {
  const { outs: stemChannels, imageChannels } = reader.stem('conv1', 7)
  reader.norm('bn1', stemChannels, epsilon)
  const block = reader.has('layer1.0.conv3.weight') ? 'bottleneck' : 'basic'
  const stages: Block[][] = []
  let channels = stemChannels
  for (let stage = 1; stage <= (reader.highest(/^layer(\d{1,2})\./) ?? 0); stage++) {
    const blocks: Block[] = []
    // From the highest numbers that occur, so that a hole is reported as a missing tensor.
    const last = reader.highest(new RegExp(`^layer${stage}\\.(\\d{1,3})\\.`)) ?? 0
    for (let index = 0; index <= last; index++) {
      const stride = stage > 1 && index === 0 ? 2 : 1
      const found = findBlock(reader, `layer${stage}.${index}`, block, channels, stride, epsilon)
      blocks.push(found)
      channels = found.outs
    }
    stages.push(blocks)
  }
  return { imageChannels, stemChannels, block, stages }
}

function findBlock(
  reader: TrunkReader,
  name: string,
  block: ResNetShape['block'],
  channels: number,
  stride: number,
  epsilon: number,
): Block {
  const kernel = block === 'basic' ? 3 : 1
  const { outs: width } = reader.convolution(`${name}.conv1`, [null, channels, kernel, kernel])
  reader.norm(`${name}.bn1`, width, epsilon)
  const { outs: middle, insPerGroup } = reader.convolution(`${name}.conv2`, [null, null, 3, 3])
  const groups = width / insPerGroup
  if (!Number.isInteger(groups) || middle % groups !== 0) {
    throw reader.unsupported(`has ${name}.conv2 with ${insPerGroup} channels a group, which do not divide ${width}`)
  }
  reader.norm(`${name}.bn2`, middle, epsilon)
  let outs = middle
  if (block === 'bottleneck') {
    outs = reader.convolution(`${name}.conv3`, [null, middle, 1, 1]).outs
    reader.norm(`${name}.bn3`, outs, epsilon)
  }
  const downsamples = reader.has(`${name}.downsample.0.weight`) || stride !== 1 || outs !== channels
  if (downsamples) {
    reader.convolution(`${name}.downsample.0`, [outs, channels, 1, 1])
    reader.norm(`${name}.downsample.1`, outs, epsilon)
  }
  return { name, outs, width: middle, groups, stride, downsamples }
}

interface ResNetArchitecture extends Architecture {
  readonly family: 'ResNet'
  readonly block: ResNetShape['block']
  /** Blocks in each stage. */
  readonly blocks: readonly number[]
  readonly groups: number
  /** Channels of the first block's 3×3 convolution. */
  readonly width: number
}

const published: Readonly<Record<string, string>> = {
  'basic 2-2-2-2 1 64': 'ResNet-18',
  'basic 3-4-6-3 1 64': 'ResNet-34',
  'bottleneck 3-4-6-3 1 64': 'ResNet-50',
  'bottleneck 3-4-23-3 1 64': 'ResNet-101',
  'bottleneck 3-8-36-3 1 64': 'ResNet-152',
  'bottleneck 3-4-6-3 32 128': 'ResNeXt-50 32×4d',
  'bottleneck 3-4-23-3 32 256': 'ResNeXt-101 32×8d',
  'bottleneck 3-4-23-3 64 256': 'ResNeXt-101 64×4d',
  'bottleneck 3-4-6-3 1 128': 'Wide ResNet-50-2',
  'bottleneck 3-4-23-3 1 128': 'Wide ResNet-101-2',
}

function architectureOf({ block, stages, stemChannels }: ResNetShape): ResNetArchitecture {
  const blocks = stages.map((stage) => stage.length)
  const { groups, width } = stages[0]?.[0] ?? { groups: 1, width: 0 }
  const name =
    (stemChannels === 64 ? published[`${block} ${blocks.join('-')} ${groups} ${width}`] : undefined) ??
    `ResNet of ${block} blocks ${blocks.join('-')}`
  const count = blocks.reduce((sum, length) => sum + length, 0)
  return { family: 'ResNet', name, relus: 1 + (block === 'basic' ? 2 : 3) * count, block, blocks, groups, width }
}

function kindText({ block, stages }: ResNetShape): string {
  const groups = stages[0]?.[0]?.groups ?? 1
  const kind = block === 'basic' ? 'of two 3×3 convolutions' : 'of 1×1, 3×3 and 1×1'
  return groups === 1 ? kind : `${kind}, ${groups} groups`
}

function buildResNet(
  { block, stages }: ResNetShape,
  outputs: readonly OutputLayer[],
  epsilon: number,
  weights: Tensors,
  image: Node,
): ReadonlyMap<string, Node> {
  const layers = new Layers(weights, epsilon)
  let x = layers.convolution(image, 'conv1', { stride: 2, padding: 3 })
  x = layers.maxPool(layers.relu(layers.norm(x, 'bn1'), 'relu'), 3, 2, 1, 'maxpool')
  for (const { name, stride, downsamples } of stages.flat()) {
    const shortcut = downsamples
      ? layers.norm(layers.convolution(x, `${name}.downsample.0`, { stride }), `${name}.downsample.1`)
      : x
    const branch = block === 'basic' ? basicBranch(layers, x, name, stride) : bottleneckBranch(layers, x, name, stride)
    x = layers.relu(layers.add(branch, shortcut, name), `${name}.relu`)
  }
  return layers.outputs(layers.globalAverage(x), outputs)
}

function basicBranch(layers: Layers, x: Node, name: string, stride: number): Node {
  const first = layers.norm(layers.convolution(x, `${name}.conv1`, { stride, padding: 1 }), `${name}.bn1`)
  const relu = layers.relu(first, `${name}.relu1`)
  return layers.norm(layers.convolution(relu, `${name}.conv2`, { padding: 1 }), `${name}.bn2`)
}

function bottleneckBranch(layers: Layers, x: Node, name: string, stride: number): Node {
  const narrow = layers.relu(layers.norm(layers.convolution(x, `${name}.conv1`), `${name}.bn1`), `${name}.relu1`)
  const middle = layers.norm(layers.convolution(narrow, `${name}.conv2`, { stride, padding: 1 }), `${name}.bn2`)
  return layers.norm(layers.convolution(layers.relu(middle, `${name}.relu2`), `${name}.conv3`), `${name}.bn3`)
}
