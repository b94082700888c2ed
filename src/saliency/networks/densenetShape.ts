import type { OutputLayer } from './family.ts'
import type { TrunkReader } from './trunkReader.ts'

/**
 * All that the weights say about a DenseNet in torchvision's layout. Strides and paddings are not in weights; they are
 * torchvision's: stem stride 2 and padding (stemKernel − 1) / 2, max pool 3×3 stride 2 padding 1, layers stride 1 with
 * padding (layerKernel − 1) / 2, transitions end in a 2×2 average pool.
 */
export interface DenseNetShape {
  readonly imageChannels: 1 | 3
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
  /** Channels after the last block, which the last norm and the heads take. */
  readonly finalFeatures: number
  /** Side of `features.conv0`'s kernel: 7. */
  readonly stemKernel: number
  /** Side of the second kernel of a dense layer: 3, or another odd number. The first is 1×1. */
  readonly layerKernel: number
  /** The norm after the last block, e.g. `features.norm5`. */
  readonly lastNorm: string
  /** Batch norm's epsilon, which no checkpoint stores: torchvision's 1e-5. */
  readonly epsilon: number
  /** In the order of the file. */
  readonly heads: readonly OutputLayer[]
}

/**
 * torchvision counts the last norm as if there were four blocks, however many there are. Networks that count on
 * (`norm4` after three blocks) are built as well.
 */
const torchvisionsLastNorm = 'features.norm5'

/** Finds the DenseNet that weights in torchvision's names make up, and the outputs on it. Raises what the reader raises. */
export function findDenseNetShape(
  reader: TrunkReader,
  epsilon: number,
): { readonly shape: DenseNetShape; readonly notes: readonly string[] } {
  const trunk = findTrunk(reader, epsilon)
  const { outputs, notes } = reader.heads(trunk.finalFeatures, /^features\./)
  return { shape: { ...trunk, epsilon, heads: outputs }, notes }
}

function findTrunk(reader: TrunkReader, epsilon: number): Omit<DenseNetShape, 'heads' | 'epsilon'> {
  const { outs: initFeatures, imageChannels } = reader.stem('features.conv0', 7)
  reader.norm('features.norm0', initFeatures, epsilon)

  const blocks: number[] = []
  const transitions: number[] = []
  let growth: number | null = null
  let bottleneck: number | null = null
  let layerKernel: number | null = null
  let channels = initFeatures
  const layersByBlock = findLayersByBlock(reader)
  for (const [index, layers] of layersByBlock.entries()) {
    const block = index + 1
    for (let layer = 1; layer <= layers; layer++) {
      const name = `features.denseblock${block}.denselayer${layer}`
      reader.norm(`${name}.norm1`, channels, epsilon)
      bottleneck = reader.convolution(`${name}.conv1`, [bottleneck, channels, 1, 1]).outs
      reader.norm(`${name}.norm2`, bottleneck, epsilon)
      const grown = reader.convolution(`${name}.conv2`, [growth, bottleneck, layerKernel, layerKernel])
      growth = grown.outs
      layerKernel = grown.kernel
      channels += growth
    }
    blocks.push(layers)
    if (block < layersByBlock.length) {
      reader.norm(`features.transition${block}.norm`, channels, epsilon)
      channels = reader.convolution(`features.transition${block}.conv`, [null, channels, 1, 1]).outs
      transitions.push(channels)
    }
  }
  const numbered = `features.norm${blocks.length + 1}`
  const lastNorm = reader.has(`${numbered}.weight`) ? numbered : torchvisionsLastNorm
  reader.norm(lastNorm, channels, epsilon)
  if (growth === null || bottleneck === null || layerKernel === null) {
    throw reader.missing('features.denseblock1.denselayer1.conv1.weight')
  }
  if (layerKernel % 2 === 0) {
    throw reader.unsupported(`has dense layers with a ${layerKernel}×${layerKernel} kernel, whose padding is unknown`)
  }
  return {
    imageChannels,
    initFeatures,
    growth,
    bottleneck,
    blocks,
    transitions,
    finalFeatures: channels,
    stemKernel: 7,
    layerKernel,
    lastNorm,
  }
}

/** From the highest numbers that occur, so that a hole is reported as a missing tensor. */
function findLayersByBlock(reader: TrunkReader): number[] {
  const blocks = reader.highest(/^features\.denseblock([1-9]\d?)\./) ?? 0
  return Array.from(
    { length: blocks },
    (_, index) => reader.highest(new RegExp(`^features\\.denseblock${index + 1}\\.denselayer([1-9]\\d{0,2})\\.`)) ?? 1,
  )
}
