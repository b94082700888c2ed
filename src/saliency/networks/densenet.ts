import type { Node, Padding } from '../graph.ts'
import { constant, make } from '../ops.ts'
import type { Tensors } from '../weights/tensors.ts'
import { findDenseNetShape, type DenseNetShape } from './densenetShape.ts'
import type { Architecture, NetworkFamily } from './family.ts'

/** DenseNets in torchvision's names. */
export const denseNet: NetworkFamily = {
  recognise(weights, file) {
    const { shape, notes } = findDenseNetShape(weights, file)
    const { heads, ...trunk } = shape
    return {
      architecture: architectureOf(trunk),
      facts: [
        ['blocks', `${shape.blocks.join('-')}, growth ${shape.growth}, bottleneck ${shape.bottleneck}`],
        ['features', `${shape.initFeatures} after the stem, ${shape.finalFeatures} before the heads`],
      ],
      outputs: heads,
      notes,
      // The stem quarters the sides, each transition halves them; both round up.
      smallestSide: 4 * 2 ** shape.transitions.length - 3,
      trunkPrefix: 'features.',
      build: (given, image) => buildDenseNet(shape, given, image),
    }
  },
}

interface DenseNetArchitecture extends Architecture, Omit<DenseNetShape, 'heads'> {
  readonly family: 'DenseNet'
}

const published: readonly (readonly [name: string, blocks: string, growth: number, initFeatures: number])[] = [
  ['DenseNet-121', '6-12-24-16', 32, 64],
  ['DenseNet-161', '6-12-36-24', 48, 96],
  ['DenseNet-169', '6-12-32-32', 32, 64],
  ['DenseNet-201', '6-12-48-32', 32, 64],
]

function architectureOf(trunk: Omit<DenseNetShape, 'heads'>): DenseNetArchitecture {
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
  const parameter = (name: string): Node => {
    const tensor = weights.get(name)
    if (tensor === undefined) throw new Error(`the weights hold no ${name}`)
    return constant(tensor.data, tensor.shape, name)
  }
  const conv = (x: Node, name: string, stride: number, padding: number): Node =>
    make(
      'conv',
      [x, parameter(`${name}.weight`)],
      { strides: [stride, stride], pads: square(padding), groups: 1 },
      name,
    )
  const normRelu = (x: Node, norm: string, relu: string): Node => {
    const parts = ['weight', 'bias', 'running_mean', 'running_var'].map((part) => parameter(`${norm}.${part}`))
    return make('relu', [make('batchNorm', [x, ...parts], { epsilon: shape.epsilon }, norm)], {}, relu)
  }

  let x = conv(image, 'features.conv0', 2, (shape.stemKernel - 1) / 2)
  x = normRelu(x, 'features.norm0', 'features.relu0')
  x = make('maxPool', [x], { kernel: [3, 3], strides: [2, 2], pads: square(1) }, 'features.pool0')

  shape.blocks.forEach((layers, index) => {
    const block = index + 1
    for (let layer = 1; layer <= layers; layer++) {
      const name = `features.denseblock${block}.denselayer${layer}`
      const squeezed = conv(normRelu(x, `${name}.norm1`, `${name}.relu1`), `${name}.conv1`, 1, 0)
      const grown = conv(
        normRelu(squeezed, `${name}.norm2`, `${name}.relu2`),
        `${name}.conv2`,
        1,
        (shape.layerKernel - 1) / 2,
      )
      x = make('concat', [x, grown], { axis: 1 }, name)
    }
    if (block < shape.blocks.length) {
      const name = `features.transition${block}`
      x = conv(normRelu(x, `${name}.norm`, `${name}.relu`), `${name}.conv`, 1, 0)
      x = make('averagePool', [x], { kernel: [2, 2] }, `${name}.pool`)
    }
  })

  x = normRelu(x, `features.norm${shape.blocks.length + 1}`, 'features.relu')
  const pooled = make('reduceMean', [x], { axes: [2, 3] }, 'pool')
  const features = make('reshape', [pooled], { shape: [x.shape[0] ?? 1, shape.finalFeatures] })
  return new Map(
    shape.heads.map((head) => {
      const product = make('matmul', [features, parameter(`${head.output}.weight`)], { transposeB: true }, head.output)
      return [head.output, head.bias ? make('add', [product, parameter(`${head.output}.bias`)]) : product]
    }),
  )
}

function square(padding: number): Padding {
  return [padding, padding, padding, padding]
}
