import { dependents } from '../../activations.ts'
import { topological, type Node, type OpName } from '../../graph.ts'
import { make, remake } from '../../ops.ts'

/**
 * The same outputs for as many images as `wide` has, of a network that was read for those of `image`: a file exported for
 * one image says 1 in the middle of its reshapes. Images stand along the first axis of every value, so that is made longer
 * wherever it is still what an operation keeps apart. Undefined for a network that mixes it with others, on which only a
 * copy of the network for each image would be right (see `perImage`).
 */
export function widenBatch(
  outputs: ReadonlyMap<string, Node>,
  image: Node,
  wide: Node,
): ReadonlyMap<string, Node> | undefined {
  const order = topological(outputs.values())
  const depends = dependents(image, order)
  const made = new Map<Node, Node>([[image, wide]])
  const widening: Widening = { from: image.shape[0] ?? 1, to: wide.shape[0] ?? 1, depends }
  for (const node of order) {
    if (!depends.has(node) || node === image) continue
    const inputs = node.inputs.map((input) => made.get(input) ?? input)
    const widened = keepsFirstAxis(node, widening) ? remade(node, inputs, widening) : undefined
    if (widened?.shape.join() !== node.shape.with(0, widening.to).join()) return undefined
    made.set(node, widened)
  }
  return new Map([...outputs].map(([name, node]) => [name, made.get(node) ?? node]))
}

/** The outputs for each image by a copy of the network, one below the other. `build` takes one image. */
export function perImage(wide: Node, build: (image: Node) => ReadonlyMap<string, Node>): ReadonlyMap<string, Node> {
  const single = Array.from({ length: wide.shape[0] ?? 1 }, (_, at) =>
    build(make('slice', [wide], { axis: 0, start: at, end: at + 1 })),
  )
  const names = [...(single[0]?.keys() ?? [])]
  return new Map(
    names.map((name) => [
      name,
      make(
        'concat',
        single.flatMap((outputs) => outputs.get(name) ?? []),
        { axis: 0 },
      ),
    ]),
  )
}

interface Widening {
  readonly from: number
  readonly to: number
  readonly depends: ReadonlySet<Node>
}

/** Whether the first axis of what the operation gives stands for the same images as that of what it takes. */
function keepsFirstAxis(node: Node, { from, depends }: Widening): boolean {
  const rank = node.shape.length
  const dependent = node.inputs.filter((input) => depends.has(input))
  if (rank === 0 || node.shape[0] !== from || dependent.some(({ shape }) => shape[0] !== from)) return false
  if (node.op === 'reshape') return true
  if (node.op === 'matmul') return matmulKeeps(node.inputs, depends)
  if (dependent.some(({ shape }) => shape.length !== rank)) return false
  if (node.op === 'transpose') return node.attributes.permutation[0] === 0
  if ('axis' in node.attributes) return node.attributes.axis !== 0
  if ('axes' in node.attributes) return !node.attributes.axes.includes(0)
  if (alongLastAxis.has(node.op)) return rank > 1
  if (withWeights.has(node.op)) return true
  // Elementwise, or within the planes of N×C×H×W. A constant may only broadcast along the first axis.
  const others = node.inputs.filter((input) => !depends.has(input))
  return others.every(({ shape }) => shape.length < rank || shape[0] === 1)
}

const alongLastAxis: ReadonlySet<OpName> = new Set(['softmax', 'oneHotArgmax', 'topK'])

/** Their further inputs are weights, whose first axis stands for channels. */
const withWeights: ReadonlySet<OpName> = new Set(['conv', 'convInputGradient', 'batchNorm', 'affine', 'prelu'])

/** Images may be rows of the first matrix, or stand before both matrices. */
function matmulKeeps(inputs: readonly Node[], depends: ReadonlySet<Node>): boolean {
  const [left, right] = inputs
  if (left === undefined || right === undefined) return false
  const rank = Math.max(left.shape.length, right.shape.length)
  const fits = (side: Node): boolean =>
    depends.has(side) ? side.shape.length === rank : side.shape.length < rank || side.shape[0] === 1
  if (rank === 2) return depends.has(left) && !depends.has(right)
  return fits(left) && fits(right)
}

function remade(node: Node, inputs: readonly Node[], { to }: Widening): Node {
  const { op, label } = node
  if (op === 'reshape' || op === 'expand') return make(op, inputs, { shape: node.attributes.shape.with(0, to) }, label)
  if (op === 'convInputGradient') {
    return make(op, inputs, { ...node.attributes, inputShape: node.attributes.inputShape.with(0, to) }, label)
  }
  // A constant beside what depends on the image is the same for every one.
  const whole = (input: Node): Node =>
    input.shape[0] === to ? input : make('expand', [input], { shape: input.shape.with(0, to) })
  return remake(node, withoutBroadcast.has(op) ? inputs.map(whole) : inputs)
}

/** They take their inputs as long as what they give. */
const withoutBroadcast: ReadonlySet<OpName> = new Set(['concat', 'sum', 'atan2'])
