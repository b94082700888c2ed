import { convolutionGradient } from './convolutionGradient.ts'
import { batchNormScale } from './gradients.ts'
import { consumersOf, topological, type Node, type NodeOf } from './graph.ts'
import { constant, constantData, inputAt, make, remake } from './ops.ts'
import { Phases } from './phases.ts'

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

/**
 * Folds batch norms into convolutions or affine rows, pools before a transition's 1×1 convolution, widens narrow groups, nests
 * concatenations.
 */
export function simplifyNetwork(roots: readonly Node[]): Rewritten {
  const concatenations = new Concatenations()
  return rewrite(roots, (node, single) => {
    if (node.op === 'concat') return concatenations.nested(node)
    if (node.op === 'batchNorm') return foldBatchNorm(node, single(0))
    if (node.op === 'averagePool') return poolBeforeConv(node, single(0))
    if (node.op === 'conv') return widerGroups(node)
    return node
  })
}

/** Turns gradients of convolutions into plain convolutions and drops factors into their weights. */
export function simplifyGradient(roots: readonly Node[]): Rewritten {
  const phases = new Phases()
  return rewrite(roots, (node, single) => {
    const simpler =
      node.op === 'convInputGradient'
        ? convolutionGradient(node)
        : node.op === 'mul'
          ? foldFactor(foldChannelFactors(node), single(0))
          : node
    return phases.rewrite(simpler, single)
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

/**
 * A dense block may be written with all layers so far in each concatenation. Built on the one before, each adds one layer to
 * it, and the gradient is cut in two there instead of into as many parts as there are layers, half a thousand in a
 * DenseNet-121.
 */
class Concatenations {
  /** By the first of the parts: all parts as they were written, and what was made of them. */
  readonly #known = new Map<Node, { readonly parts: readonly Node[]; readonly node: NodeOf<'concat'> & Node }[]>()

  nested(node: NodeOf<'concat'> & Node): Node {
    const parts = node.inputs
    const known = this.#known.get(inputAt(node, 0)) ?? []
    const [longest] = known
      .filter((other) => other.node.attributes.axis === node.attributes.axis && begins(parts, other.parts))
      .toSorted((a, b) => b.parts.length - a.parts.length)
    const made =
      longest === undefined
        ? node
        : make('concat', [longest.node, ...parts.slice(longest.parts.length)], node.attributes, node.label)
    this.#known.set(inputAt(node, 0), [...known, { parts, node: made }])
    return made
  }
}

/** Whether some parts begin with fewer others, of which there are at least two. */
function begins(parts: readonly Node[], others: readonly Node[]): boolean {
  return others.length > 1 && others.length < parts.length && others.every((part, index) => part === parts[index])
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

/** Channels of a group that engines compute on their fast path: the largest block of ONNX Runtime's blocked layout. */
const wideGroup = 16

/**
 * A ResNeXt's groups of four or eight channels, joined to groups of sixteen whose weights are zero between the joined ones.
 * That is more arithmetic in less time (0.5 to 0.9 of it), since narrow groups leave ONNX Runtime's blocked layout, and there
 * are fewer groups for engines that take them one by one. Depthwise convolutions have a path of their own and stay.
 */
function widerGroups(node: NodeOf<'conv'>): Node {
  const { groups } = node.attributes
  const weight = inputAt(node, 1)
  const [outs = 1, ins = 1, height = 1, width = 1] = weight.shape
  const joined = wideGroup / ins
  const fits = ins > 1 && joined > 1 && Number.isInteger(joined) && groups % joined === 0
  const outsPerGroup = outs / groups
  if (!fits || weight.op !== 'constant' || (outsPerGroup * joined) % wideGroup !== 0) return node
  const row = ins * height * width
  const data = new Float32Array(outs * row * joined)
  for (let out = 0; out < outs; out++) {
    const place = Math.floor(out / outsPerGroup) % joined
    data.set(constantData(weight).subarray(out * row, (out + 1) * row), (out * joined + place) * row)
  }
  const wide = constant(data, [outs, wideGroup, height, width], weight.label)
  const attributes = { ...node.attributes, groups: groups / joined }
  return make('conv', [inputAt(node, 0), wide, ...node.inputs.slice(2)], attributes, node.label)
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
