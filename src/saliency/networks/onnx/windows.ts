import type { Padding, Pair, Shape } from '../../graph.ts'
import type { Call } from './call.ts'

/** How an ONNX convolution or pool slides over height and width, with all its padding worked out. */
export interface Window {
  readonly kernel: Pair
  readonly strides: Pair
  readonly dilations: Pair
  /** As written, or as `auto_pad` works out. */
  readonly pads: Padding
  /** Rows and columns beyond `pads` at the end that `ceil_mode` makes the last window reach into. */
  readonly overhang: Pair
}

/** What of a call says how its window slides. */
export type WindowSource = Pick<Call, 'ints' | 'int' | 'text' | 'require' | 'refusal'>

/** Attributes kernel_shape, strides, dilations, pads, auto_pad and ceil_mode, for an input N×C×H×W. */
export function windowOf(call: WindowSource, shape: Shape, weightKernel?: Pair): Window {
  call.require(shape.length === 4, `${shape.length - 2} spatial axes instead of 2`)
  const kernel = pairOf(call, 'kernel_shape') ?? weightKernel
  if (kernel === undefined) throw call.refusal('no kernel_shape')
  const strides = pairOf(call, 'strides') ?? [1, 1]
  const dilations = pairOf(call, 'dilations') ?? [1, 1]
  const sides: Pair = [shape[2] ?? 1, shape[3] ?? 1]
  const pads = padsOf(call, sides, { kernel, strides, dilations })
  const overhangAlong = (axis: 0 | 1): number =>
    call.int('ceil_mode', 0) === 0 ? 0 : overhangOf(sides[axis], axis, { kernel, strides, dilations, pads })
  const overhang: Pair = [overhangAlong(0), overhangAlong(1)]
  return { kernel, strides, dilations, pads, overhang }
}

type Sliding = Pick<Window, 'kernel' | 'strides' | 'dilations'>

/** How far a kernel reaches with its dilation. */
export function reachOf({ kernel, dilations }: Pick<Window, 'kernel' | 'dilations'>, axis: 0 | 1): number {
  return (kernel[axis] - 1) * dilations[axis] + 1
}

function padsOf(call: WindowSource, sides: Pair, sliding: Sliding): Padding {
  const mode = call.text('auto_pad', 'NOTSET')
  if (mode === 'VALID') return [0, 0, 0, 0]
  if (mode === 'NOTSET' || mode === '') {
    const [top = 0, left = 0, bottom = 0, right = 0, ...more] = call.ints('pads') ?? []
    const pads: Padding = [top, left, bottom, right]
    call.require(more.length === 0 && pads.every((pad) => pad >= 0 && pad < 4096), `pads ${pads.join(', ')}`)
    return pads
  }
  call.require(mode === 'SAME_UPPER' || mode === 'SAME_LOWER', `auto_pad ${mode}`)
  const [vertical, horizontal] = ([0, 1] as const).map((axis) => {
    const side = sides[axis]
    const windows = Math.ceil(side / sliding.strides[axis])
    const total = Math.max(0, (windows - 1) * sliding.strides[axis] + reachOf(sliding, axis) - side)
    // The odd row comes last with SAME_UPPER, first with SAME_LOWER.
    const less = Math.floor(total / 2)
    return mode === 'SAME_UPPER' ? [less, total - less] : [total - less, less]
  })
  return [vertical?.[0] ?? 0, horizontal?.[0] ?? 0, vertical?.[1] ?? 0, horizontal?.[1] ?? 0]
}

/** A last window must begin inside the input or the padding before it, as in PyTorch. */
function overhangOf(side: number, axis: 0 | 1, { kernel, strides, dilations, pads }: Omit<Window, 'overhang'>): number {
  const [stride, before, after] = [strides[axis], pads[axis], pads[axis + 2] ?? 0]
  const reach = reachOf({ kernel, dilations }, axis)
  let windows = Math.ceil((side + before + after - reach) / stride) + 1
  if ((windows - 1) * stride >= side + before) windows -= 1
  return Math.max(0, (windows - 1) * stride + reach - (side + before + after))
}

function pairOf(call: WindowSource, name: string): Pair | undefined {
  const found = call.ints(name)
  if (found === undefined) return undefined
  const [first = 0, second = 0] = found
  const fits = found.length === 2 && found.every((value) => Number.isSafeInteger(value) && value >= 1 && value <= 4096)
  call.require(fits, `${name} ${found.join(', ')}`)
  return [first, second]
}
