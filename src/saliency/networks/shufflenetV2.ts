import type { Node } from '../graph.ts'
import { make } from '../ops.ts'
import type { Tensors } from '../weights/tensors.ts'
import { assumedFact, namesBehind, type Architecture, type NetworkFamily, type OutputLayer } from './family.ts'
import { Layers } from './layers.ts'
import type { TrunkReader } from './trunkReader.ts'

/**
 * ShuffleNetV2 (Ma et al. 2018, arXiv 1807.11164) in torchvision's names, and in those of the earlier implementation that
 * torchvision's weights come from (ericsun99/Shufflenet-v2-Pytorch), which differ and mean the same. Strides are not in
 * weights; they follow from the blocks: one with a first branch halves the sides. Stem 3×3 with stride 2, max pool 3×3
 * with stride 2.
 */
export const shuffleNetV2: NetworkFamily = {
  name: 'ShuffleNetV2',
  layout: "ShuffleNetV2s in torchvision's layout",
  names: namesBehind(/^(|.*\.)(?:stage2\.0\.branch|features\.0\.banch)[12]\.0\.weight$/),
  recognise(reader, given) {
    const { epsilon = 1e-5 } = given
    const shape = findShape(reader, epsilon)
    const { outputs, notes } = reader.heads(shape.features, /^(?:conv1|stage\d+|conv5|features|conv_last)\./)
    return {
      architecture: architectureOf(shape),
      facts: [
        ['blocks', `${blockCounts(shape).join('-')}, of two branches`],
        ['features', `${shape.stemChannels} after the stem, ${shape.features} before the heads`],
        assumedFact('blocks of two branches halve, ReLUs, global average', given),
      ],
      outputs,
      notes,
      batchNorm: { epsilon },
      imageChannels: shape.imageChannels,
      // All kernels wider than one pixel are padded, so that one pixel stays one pixel.
      smallestSide: 1,
      weights: reader.weights,
      used: reader.placed,
      build: (weights, image) => buildShuffleNetV2(shape, outputs, epsilon, weights, image),
    }
  },
}

interface Block {
  /** What stands before the numbers 1 and 2 of its branches: `stage2.0.branch`. */
  readonly branch: string
  /** Has two branches of convolutions, each with stride 2; otherwise the first half of the channels passes by. */
  readonly halves: boolean
  readonly outs: number
}

interface ShuffleNetV2Shape {
  readonly imageChannels: 1 | 3
  readonly stemChannels: number
  readonly blocks: readonly Block[]
  /** Name of the last convolution's layers: `conv5` or `conv_last`. */
  readonly last: string
  readonly features: number
}

function findShape(reader: TrunkReader, epsilon: number): ShuffleNetV2Shape {
  const { outs: stemChannels, imageChannels } = reader.stem('conv1.0', 3)
  reader.norm('conv1.1', stemChannels, epsilon)
  let channels = stemChannels
  const blocks = branchNames(reader).map((branch) => {
    const block = findBlock(reader, branch, channels, epsilon)
    channels = block.outs
    return block
  })
  const last = isEarlier(reader) ? 'conv_last' : 'conv5'
  const { outs: features } = reader.convolution(`${last}.0`, [null, channels, 1, 1])
  reader.norm(`${last}.1`, features, epsilon)
  return { imageChannels, stemChannels, blocks, last, features }
}

/** The earlier implementation numbers its blocks from one end to the other and spells its branches without an r. */
function isEarlier(reader: TrunkReader): boolean {
  return reader.highest(/^features\.(\d{1,3})\.banch/) !== undefined
}

function branchNames(reader: TrunkReader): string[] {
  // From the highest numbers that occur, so that a hole is reported as a missing tensor.
  const upTo = (highest: number | undefined): number[] =>
    Array.from({ length: (highest ?? 0) + 1 }, (_, index) => index)
  if (isEarlier(reader)) {
    return upTo(reader.highest(/^features\.(\d{1,3})\.banch/)).map((index) => `features.${index}.banch`)
  }
  return upTo(reader.highest(/^stage(\d{1,2})\./))
    .slice(2)
    .flatMap((stage) => {
      const last = reader.highest(new RegExp(`^stage${stage}\\.(\\d{1,3})\\.`))
      return upTo(last).map((index) => `stage${stage}.${index}.branch`)
    })
}

function findBlock(reader: TrunkReader, branch: string, channels: number, epsilon: number): Block {
  const halves = reader.highest(new RegExp(`^${branch}1\\.(\\d)\\.`)) !== undefined
  if (halves) {
    reader.convolution(`${branch}1.0`, [channels, 1, 3, 3])
    reader.norm(`${branch}1.1`, channels, epsilon)
  }
  const ins = halves ? channels : channels / 2
  // A block gives two halves of equal width, and one without a first branch gives as many channels as it takes.
  const { outs: half } = reader.convolution(`${branch}2.0`, [halves ? null : ins, ins, 1, 1])
  reader.norm(`${branch}2.1`, half, epsilon)
  reader.convolution(`${branch}2.3`, [half, 1, 3, 3])
  reader.norm(`${branch}2.4`, half, epsilon)
  reader.convolution(`${branch}2.5`, [half, half, 1, 1])
  reader.norm(`${branch}2.6`, half, epsilon)
  if (halves) {
    reader.convolution(`${branch}1.2`, [half, channels, 1, 1])
    reader.norm(`${branch}1.3`, half, epsilon)
  }
  return { branch, halves, outs: 2 * half }
}

interface ShuffleNetV2Architecture extends Architecture {
  readonly family: 'ShuffleNetV2'
  /** Blocks in each stage. */
  readonly blocks: readonly number[]
  /** Channels after the stem, after each stage, and after the last convolution. */
  readonly channels: readonly number[]
}

/** Channels of networks whose stages have 4, 8 and 4 blocks. */
const published: Readonly<Record<string, string>> = {
  '24-48-96-192-1024': 'ShuffleNetV2 ×0.5',
  '24-116-232-464-1024': 'ShuffleNetV2 ×1.0',
  '24-176-352-704-1024': 'ShuffleNetV2 ×1.5',
  '24-244-488-976-2048': 'ShuffleNetV2 ×2.0',
}

/** Blocks in each stage, which begins where the sides are halved. */
function blockCounts({ blocks }: ShuffleNetV2Shape): number[] {
  const starts = blocks.flatMap(({ halves }, index) => (halves ? [index] : []))
  return starts.map((start, stage) => (starts[stage + 1] ?? blocks.length) - start)
}

function architectureOf(shape: ShuffleNetV2Shape): ShuffleNetV2Architecture {
  const counts = blockCounts(shape)
  const stages = shape.blocks.flatMap(({ halves, outs }) => (halves ? [outs] : []))
  const channels = [shape.stemChannels, ...stages, shape.features]
  const name =
    (counts.join('-') === '4-8-4' ? published[channels.join('-')] : undefined) ??
    `ShuffleNetV2 of ${channels.join('-')} channels with blocks ${counts.join('-')}`
  const relus = 2 + 2 * shape.blocks.length + counts.length
  return { family: 'ShuffleNetV2', name, relus, blocks: counts, channels }
}

function buildShuffleNetV2(
  { blocks, last }: ShuffleNetV2Shape,
  outputs: readonly OutputLayer[],
  epsilon: number,
  weights: Tensors,
  image: Node,
): ReadonlyMap<string, Node> {
  const layers = new Layers(weights, epsilon)
  let x = layers.norm(layers.convolution(image, 'conv1.0', { stride: 2, padding: 1 }), 'conv1.1')
  x = layers.maxPool(layers.relu(x, 'conv1.2'), 3, 2, 1, 'maxpool')
  for (const { branch, halves } of blocks) {
    const [passing, through] = halves ? [halvingBranch(layers, x, `${branch}1`), x] : split(x)
    x = shuffle(make('concat', [passing, mainBranch(layers, through, `${branch}2`, halves ? 2 : 1)], { axis: 1 }))
  }
  x = layers.relu(layers.norm(layers.convolution(x, `${last}.0`), `${last}.1`), `${last}.2`)
  return layers.outputs(layers.globalAverage(x), outputs)
}

function halvingBranch(layers: Layers, x: Node, name: string): Node {
  const halved = layers.norm(layers.convolution(x, `${name}.0`, { stride: 2, padding: 1 }), `${name}.1`)
  return layers.relu(layers.norm(layers.convolution(halved, `${name}.2`), `${name}.3`), `${name}.4`)
}

function mainBranch(layers: Layers, x: Node, name: string, stride: number): Node {
  const first = layers.relu(layers.norm(layers.convolution(x, `${name}.0`), `${name}.1`), `${name}.2`)
  const middle = layers.norm(layers.convolution(first, `${name}.3`, { stride, padding: 1 }), `${name}.4`)
  return layers.relu(layers.norm(layers.convolution(middle, `${name}.5`), `${name}.6`), `${name}.7`)
}

/** The first half of the channels and the second. */
function split(x: Node): [Node, Node] {
  const channels = x.shape[1] ?? 0
  return [
    make('slice', [x], { axis: 1, start: 0, end: channels / 2 }),
    make('slice', [x], { axis: 1, start: channels / 2, end: channels }),
  ]
}

/** Channels of the two halves by turns. */
function shuffle(x: Node): Node {
  const [batch = 1, channels = 2, height = 1, width = 1] = x.shape
  // Rows are taken as one axis: four axes are what every engine transposes fast.
  const halves = make('reshape', [x], { shape: [batch, 2, channels / 2, height * width] })
  const turns = make('transpose', [halves], { permutation: [0, 2, 1, 3] })
  return make('reshape', [turns], { shape: [...x.shape] })
}
