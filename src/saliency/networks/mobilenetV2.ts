import type { Node } from '../graph.ts'
import type { Tensors } from '../weights/tensors.ts'
import {
  assumedFact,
  namesBehind,
  type Architecture,
  type BatchNormEpsilons,
  type GivenEpsilons,
  type NetworkFamily,
  type OutputLayer,
} from './family.ts'
import { Layers } from './layers.ts'
import type { TrunkReader } from './trunkReader.ts'

/**
 * MobileNetV2 (Sandler et al. 2018, arXiv 1801.04381) in torchvision's names: a stem, 17 inverted residuals and a last
 * convolution, all with ReLU6. Widths and expansions are those of the weights; strides are not in weights and are
 * torchvision's, so that blocks of another number are refused: guessing where they halve the image would give wrong angles.
 */
export const mobileNetV2: NetworkFamily = {
  name: 'MobileNetV2',
  layout: "MobileNetV2s in torchvision's layout",
  // The second form is that of earlier implementations, whose blocks are one flat list of layers: they come close.
  names: namesBehind(/^(|.*\.)features\.1\.conv\.\d(?:\.0)?\.weight$/),
  recognise(reader, given) {
    const { batchNorm, note } = epsilonsOf(reader, given)
    const shape = findShape(reader, batchNorm)
    const { outputs, notes } = reader.heads(shape.features, /^features\./)
    return {
      architecture: architectureOf(shape),
      facts: [
        ['blocks', `${shape.blocks.length} inverted residuals`],
        ['features', `${shape.stemChannels} after the stem, ${shape.features} before the heads`],
        // Its epsilon is in the note.
        assumedFact("torchvision's strides, no dilation, ReLU6, global average", batchNorm),
      ],
      outputs,
      notes: [...note, ...notes],
      batchNorm,
      imageChannels: shape.imageChannels,
      // Every 3×3 convolution is padded, so that one pixel stays one pixel.
      smallestSide: 1,
      weights: reader.weights,
      used: reader.placed,
      build: (weights, image) => buildMobileNetV2(shape, outputs, batchNorm, weights, image),
    }
  },
}

/**
 * torchvision has 1e-5 everywhere. yakhyo's head-pose and gaze estimators have torchvision's names, and 1e-3 in all norms but
 * those of the projections (yakhyo/head-pose-estimation, models/common.py): only their heads tell them.
 */
function epsilonsOf(
  reader: TrunkReader,
  given: GivenEpsilons,
): { readonly batchNorm: BatchNormEpsilons; readonly note: readonly string[] } {
  const gaze = reader.has('fc_yaw.weight') && reader.has('fc_pitch.weight') && !reader.has('fc_roll.weight')
  const yakhyo = reader.has('linear_reg.weight') || gaze
  const epsilon = given.epsilon ?? (yakhyo ? 1e-3 : 1e-5)
  const projectionEpsilon = given.projectionEpsilon ?? given.epsilon ?? 1e-5
  // Where yakhyo's would be assumed the projections' is always said, so that a description of two equal ones keeps both:
  // {epsilon: 0.00001} alone would be left out as usual, and yakhyo's assumed again.
  const batchNorm = yakhyo || projectionEpsilon !== epsilon ? { epsilon, projectionEpsilon } : { epsilon }
  if (given.epsilon !== undefined) return { batchNorm, note: [] }
  const assumed = yakhyo
    ? `${epsilon}, and ${projectionEpsilon} in the projections, as in yakhyo's networks with such heads`
    : `torchvision's ${epsilon}`
  return {
    batchNorm,
    note: [
      `The weights do not say the epsilon of batch norms. It is taken as ${assumed}: if yours is another, set batchNorm.epsilon in the description.`,
    ],
  }
}

/** Stages by the number of their first block, and the stride of that block's 3×3 convolution. */
const stageStrides: ReadonlyMap<number, 1 | 2> = new Map([
  [1, 1],
  [2, 2],
  [4, 2],
  [7, 2],
  [11, 1],
  [14, 2],
  [17, 1],
])
const blockCount = 17

interface Block {
  /** Name of its layers: `features.2.conv`. */
  readonly name: string
  /** Begins with a 1×1 convolution to more channels. */
  readonly expands: boolean
  /** Of the 3×3 convolution. */
  readonly width: number
  readonly outs: number
  readonly stride: 1 | 2
  /** Adds what it takes to what it gives. */
  readonly residual: boolean
}

interface MobileNetV2Shape {
  readonly imageChannels: 1 | 3
  readonly stemChannels: number
  readonly blocks: readonly Block[]
  /** Number of the last convolution. */
  readonly last: string
  readonly features: number
}

function findShape(reader: TrunkReader, batchNorm: BatchNormEpsilons): MobileNetV2Shape {
  const { outs: stemChannels, imageChannels } = reader.stem('features.0.0', 3)
  reader.norm('features.0.1', stemChannels, batchNorm.epsilon)
  const count = reader.highest(/^features\.(\d{1,3})\.conv\./)
  if (count !== blockCount) {
    throw reader.unsupported(
      `holds ${count} inverted residuals, and which of them halve the image is not in weights but known for ${blockCount}`,
    )
  }
  let channels = stemChannels
  const blocks = Array.from({ length: blockCount }, (_, index): Block => {
    const block = findBlock(reader, index + 1, channels, batchNorm)
    channels = block.outs
    return block
  })
  const last = `features.${blockCount + 1}`
  const { outs: features } = reader.convolution(`${last}.0`, [null, channels, 1, 1])
  reader.norm(`${last}.1`, features, batchNorm.epsilon)
  return { imageChannels, stemChannels, blocks, last, features }
}

function findBlock(reader: TrunkReader, number: number, channels: number, batchNorm: BatchNormEpsilons): Block {
  const { epsilon, projectionEpsilon = epsilon } = batchNorm
  const name = `features.${number}.conv`
  const expands = reader.highest(new RegExp(`^features\\.${number}\\.conv\\.(3)\\.`)) !== undefined
  let width = channels
  let layer = 0
  if (expands) {
    width = reader.convolution(`${name}.0.0`, [null, channels, 1, 1]).outs
    reader.norm(`${name}.0.1`, width, epsilon)
    layer = 1
  }
  reader.convolution(`${name}.${layer}.0`, [width, 1, 3, 3])
  reader.norm(`${name}.${layer}.1`, width, epsilon)
  const first = stageStrides.get(number)
  // Within a stage a block gives as many channels as it takes.
  const { outs } = reader.convolution(`${name}.${layer + 1}`, [first === undefined ? channels : null, width, 1, 1])
  reader.norm(`${name}.${layer + 2}`, outs, projectionEpsilon)
  const stride = first ?? 1
  return { name, expands, width, outs, stride, residual: stride === 1 && outs === channels }
}

interface MobileNetV2Architecture extends Architecture {
  readonly family: 'MobileNetV2'
  /** Channels after the stem, after each stage, and after the last convolution. */
  readonly channels: readonly number[]
}

function architectureOf({ stemChannels, blocks, features }: MobileNetV2Shape): MobileNetV2Architecture {
  const stages = [...stageStrides.keys()].map((number) => blocks[number - 1]?.outs ?? 0)
  const channels = [stemChannels, ...stages, features]
  const width = widths.find((factor) => channels.join() === channelsOfWidth(factor).join())
  const name = width === undefined ? `MobileNetV2 of ${channels.join('-')} channels` : `MobileNetV2 ×${width}`
  const relus = 2 + blocks.reduce((sum, { expands }) => sum + (expands ? 2 : 1), 0)
  return { family: 'MobileNetV2', name, relus, channels }
}

/** Widths that weights were published of. */
const widths = [0.25, 0.35, 0.5, 0.75, 1, 1.3, 1.4]
const plainStages = [16, 24, 32, 64, 96, 160, 320]

function channelsOfWidth(width: number): number[] {
  return [32 * width, ...plainStages.map((channels) => channels * width), 1280 * Math.max(1, width)].map(toEighths)
}

/** The nearest multiple of 8, unless it is less than nine tenths. */
function toEighths(channels: number): number {
  const nearest = Math.max(8, Math.trunc((channels + 4) / 8) * 8)
  return nearest < 0.9 * channels ? nearest + 8 : nearest
}

function buildMobileNetV2(
  { blocks, last }: MobileNetV2Shape,
  outputs: readonly OutputLayer[],
  { epsilon, projectionEpsilon = epsilon }: BatchNormEpsilons,
  weights: Tensors,
  image: Node,
): ReadonlyMap<string, Node> {
  const layers = new Layers(weights, epsilon)
  const convolved = (x: Node, name: string, settings: { stride: number; padding: number }): Node =>
    layers.relu6(layers.norm(layers.convolution(x, `${name}.0`, settings), `${name}.1`), `${name}.2`)

  let x = convolved(image, 'features.0', { stride: 2, padding: 1 })
  for (const { name, expands, stride, residual } of blocks) {
    const wide = expands ? convolved(x, `${name}.0`, { stride: 1, padding: 0 }) : x
    const layer = expands ? 1 : 0
    const filtered = convolved(wide, `${name}.${layer}`, { stride, padding: 1 })
    const projection = layers.convolution(filtered, `${name}.${layer + 1}`)
    const given = layers.norm(projection, `${name}.${layer + 2}`, projectionEpsilon)
    x = residual ? layers.add(x, given, name) : given
  }
  x = convolved(x, last, { stride: 1, padding: 0 })
  return layers.outputs(layers.globalAverage(x), outputs)
}
