import {
  consumersOf,
  topological,
  type Attributes,
  type Node,
  type NodeOf,
  type OpName,
  type Padding,
} from './graph.ts'
import { batchNormScale, constant, constantData, inputAt, make } from './ops.ts'

/**
 * Rewrites that keep a graph's value and make it cheaper. Derived weights (scaled, flipped) are written as operations on
 * constants, which engines compute once when they load the graph: doing it here costs half a second for a DenseNet-121
 * and doubles what has to be handed over.
 *
 * They run twice: on the network before the sweep, so that the gradient is taken of what is really computed, and on the
 * swept graph.
 *
 * Nothing here may move a ReLU: guided backpropagation depends on where the ReLUs stand.
 */

/** Old node → node of the simplified graph, for every node below `roots`. */
export type Rewritten = ReadonlyMap<Node, Node>

/** `node` has its inputs rewritten already; `single(input)` tells whether it alone consumes that input. */
type Rule = (node: Node, single: (input: number) => boolean) => Node

/** Folds batch norms into convolutions or affine rows, and pools before a transition's 1×1 convolution. */
export function simplifyNetwork(roots: readonly Node[]): Rewritten {
  return rewrite(roots, (node, single) => {
    if (node.op === 'batchNorm') return foldBatchNorm(node, single(0))
    if (node.op === 'averagePool') return poolBeforeConv(node, single(0))
    return node
  })
}

/** Turns gradients of stride-1 convolutions into plain convolutions and drops factors into their weights. */
export function simplifyGradient(roots: readonly Node[]): Rewritten {
  return rewrite(roots, (node, single) => {
    if (node.op === 'convInputGradient') return flippedConv(node)
    if (node.op === 'mul') return foldFactor(foldChannelFactors(node), single(0))
    return node
  })
}

function rewrite(roots: readonly Node[], rule: Rule): Rewritten {
  const consumers = consumersOf(roots)
  const rootSet = new Set(roots)
  const result = new Map<Node, Node>()
  for (const node of topological(roots)) {
    const inputs = node.inputs.map((input) => result.get(input) ?? input)
    const changed = inputs.some((input, index) => input !== node.inputs[index])
    const rebuilt = changed ? remake(node, inputs) : node
    const single = (index: number): boolean => {
      const input = inputAt(node, index)
      return consumers.get(input)?.length === 1 && !rootSet.has(input)
    }
    result.set(node, rule(rebuilt, single))
  }
  return result
}

/** The same operation on other inputs. */
function remake(node: Node, inputs: readonly Node[]): Node {
  const remakeOne = make as (op: OpName, inputs: readonly Node[], attributes: Attributes[OpName], label: string) => Node
  return remakeOne(node.op, inputs, node.attributes, node.label)
}

/**
 * conv → batch norm becomes one convolution with a bias where nobody else reads the convolution; elsewhere (dense blocks
 * normalise a concatenation) the norm stays as scale and shift per channel. Factors and shifts are formed in float64.
 */
function foldBatchNorm(norm: NodeOf<'batchNorm'>, onlyConsumer: boolean): Node {
  const scale = batchNormScale(norm)
  const [beta, mean] = [constantData(inputAt(norm, 2)), constantData(inputAt(norm, 3))]
  const x = inputAt(norm, 0)
  if (x.op === 'conv' && onlyConsumer) {
    const bias = x.inputs[2] === undefined ? undefined : constantData(x.inputs[2])
    const shift = beta.map((value, c) => value + ((bias?.[c] ?? 0) - (mean[c] ?? 0)) * (scale[c] ?? 0))
    const folded = constant(shift, [shift.length], norm.label)
    return make('conv', [inputAt(x, 0), scaledWeight(inputAt(x, 1), scale), folded], x.attributes, x.label)
  }
  const shift = beta.map((value, c) => value - (mean[c] ?? 0) * (scale[c] ?? 0))
  const parts = [constant(scale, [scale.length]), constant(shift, [shift.length])]
  return make('affine', [x, ...parts], {}, norm.label)
}

/** A mean over windows and a 1×1 convolution commute; pooling first leaves the convolution a quarter of the work. */
function poolBeforeConv(pool: NodeOf<'averagePool'>, onlyConsumer: boolean): Node {
  const conv = inputAt(pool, 0)
  if (conv.op !== 'conv' || !onlyConsumer) return pool
  const pointwise = inputAt(conv, 1)
    .shape.slice(2)
    .every((side) => side === 1)
  const plain = conv.attributes.strides.every((s) => s === 1) && conv.attributes.pads.every((p) => p === 0)
  if (!pointwise || !plain) return pool
  const pooled = make('averagePool', [inputAt(conv, 0)], pool.attributes, pool.label)
  return make('conv', [pooled, ...conv.inputs.slice(1)], conv.attributes, conv.label)
}

/**
 * The gradient of a stride-1 convolution is a convolution with the kernel turned by 180° and its channels exchanged,
 * which every engine computes on its fast path. ConvTranspose is the tempting wrong choice: several times slower.
 */
function flippedConv(node: NodeOf<'convInputGradient'>): Node {
  const { strides, pads, groups, inputShape } = node.attributes
  const weight = inputAt(node, 1)
  if (groups !== 1 || strides[0] !== 1 || strides[1] !== 1) return node
  const [height = 1, width = 1] = weight.shape.slice(2)
  // What padding the forward convolution lacked to keep its size, the backward one needs more of, and the reverse.
  const g = inputAt(node, 0)
  const top = height - 1 - pads[0]
  const left = width - 1 - pads[1]
  const back: Padding = [
    top,
    left,
    (inputShape[2] ?? 0) - (g.shape[2] ?? 0) + height - 1 - top,
    (inputShape[3] ?? 0) - (g.shape[3] ?? 0) + width - 1 - left,
  ]
  if (back.some((padding) => padding < 0)) return node
  const exchanged = make('transpose', [weight], { permutation: [1, 0, 2, 3] }, weight.label)
  const turned = height * width === 1 ? exchanged : make('flip', [exchanged], { axes: [2, 3] }, weight.label)
  return make('conv', [g, turned], { strides: [1, 1], pads: back, groups: 1 }, node.label)
}

/**
 * guidedRelu(conv, y) · factors → guidedRelu(conv with scaled weights, y), one pass over the activations less. Factors pass
 * a ReLU only where none is negative. For a plain mask, (conv · step) · factors, any may.
 */
function foldChannelFactors(node: NodeOf<'mul'>): Node {
  const [masked, factors] = [inputAt(node, 0), inputAt(node, 1)]
  if (factors.op !== 'constant' || factors.shape.length !== 4) return node
  const plain = masked.op === 'mul' && masked.inputs[1]?.op === 'step'
  if (masked.op !== 'guidedRelu' && !plain) return node
  const [conv, other] = [inputAt(masked, 0), inputAt(masked, 1)]
  const values = constantData(factors)
  if (conv.op !== 'conv' || conv.inputs.length > 2) return node
  if (!plain && values.some((factor) => factor < 0)) return node
  const scaled = make('conv', [inputAt(conv, 0), scaledWeight(inputAt(conv, 1), values)], conv.attributes, conv.label)
  return make(masked.op, [scaled, other])
}

/** factor · upsample(conv) → upsample(conv with scaled weights): one pass over the activations less. */
function foldFactor(node: Node, onlyConsumer: boolean): Node {
  if (node.op !== 'mul') return node
  const [upsample, factor] = [inputAt(node, 0), inputAt(node, 1)]
  if (factor.op !== 'constant' || factor.attributes.data.length !== 1) return node
  if (!onlyConsumer || upsample.op !== 'upsample') return node
  const conv = inputAt(upsample, 0)
  if (conv.op !== 'conv' || conv.inputs.length > 2) return node
  const weight = inputAt(conv, 1)
  const factors = new Float32Array(weight.shape[0] ?? 0).fill(constantData(factor)[0] ?? 0)
  const scaled = make('conv', [inputAt(conv, 0), scaledWeight(weight, factors)], conv.attributes, conv.label)
  return make('upsample', [scaled], upsample.attributes, upsample.label)
}

/** A convolution weight with every output channel multiplied by its factor. */
function scaledWeight(weight: Node, factors: Float32Array): Node {
  return make('mul', [weight, constant(factors, [factors.length, 1, 1, 1])], {}, weight.label)
}
