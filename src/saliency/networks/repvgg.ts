import type { Node } from '../graph.ts'
import type { Tensors } from '../weights/tensors.ts'
import { assumedFact, namesBehind, type Architecture, type NetworkFamily, type OutputLayer } from './family.ts'
import { Layers } from './layers.ts'
import { foldedRepVggWeights } from './repvggFold.ts'
import { findRepVggShape, type RepVggShape } from './repvggShape.ts'

/**
 * RepVGGs (Ding et al. 2021, arXiv 2101.03697) in the names of DingXiaoH/RepVGG (`stage0` … `stage4`) or of
 * thohemp/6DRepNet (`layer0` … `layer4`). A block is one 3×3 convolution and a ReLU. In training form the convolution is
 * spread over branches that are summed before the ReLU, so folding them changes neither the value nor what guided
 * backpropagation passes on.
 */
export const repVgg: NetworkFamily = {
  name: 'RepVGG',
  layout: 'RepVGGs in training or deployed form',
  names: namesBehind(/^(|.*?\.)(?:stage|layer)\d+(?:\.\d+)?\.rbr_\w+\./),
  recognise(reader, given) {
    const { epsilon = 1e-5 } = given
    const shape = findRepVggShape(reader, epsilon)
    const { blocks } = shape
    const features = blocks.at(-1)?.outs ?? 0
    const { outputs, notes } = reader.heads(features, /^(?:stage|layer)\d+\./)
    const weights = foldedRepVggWeights(reader.weights, blocks, epsilon)
    const spread = blocks.filter((block) => block.form === 'training').length
    const form = spread === 0 ? 'deployed' : spread === blocks.length ? 'training' : 'partly deployed'
    const architecture = architectureOf(shape)
    return {
      architecture,
      facts: [
        ['blocks', `${architecture.blocks.join('-')} after the stem, ${groupsText(architecture.groups)}`],
        ['form', form === 'deployed' ? form : `${form}, folded into one 3×3 convolution a block`],
        ['features', `${architecture.widths.join(', ')}; ${features} before the heads`],
        assumedFact('the first block of each stage halves, ReLUs, global average', spread === 0 ? { epsilon } : given),
      ],
      outputs,
      notes,
      batchNorm: { epsilon },
      imageChannels: shape.imageChannels,
      // Every convolution is padded, so that one pixel stays one pixel.
      smallestSide: 1,
      weights,
      used: new Set([...weights.keys()].filter((name) => reader.placed.has(name) || name.includes('.rbr_reparam.'))),
      build: (given, image) => buildRepVgg(shape, outputs, given, image),
    }
  },
}

interface RepVggArchitecture extends Architecture {
  readonly family: 'RepVGG'
  /** Blocks in each stage after the stem. */
  readonly blocks: readonly number[]
  /** Channels after the stem and after each stage. */
  readonly widths: readonly number[]
  /** Of every second convolution; the others have one. Undefined where they are spread in another way. */
  readonly groups: number | undefined
}

/** Blocks, and channels after the stem and each stage. */
const published: Readonly<Record<string, string>> = {
  '2-4-14-1 48-48-96-192-1280': 'RepVGG-A0',
  '2-4-14-1 64-64-128-256-1280': 'RepVGG-A1',
  '2-4-14-1 64-96-192-384-1408': 'RepVGG-A2',
  '4-6-16-1 64-64-128-256-1280': 'RepVGG-B0',
  '4-6-16-1 64-128-256-512-2048': 'RepVGG-B1',
  '4-6-16-1 64-160-320-640-2560': 'RepVGG-B2',
  '4-6-16-1 64-192-384-768-2560': 'RepVGG-B3',
}

function architectureOf({ blocks, stages }: RepVggShape): RepVggArchitecture {
  const lengths = stages.slice(1).map((stage) => stage.length)
  const widths = stages.map((stage) => stage.at(-1)?.outs ?? 0)
  const groups = groupsOfEveryOther(blocks.map((block) => block.groups))
  const known = groups === undefined ? undefined : published[`${lengths.join('-')} ${widths.join('-')}`]
  const name =
    known === undefined
      ? `RepVGG of blocks ${lengths.join('-')}`
      : `${known}${groups === undefined || groups === 1 ? '' : `g${groups}`}`
  return { family: 'RepVGG', name, relus: blocks.length, blocks: lengths, widths, groups }
}

/** Published networks have groups in every second block, the stem counting as number 0 and having one. */
function groupsOfEveryOther(groups: readonly number[]): number | undefined {
  const many = groups[2] ?? 1
  const regular = groups.every((count, index) => count === (index > 0 && index % 2 === 0 ? many : 1))
  return regular ? many : undefined
}

function groupsText(groups: number | undefined): string {
  if (groups === undefined) return 'groups vary'
  return groups === 1 ? 'no groups' : `${groups} groups in every second`
}

function buildRepVgg(
  { blocks }: RepVggShape,
  outputs: readonly OutputLayer[],
  weights: Tensors,
  image: Node,
): ReadonlyMap<string, Node> {
  // No batch norm is left.
  const layers = new Layers(weights, Number.NaN)
  let x = image
  for (const { name, stride } of blocks) {
    x = layers.relu(layers.convolution(x, `${name}.rbr_reparam`, { stride, padding: 1 }), `${name}.nonlinearity`)
  }
  return layers.outputs(layers.globalAverage(x), outputs)
}
