import {
  topological,
  type ConvAttributes,
  type Graph,
  type Node,
  type NodeOf,
  type OpName,
  type PoolAttributes,
} from '../graph.ts'
import { constantData, inputAt } from '../ops.ts'
import { writeAtan2, writeFirstLargest, writeMaxPoolGradient, writeRound } from './onnxComparisons.ts'
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
  nameOf(node: Node): string
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
  sub: (model, _, x) => model.node('Sub', x),
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
  relu6: (model, _, [x = '']) => clipped(model, x, 0, 6),
  relu6Mask: (model, node, [y = ''], { forms }) => writeStep(model, writeBand(model, node, y, forms)),
  guidedRelu6: (model, node, [g = '', y = ''], graph) =>
    isBlocked(node, graph.forms)
      ? model.node('Relu', [writeGated(model, node, g, graph.bandGate(inputAt(node, 1)), graph)])
      : model.node('Mul', [model.node('Relu', [g]), writeStep(model, writeBand(model, node, y, graph.forms))]),
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
  atan2: (model, _, [y = '', x = '']) => writeAtan2(model, y, x),
  abs: (model, _, x) => model.node('Abs', x),
  sqrt: (model, _, x) => model.node('Sqrt', x),
  round: (model, _, [x = ''], { forms }) =>
    forms.round === 'kernel' ? model.node('Round', [x]) : writeRound(model, x),
  clip: (model, { attributes: { min, max } }, [x = '']) => clipped(model, x, min, max),
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
    node.attributes.axes.join() === '2,3'
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

/**
 * A gate rises from −height at activation 0 to 0 at height / slope ≈ 1e-32. The sweep's gradients are scaled down by 2⁻⁴⁰
 * (see backward.ts), so the height outweighs anything up to 1e18 degrees per unit.
 */
const gateHeight = 2 ** 20
const gateSlope = 1e38

function writeStep(model: OnnxModel, x: string): string {
  return model.node('HardSigmoid', [x], { alpha: { float: 1e30 }, beta: { float: 0 } })
}

/** y · (6 − y): positive exactly where 0 < y < 6, and far from overflow there. */
function writeBand(model: OnnxModel, node: Node, y: string, forms: OnnxForms): string {
  const ends = { scale: Float32Array.of(-1), shift: Float32Array.of(6) }
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

function clipped(model: OnnxModel, x: string, min: number, max: number): string {
  return model.node('Clip', [x, ...[min, max].map((bound) => model.floats(Float32Array.of(bound), []))])
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

/** Brings the blocked layout back. */
function timesOne(model: OnnxModel, channels: number, x: string): string {
  return timesConstant(model, channels, x, 1)
}

function timesConstant(model: OnnxModel, channels: number, x: string, factor: number, shift?: number): string {
  const each = (value: number): Float32Array => new Float32Array(channels).fill(value)
  const weights = [model.floats(each(factor), [channels, 1, 1, 1])]
  if (shift !== undefined) weights.push(model.floats(each(shift), [channels]))
  return model.node('Conv', [x, ...weights], { group: channels, kernel_shape: [1, 1] })
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

/** One phase of x as a depthwise convolution, which stays in the blocked layout; times a factor and plus a shift. */
function writePhase(
  model: OnnxModel,
  node: NodeOf<'phase'>,
  x: string,
  { factor, shift }: { readonly factor: number; readonly shift?: number },
): string {
  const { strides, offset } = node.attributes
  const [, channels = 1, rows = 1, columns = 1] = node.shape
  const [, , height = 1, width = 1] = inputAt(node, 0).shape
  const window = strides[0] * strides[1]
  const chosen = offset[0] * strides[1] + offset[1]
  const weight = Float32Array.from({ length: channels * window }, (_, i) => (i % window === chosen ? factor : 0))
  const inputs = [x, model.floats(weight, [channels, 1, ...strides])]
  if (shift !== undefined) inputs.push(model.floats(new Float32Array(channels).fill(shift), [channels]))
  const pads = [0, 0, rows * strides[0] - height, columns * strides[1] - width]
  return model.node('Conv', inputs, { group: channels, kernel_shape: strides, strides, pads })
}

function writeStridedSlice(model: OnnxModel, node: NodeOf<'phase'>, x: string): string {
  const { strides, offset } = node.attributes
  const [, , rows = 1, columns = 1] = node.shape
  const [, , height = 1, width = 1] = inputAt(node, 0).shape
  const missing = [rows * strides[0] - height, columns * strides[1] - width]
  const whole = missing.some((n) => n > 0) ? model.node('Pad', [x, model.ints([0, 0, 0, 0, 0, 0, ...missing])]) : x
  const ends = model.ints([rows * strides[0], columns * strides[1]])
  return model.node('Slice', [whole, model.ints(offset), ends, model.ints([2, 3]), model.ints(strides)])
}

/**
 * With channels last, what lies side by side is joined along the channels, and rows below one another as one long row: two
 * concatenations that copy long runs, and changes of layout that ONNX Runtime does on the way out of and into its own. The
 * tempting wrong choice, DepthToSpace, moves single numbers and takes four times as long.
 */
function writeInterleave(model: OnnxModel, node: NodeOf<'interleave'>, x: readonly string[]): string {
  const [sy, sx] = node.attributes.strides
  const [n = 1, channels = 1, height = 1, width = 1] = node.shape
  const [, , rows = 1, columns = 1] = inputAt(node, 0).shape
  const joined = (parts: readonly string[], axis: number): string =>
    parts.length === 1 ? (parts[0] ?? '') : model.node('Concat', parts, { axis })
  const phases = x.map((phase) => model.node('Transpose', [phase], { perm: [0, 2, 3, 1] }))
  const lines = Array.from({ length: sy }, (_, y) => {
    const line = joined(phases.slice(y * sx, (y + 1) * sx), 3)
    return model.node('Reshape', [line, model.ints([n, rows, 1, columns * sx * channels])])
  })
  const all = model.node('Reshape', [joined(lines, 2), model.ints([n, rows * sy, columns * sx, channels])])
  const cut =
    rows * sy === height && columns * sx === width
      ? all
      : model.node('Slice', [all, model.ints([0, 0]), model.ints([height, width]), model.ints([1, 2])])
  return model.node('Transpose', [cut], { perm: [0, 3, 1, 2] })
}

function writeGate(model: OnnxModel, y: Node, nameOf: (node: Node) => string): string {
  return clipped(model, writeRamp(model, y, nameOf, gateSlope, -gateHeight), -gateHeight, 0)
}

/**
 * A ReLU6 is closed below by a number that outweighs all else at y = 0 and is gone at y ≈ 1e-23, and above by a ramp that is
 * exactly 0 at the last float32 before 6 and the gate's height at 6: slope and shift are such that nothing is rounded. Two
 * depthwise convolutions with fused sum and ReLU and one for the sign; y · (6 − y) in the place of both takes half as long
 * again, since a multiplication and a clip are not fused.
 */
function writeBandGate(model: OnnxModel, y: Node, nameOf: (node: Node) => string): string {
  const below = model.node('Relu', [writeRamp(model, y, nameOf, -gateSlope, 2 ** 50)])
  const above = writeRamp(model, y, nameOf, gateHeight * 2 ** 21, -gateHeight * (6 * 2 ** 21 - 1))
  const closed = model.node('Relu', [model.node('Add', [above, below])])
  return timesConstant(model, y.shape[1] ?? 0, closed, -1)
}

/** y · slope + shift as a depthwise convolution, of one phase of a value directly from the whole. */
function writeRamp(model: OnnxModel, y: Node, nameOf: (node: Node) => string, slope: number, shift: number): string {
  if (y.op === 'phase') return writePhase(model, y, nameOf(inputAt(y, 0)), { factor: slope, shift })
  return timesConstant(model, y.shape[1] ?? 0, nameOf(y), slope, shift)
}

function once(made: Map<Node, string>, node: Node, make: () => string): string {
  const known = made.get(node)
  if (known !== undefined) return known
  const name = make()
  made.set(node, name)
  return name
}

function convAttributes(node: { readonly attributes: ConvAttributes; readonly inputs: readonly Node[] }) {
  const { strides, pads, groups } = node.attributes
  const weight = node.inputs[1]?.shape ?? []
  return { strides, pads, group: groups, kernel_shape: weight.slice(2) }
}

function poolAttributes({ kernel, strides, pads }: PoolAttributes) {
  return { kernel_shape: kernel, strides, pads }
}

function lastTwoSwapped(rank: number): number[] {
  return Array.from({ length: rank }, (_, axis) => (axis < rank - 2 ? axis : 2 * rank - 3 - axis))
}
