import {
  topological,
  type Attributes,
  type Graph,
  type Node,
  type NodeOf,
  type OpName,
  type PoolAttributes,
} from '../graph.ts'
import { constantData, inputAt } from '../ops.ts'
import { timesOne, writeBandGate, writeGate, writeInterleave, writePhase, writeStridedSlice } from './onnxBlocked.ts'
import { writeAtan2, writeClip, writeFirstLargest, writeMaxPoolGradient, writeRound } from './onnxComparisons.ts'
import { OnnxModel } from './onnxModel.ts'
import type { OnnxForms } from './onnxProviders.ts'

/** Writes one node's operation into the model; `x` are the names of its inputs, the name of its value comes back. */
type Writer<K extends OpName> = (model: OnnxModel, node: NodeOf<K>, x: readonly string[], graph: GraphNames) => string

/** What a writer may ask about the rest of the graph. */
interface GraphNames {
  /**
   * Values and flat positions of the maxima of a max pool over `x`. Forward and gradient share one ONNX node; the
   * positions are left out where no gradient asks, since computing them costs several times the maxima themselves.
   */
  maxima(x: Node, attributes: PoolAttributes): { readonly values: string; readonly positions: string }
  readonly forms: OnnxForms
  readonly nameOf: (node: Node) => string
  /** Values that are terms of a sum. */
  readonly summed: ReadonlySet<Node>
  /** 0 where an activation N×C×H×W is positive, else a number that no gradient outweighs. One per activation. */
  gate(y: Node): string
  /** The same for a ReLU6 of value y: 0 inside its band. */
  bandGate(y: Node): string
}

/**
 * What the providers differ in stands in onnxProviders.ts. Forms chosen by measurement on the CPU provider, where convolutions run in a blocked channel layout and
 * every operation outside it costs two changes of layout:
 *
 * - `guidedRelu` as relu(g + gate), where the gate is 0 for a positive activation and hugely negative else: the addition
 *   and the ReLU both go into the convolution that makes g, and the gate is one depthwise convolution with a fused clip.
 * - `step` as a very steep HardSigmoid stays in the blocked layout. Sign, Where or Cast leave it (+3 to +15 %).
 * - `affine` as BatchNormalization becomes a depthwise convolution with the ReLU fused into it.
 * - `mul` by a constant per channel is written as a depthwise convolution for the same reason.
 * - `upsample` as Resize(nearest) has a blocked form; ConvTranspose and Expand have none.
 */
const writers: { readonly [K in Exclude<OpName, 'input' | 'constant'>]: Writer<K> } = {
  cast: (model, node, x) => model.node('Cast', x, { to: node.attributes.to === 'uint8' ? 2 : 1 }),
  add: (model, _, x) => model.node('Add', x),
  sub: (model, node, x, { forms }) => {
    const from = inputAt(node, 0)
    if (!isBlocked(inputAt(node, 1), forms) || from.op !== 'constant' || from.attributes.data.length > 1) {
      return model.node('Sub', x)
    }
    const negated = { scale: Float32Array.of(-1), shift: from.attributes.data }
    return writeChannelwise(model, node, x[1] ?? '', negated, forms)
  },
  mul: (model, node, x, { forms }) => {
    const factor = inputAt(node, 1)
    const channels = inputAt(node, 0).shape[1] ?? 0
    if (forms.layout === 'plain' || factor.op !== 'constant' || factor.shape.join() !== `1,${channels},1,1`) {
      return model.node('Mul', x)
    }
    const depthwise = model.floats(factor.attributes.data, [channels, 1, 1, 1])
    return model.node('Conv', [x[0] ?? '', depthwise], { group: channels, kernel_shape: [1, 1] })
  },
  div: (model, _, x) => model.node('Div', x),
  sum: (model, _, x, { forms }) =>
    forms.sum === 'variadic' ? model.node('Sum', x) : x.reduce((total, other) => model.node('Add', [total, other])),
  relu: (model, _, x) => model.node('Relu', x),
  step: (model, _, [x = '']) => writeStep(model, x),
  guidedRelu: (model, node, [g = '', y = ''], graph) =>
    isBlocked(node, graph.forms)
      ? model.node('Relu', [writeGated(model, node, g, graph.gate(inputAt(node, 1)), graph)])
      : model.node('Mul', [model.node('Relu', [g]), writeStep(model, y)]),
  relu6: (model, _, [x = '']) => writeClip(model, x, 0, 6),
  relu6Mask: (model, node, [y = ''], { forms }) => writeStep(model, writeBand(model, node, y, 6, forms)),
  guidedRelu6: (model, node, [g = '', y = ''], graph) =>
    isBlocked(node, graph.forms)
      ? model.node('Relu', [writeGated(model, node, g, graph.bandGate(inputAt(node, 1)), graph)])
      : model.node('Mul', [model.node('Relu', [g]), writeStep(model, writeBand(model, node, y, 6, graph.forms))]),
  prelu: (model, node, [x = ''], { forms }) => {
    const slope = constantData(inputAt(node, 1))
    const [only] = slope
    if (slope.length === 1 && only !== undefined) return model.node('LeakyRelu', [x], { alpha: { float: only } })
    // slope · x + (1 − slope) · relu(x). PRelu itself leaves the blocked layout, and not every provider has it.
    const rest = writeChannelwise(model, node, model.node('Relu', [x]), { scale: slope.map((s) => 1 - s) }, forms)
    return model.node('Add', [writeChannelwise(model, node, x, { scale: slope }, forms), rest])
  },
  preluSlope: (model, node, [x = ''], { forms }) => {
    const slope = constantData(inputAt(node, 1))
    return writeChannelwise(model, node, writeStep(model, x), { scale: slope.map((s) => 1 - s), shift: slope }, forms)
  },
  sigmoid: (model, _, x) => model.node('Sigmoid', x),
  tanh: (model, _, x) => model.node('Tanh', x),
  hardSigmoid: (model, { attributes: { alpha, beta } }, x) =>
    model.node('HardSigmoid', x, { alpha: { float: alpha }, beta: { float: beta } }),
  hardSigmoidSlope: (model, node, [y = ''], { forms }) => {
    const band = writeBand(model, node, y, 1, forms)
    return writeClip(
      model,
      writeChannelwise(model, node, band, { scale: Float32Array.of(1e30) }, forms),
      0,
      node.attributes.alpha,
    )
  },
  exp: (model, _, x) => model.node('Exp', x),
  power: (model, { attributes: { exponent } }, [x = '']) =>
    model.node('Pow', [x, model.floats(Float32Array.of(exponent), [])]),
  atan2: (model, _, [y = '', x = '']) => writeAtan2(model, y, x),
  abs: (model, _, x) => model.node('Abs', x),
  sqrt: (model, _, x) => model.node('Sqrt', x),
  round: (model, _, [x = ''], { forms }) =>
    forms.round === 'kernel' ? model.node('Round', [x]) : writeRound(model, x),
  clip: (model, { attributes: { min, max } }, [x = '']) => writeClip(model, x, min, max),
  conv: (model, node, x) => model.node('Conv', x, convAttributes(node)),
  convInputGradient: (model, node, x) => {
    const { inputShape, pads, strides } = node.attributes
    const [g, w] = [inputAt(node, 0).shape, inputAt(node, 1).shape]
    const rest = [0, 1].map((axis) => {
      const reached = ((g[axis + 2] ?? 0) - 1) * (strides[axis] ?? 1) + (w[axis + 2] ?? 0)
      return (inputShape[axis + 2] ?? 0) - (reached - (pads[axis] ?? 0) - (pads[axis + 2] ?? 0))
    })
    return model.node('ConvTranspose', x, { ...convAttributes(node), output_padding: rest })
  },
  batchNorm: (model, node, x) => model.node('BatchNormalization', x, { epsilon: { float: node.attributes.epsilon } }),
  affine: (model, node, x) => {
    const channels = [constantData(inputAt(node, 1)).length]
    const zeros = model.floats(new Float32Array(channels[0] ?? 0), channels)
    const ones = model.floats(new Float32Array(channels[0] ?? 0).fill(1), channels)
    return model.node('BatchNormalization', [...x, zeros, ones], { epsilon: { float: 0 } })
  },
  maxPool: (model, node, _, graph) => {
    const { values } = graph.maxima(inputAt(node, 0), node.attributes)
    if (graph.forms.layout === 'plain') return values
    const channels = node.shape[1] ?? 0
    // A pool with positions gives the plain layout, and the whole dense block after it would stay in it.
    return timesOne(model, channels, values)
  },
  maxPoolGradient: (model, node, [x = '', g = ''], graph) => {
    if (graph.forms.maxima === 'comparison') {
      const { values } = graph.maxima(inputAt(node, 0), node.attributes)
      return writeMaxPoolGradient(model, node, { x, values, g })
    }
    const size = node.shape.reduce((a, b) => a * b, 1)
    const flat = model.ints([-1])
    const zeros = model.node('Expand', [model.floats(Float32Array.of(0), [1]), model.ints([size])])
    const { positions } = graph.maxima(inputAt(node, 0), node.attributes)
    const indices = model.node('Reshape', [positions, flat])
    const updates = model.node('Reshape', [g, flat])
    const scattered = model.node('ScatterElements', [zeros, indices, updates], { axis: 0, reduction: 'add' })
    return model.node('Reshape', [scattered, model.ints(node.shape)])
  },
  averagePool: (model, { attributes: { kernel } }, x) =>
    model.node('AveragePool', x, { kernel_shape: kernel, strides: kernel }),
  upsample: (model, { attributes: { scale } }, x) =>
    model.node('Resize', [x[0] ?? '', '', model.floats(Float32Array.of(1, 1, ...scale), [4])], {
      mode: 'nearest',
      nearest_mode: 'floor',
      coordinate_transformation_mode: 'asymmetric',
    }),
  phase: (model, node, [x = ''], { forms }) =>
    isBlocked(node, forms) ? writePhase(model, node, x, { factor: 1 }) : writeStridedSlice(model, node, x),
  interleave: (model, node, x, { forms, summed }) => {
    const whole = writeInterleave(model, node, x)
    return forms.layout === 'blocked' && summed.has(node) ? timesOne(model, node.shape[1] ?? 0, whole) : whole
  },
  reduceSum: (model, node, x) => model.node('ReduceSum', [...x, model.ints(node.attributes.axes)]),
  reduceMean: (model, node, x) =>
    node.attributes.axes.join() === '2,3' && node.shape.length === 4
      ? model.node('GlobalAveragePool', x)
      : model.node('ReduceMean', [...x, model.ints(node.attributes.axes)]),
  reduceMax: (model, node, x) => model.node('ReduceMax', [...x, model.ints(node.attributes.axes)]),
  softmax: (model, _, x) => model.node('Softmax', x, { axis: -1 }),
  oneHotArgmax: (model, node, x, { forms }) => {
    if (forms.largest === 'comparison') return writeFirstLargest(model, x[0] ?? '', node.shape.at(-1) ?? 1)
    const top = model.node('ArgMax', x, { axis: -1, keepdims: 0 })
    return model.node('OneHot', [top, model.ints([node.shape.at(-1) ?? 1]), model.floats(Float32Array.of(0, 1), [2])])
  },
  topK: (model, node, x) => model.nodeWithOutputs('TopK', [...x, model.ints([node.attributes.k])], {}, 2)[0] ?? '',
  matmul: (model, node, [a = '', b = '']) => {
    if (!node.attributes.transposeB) return model.node('MatMul', [a, b])
    return model.node('MatMul', [
      a,
      model.node('Transpose', [b], { perm: lastTwoSwapped(inputAt(node, 1).shape.length) }),
    ])
  },
  reshape: (model, node, x) => model.node('Reshape', [...x, model.ints(node.attributes.shape)]),
  transpose: (model, node, x) => model.node('Transpose', x, { perm: node.attributes.permutation }),
  slice: (model, { attributes: { axis, start, end } }, x) =>
    model.node('Slice', [...x, model.ints([start]), model.ints([end]), model.ints([axis])]),
  flip: (model, node, x) => {
    const { axes } = node.attributes
    const each = (value: number): string => model.ints(axes.map(() => value))
    // Slice with step −1 from the last element to "before the first", which ONNX writes as the smallest whole number.
    return model.node('Slice', [...x, each(-1), each(-(2 ** 31)), model.ints(axes), each(-1)])
  },
  pad: (model, { attributes: { axis, before, after }, shape }, x) => {
    // All axes, though Pad could be told of one: ONNX Runtime's transpose optimiser breaks a Pad with axes.
    const pads = [before, after].flatMap((length) => shape.map((_, i) => (i === axis ? length : 0)))
    return model.node('Pad', [...x, model.ints(pads)])
  },
  concat: (model, node, x) => model.node('Concat', x, { axis: node.attributes.axis }),
  expand: (model, node, x) => model.node('Expand', [...x, model.ints(node.attributes.shape)]),
}

function writeStep(model: OnnxModel, x: string): string {
  return model.node('HardSigmoid', [x], { alpha: { float: 1e30 }, beta: { float: 0 } })
}

/** y · (end − y): positive exactly where 0 < y < end, and far from overflow there. */
function writeBand(model: OnnxModel, node: Node, y: string, end: number, forms: OnnxForms): string {
  const ends = { scale: Float32Array.of(-1), shift: Float32Array.of(end) }
  return model.node('Mul', [y, writeChannelwise(model, node, y, ends, forms)])
}

/** x · scale + shift, each a number per channel or one for all, where x has the shape of `node`. */
function writeChannelwise(
  model: OnnxModel,
  node: Node,
  x: string,
  { scale, shift }: { readonly scale: Float32Array; readonly shift?: Float32Array },
  forms: OnnxForms,
): string {
  const [, channels = 1, ...plane] = node.shape
  const each = (values: Float32Array): Float32Array =>
    values.length === 1 ? new Float32Array(channels).fill(values[0] ?? 0) : values
  if (isBlocked(node, forms)) {
    const weight = [model.floats(each(scale), [channels, 1, 1, 1])]
    if (shift !== undefined) weight.push(model.floats(each(shift), [channels]))
    return model.node('Conv', [x, ...weight], { group: channels, kernel_shape: [1, 1] })
  }
  const shape = [channels, ...plane.map(() => 1)]
  const scaled = model.node('Mul', [x, model.floats(each(scale), shape)])
  return shift === undefined ? scaled : model.node('Add', [scaled, model.floats(each(shift), shape)])
}

function isBlocked({ shape }: Node, { layout }: OnnxForms): boolean {
  return shape.length === 4 && layout === 'blocked'
}

/** The graph as the bytes of an ONNX model. Inputs and outputs keep their names. */
export function writeOnnx(graph: Graph, forms: OnnxForms): Uint8Array {
  const model = new OnnxModel()
  const order = topological(graph.outputs.values())
  const names = new Map<Node, string>()
  const nameOf = (node: Node): string => names.get(node) ?? ''
  const keyOf = (x: Node, attributes: PoolAttributes): string =>
    `${nameOf(x)} ${JSON.stringify(poolAttributes(attributes))}`
  const routed = new Set(order.flatMap((node) => (node.op === 'maxPoolGradient' ? [inputAt(node, 0)] : [])))
  const gates = new Map<Node, string>()
  const bandGates = new Map<Node, string>()
  const pools = new Map<string, { values: string; positions: string }>()
  const graphNames: GraphNames = {
    forms,
    nameOf,
    summed: new Set(order.flatMap((node) => (node.op === 'sum' ? node.inputs : []))),
    maxima(x, attributes) {
      const key = keyOf(x, attributes)
      const known = pools.get(key)
      if (known !== undefined) return known
      const outputs = model.nodeWithOutputs(
        'MaxPool',
        [nameOf(x)],
        poolAttributes(attributes),
        routed.has(x) && forms.maxima === 'positions' ? 2 : 1,
      )
      const made = { values: outputs[0] ?? '', positions: outputs[1] ?? '' }
      pools.set(key, made)
      return made
    },
    gate: (y) => once(gates, y, () => writeGate(model, y, nameOf)),
    bandGate: (y) => once(bandGates, y, () => writeBandGate(model, y, nameOf)),
  }
  for (const node of order) {
    if (node.op === 'input') {
      names.set(node, model.input(node.attributes.name, node.dtype, node.shape))
    } else if (node.op === 'constant') {
      names.set(node, model.floats(node.attributes.data, node.shape))
    } else {
      const write = writers[node.op] as Writer<OpName>
      names.set(node, write(model, node, node.inputs.map(nameOf), graphNames))
    }
  }
  for (const [name, node] of graph.outputs) model.output(name, nameOf(node), node.dtype, node.shape)
  return model.bytes()
}

/** The gradient that a guided activation gets, plus its gate. */
function writeGated(model: OnnxModel, node: Node, g: string, gate: string, { summed, nameOf }: GraphNames): string {
  const upstream = inputAt(node, 0)
  // What comes out of a global mean is not in the blocked layout. Where a shortcut adds it to a convolution, that sum would
  // leave the layout too, and so would every block before it.
  if ((upstream.op === 'expand' || upstream.op === 'mul') && summed.has(node)) {
    return model.node('Add', [timesOne(model, node.shape[1] ?? 0, g), gate])
  }
  // A convolution takes one addition and the ReLU with it. Gate and shortcut are added first: the gate is exactly 0 or
  // outweighs both.
  const [first, second] = upstream.inputs
  if (upstream.op === 'sum' && upstream.inputs.length === 2 && first !== undefined && second !== undefined) {
    const [conv, other] = first.op === 'conv' ? [first, second] : [second, first]
    if (conv.op === 'conv') return model.node('Add', [nameOf(conv), model.node('Add', [nameOf(other), gate])])
  }
  return model.node('Add', [g, gate])
}

function once(made: Map<Node, string>, node: Node, make: () => string): string {
  const known = made.get(node)
  if (known !== undefined) return known
  const name = make()
  made.set(node, name)
  return name
}

function convAttributes({ attributes, inputs }: NodeOf<'conv'> | NodeOf<'convInputGradient'>) {
  const { strides, pads, groups, dilations }: Attributes['conv'] = attributes
  const weight = inputs[1]?.shape ?? []
  const dilated = dilations === undefined ? {} : { dilations }
  return { strides, pads, group: groups, kernel_shape: weight.slice(2), ...dilated }
}

function poolAttributes({ kernel, strides, pads }: PoolAttributes) {
  return { kernel_shape: kernel, strides, pads }
}

function lastTwoSwapped(rank: number): number[] {
  return Array.from({ length: rank }, (_, axis) => (axis < rank - 2 ? axis : 2 * rank - 3 - axis))
}
