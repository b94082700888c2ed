import type { Node, NodeOf } from '../graph.ts'
import { inputAt } from '../ops.ts'
import { writeClip } from './onnxComparisons.ts'
import type { OnnxModel } from './onnxModel.ts'

/** What is written for ONNX Runtime's blocked channel layout: gates, phases, and ways into it. */

/**
 * A gate rises from −height at activation 0 to 0 at height / slope ≈ 1e-32. The sweep's gradients are scaled down by 2⁻⁴⁰
 * (see backward.ts), so the height outweighs anything up to 1e18 degrees per unit.
 */
const gateHeight = 2 ** 20
const gateSlope = 1e38

/** 0 where the activation y is positive, else a number that no gradient outweighs. */
export function writeGate(model: OnnxModel, y: Node, nameOf: (node: Node) => string): string {
  return writeClip(model, writeRamp(model, y, nameOf, gateSlope, -gateHeight), -gateHeight, 0)
}

/**
 * A ReLU6 is closed below by a number that outweighs all else at y = 0 and is gone at y ≈ 1e-23, and above by a ramp that is
 * exactly 0 at the last float32 before 6 and the gate's height at 6: slope and shift are such that nothing is rounded. Two
 * depthwise convolutions with fused sum and ReLU and one for the sign; y · (6 − y) in the place of both takes half as long
 * again, since a multiplication and a clip are not fused.
 */
export function writeBandGate(model: OnnxModel, y: Node, nameOf: (node: Node) => string): string {
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

/** Brings the blocked layout back. */
export function timesOne(model: OnnxModel, channels: number, x: string): string {
  return timesConstant(model, channels, x, 1)
}

function timesConstant(model: OnnxModel, channels: number, x: string, factor: number, shift?: number): string {
  const each = (value: number): Float32Array => new Float32Array(channels).fill(value)
  const weights = [model.floats(each(factor), [channels, 1, 1, 1])]
  if (shift !== undefined) weights.push(model.floats(each(shift), [channels]))
  return model.node('Conv', [x, ...weights], { group: channels, kernel_shape: [1, 1] })
}

/** One phase of x as a depthwise convolution, which stays in the blocked layout; times a factor and plus a shift. */
export function writePhase(
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

export function writeStridedSlice(model: OnnxModel, node: NodeOf<'phase'>, x: string): string {
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
export function writeInterleave(model: OnnxModel, node: NodeOf<'interleave'>, x: readonly string[]): string {
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
