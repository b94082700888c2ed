import type { Node } from '../graph.ts'
import { make } from '../ops.ts'
import type { Tensors } from '../weights/tensors.ts'
import { denseNetNames } from './densenetNames.ts'
import { findDenseNetShape, type DenseNetShape } from './densenetShape.ts'
import type { Architecture, NetworkFamily } from './family.ts'
import { Layers } from './layers.ts'

/** DenseNets in torchvision's names. */
export const denseNet: NetworkFamily = {
  name: 'DenseNet',
  layout: "DenseNets in torchvision's layout",
  names: denseNetNames,
  recognise(reader, { epsilon = 1e-5 }) {
    const { shape, notes } = findDenseNetShape(reader, epsilon)
    const { heads, imageChannels, lastNorm: _, ...trunk } = shape
    return {
      architecture: architectureOf(trunk),
      facts: [
        ['blocks', `${shape.blocks.join('-')}, growth ${shape.growth}, bottleneck ${shape.bottleneck}`],
        ['features', `${shape.initFeatures} after the stem, ${shape.finalFeatures} before the heads`],
      ],
      outputs: heads,
      notes,
      batchNorm: { epsilon },
      imageChannels,
      // The stem quarters the sides, each transition halves them; both round up.
      smallestSide: 4 * 2 ** shape.transitions.length - 3,
      weights: reader.weights,
      used: reader.placed,
      build: (given, image) => buildDenseNet(shape, given, image),
    }
  },
}

interface DenseNetArchitecture extends Architecture, Omit<DenseNetShape, 'heads' | 'imageChannels' | 'lastNorm'> {
  readonly family: 'DenseNet'
}

const published: readonly (readonly [name: string, blocks: string, growth: number, initFeatures: number])[] = [
  ['DenseNet-121', '6-12-24-16', 32, 64],
  ['DenseNet-161', '6-12-36-24', 48, 96],
  ['DenseNet-169', '6-12-32-32', 32, 64],
  ['DenseNet-201', '6-12-48-32', 32, 64],
]

function architectureOf(trunk: Omit<DenseNetShape, 'heads' | 'imageChannels' | 'lastNorm'>): DenseNetArchitecture {
  const { blocks, transitions, growth, initFeatures } = trunk
  const layers = blocks.join('-')
  const known = published.find(([, ...measures]) => measures.join() === [layers, growth, initFeatures].join())
  const name = known?.[0] ?? `DenseNet of growth ${growth} with blocks ${layers}`
  // One after the stem, two in each dense layer, one in each transition and the functional one at the end.
  const relus = 1 + 2 * blocks.reduce((sum, count) => sum + count, 0) + transitions.length + 1
  return { family: 'DenseNet', name, relus, ...trunk }
}

/**
 * A DenseNet as torchvision builds it (Huang et al. 2017, arXiv 1608.06993): stem, dense blocks with transitions between
 * them, a last batch norm and ReLU, the global average, one linear layer per head. Every size comes from `shape`.
 *
 * Takes the normalised image, N×3×H×W; gives each head's N×outputs by its weight prefix. The ReLU after the last batch
 * norm is a function call in torchvision and so escapes tools that hook modules; here it is a node like all others.
 */
function buildDenseNet(shape: DenseNetShape, weights: Tensors, image: Node): ReadonlyMap<string, Node> {
  const layers = new Layers(weights, shape.epsilon)
  const normRelu = (x: Node, norm: string, relu: string): Node => layers.relu(layers.norm(x, norm), relu)

  let x = layers.convolution(image, 'features.conv0', { stride: 2, padding: (shape.stemKernel - 1) / 2 })
  x = normRelu(x, 'features.norm0', 'features.relu0')
  x = layers.maxPool(x, 3, 2, 1, 'features.pool0')

  shape.blocks.forEach((count, index) => {
    const block = index + 1
    for (let layer = 1; layer <= count; layer++) {
      const name = `features.denseblock${block}.denselayer${layer}`
      const squeezed = layers.convolution(normRelu(x, `${name}.norm1`, `${name}.relu1`), `${name}.conv1`)
      const padding = (shape.layerKernel - 1) / 2
      const grown = layers.convolution(normRelu(squeezed, `${name}.norm2`, `${name}.relu2`), `${name}.conv2`, {
        padding,
      })
      x = make('concat', [x, grown], { axis: 1 }, name)
    }
    if (block < shape.blocks.length) {
      const name = `features.transition${block}`
      x = layers.convolution(normRelu(x, `${name}.norm`, `${name}.relu`), `${name}.conv`)
      x = make('averagePool', [x], { kernel: [2, 2] }, `${name}.pool`)
    }
  })

  x = normRelu(x, shape.lastNorm, 'features.relu')
  return layers.outputs(layers.globalAverage(x), shape.heads)
}
