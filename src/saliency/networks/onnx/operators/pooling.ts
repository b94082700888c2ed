import type { Node, Padding } from '../../../graph.ts'
import { constant, make } from '../../../ops.ts'
import type { Call, Operators } from '../call.ts'
import { computed } from '../value.ts'
import { windowOf, type Window, type WindowSource } from '../windows.ts'

export const pooling: Operators = {
  MaxPool: (call) => {
    call.require(call.namedOutputCount === 1, 'the positions of its maxima as an output')
    const x = call.node(0)
    const window = poolWindow(call, x)
    const { kernel, strides } = window
    // Padding is never a maximum, so that of ceil_mode is more of it.
    return computed(make('maxPool', [x], { kernel, strides, pads: wholePads(window) }, call.label))
  },
  AveragePool: (call) => {
    const x = call.node(0)
    if (x.shape.length === 5) return computed(averagedAlongFirst(call, x))
    return computed(averaged(call, x, poolWindow(call, x)))
  },
  GlobalAveragePool: (call) => {
    const x = image(call)
    return computed(make('reduceMean', [x], { axes: [2, 3] }, call.label))
  },
  GlobalMaxPool: (call) => {
    const x = image(call)
    const kernel = [x.shape[2] ?? 1, x.shape[3] ?? 1] as const
    return computed(make('maxPool', [x], { kernel, strides: [1, 1], pads: [0, 0, 0, 0] }, call.label))
  },
}

function image(call: Call): Node {
  const x = call.node(0)
  call.require(x.shape.length === 4, `${x.shape.length - 2} spatial axes instead of 2`)
  return x
}

type AverageSource = WindowSource & Pick<Call, 'label' | 'allocateFloats'>

/** Of a pool no window lies in the padding alone, where there is nothing to take a mean or a maximum of. */
function poolWindow(call: WindowSource, x: Node): Window {
  const window = windowOf(call, x.shape)
  const { kernel, dilations, pads } = window
  call.require(dilations.join() === '1,1', `dilations ${dilations.join(', ')}`)
  const isWithin = pads.every((pad, index) => pad < (kernel[index % 2] ?? 1))
  call.require(isWithin, `pads ${pads.join(', ')} around a window of ${kernel.join('×')}`)
  return window
}

/**
 * Three spatial axes of which only the first is averaged over, with the other two as one. PyTorch's local response
 * normalisation is exported so, with the channels as the first.
 */
function averagedAlongFirst(call: Call, x: Node): Node {
  const [n = 1, channels = 1, depth = 1, height = 1, width = 1] = x.shape
  const alongFirst = (name: string): number[] | undefined => {
    const found = call.ints(name)
    if (found === undefined) return undefined
    const idle = name === 'pads' ? 0 : 1
    call.require(
      found.every((value, axis) => axis % 3 === 0 || value === idle),
      `${name} ${found.join(', ')}`,
    )
    return found.flatMap((value, axis) => (axis % 3 === 0 ? [value, idle] : []))
  }
  const source: AverageSource = {
    label: call.label,
    allocateFloats: (count) => call.allocateFloats(count),
    ints: alongFirst,
    int: (name, otherwise) => call.int(name, otherwise),
    text: (name, otherwise) => call.text(name, otherwise),
    require: (condition, what) => call.require(condition, what),
    refusal: (what) => call.refusal(what),
  }
  const planes = make('reshape', [x], { shape: [n, channels, depth, height * width] })
  const mean = averaged(source, planes, poolWindow(source, planes))
  return make('reshape', [mean], { shape: [n, channels, mean.shape[2] ?? 1, height, width] })
}

function wholePads({ pads: [top, left, bottom, right], overhang: [below, beside] }: Window): Padding {
  return [top, left, bottom + below, right + beside]
}

/**
 * Means over windows. Those that overlap or are padded are a convolution per channel with equal weights, which engines
 * compute as fast as a pool, and whose gradient they know. What a mean is divided by differs at the edges where padding is
 * not counted, so there it is a plane of its own.
 */
function averaged(call: AverageSource, x: Node, window: Window): Node {
  const { kernel, strides } = window
  const [, channels = 1, height = 1, width = 1] = x.shape
  const pads = wholePads(window)
  const isPadded = pads.some((pad) => pad > 0)
  if (!isPadded && kernel[0] === height && kernel[1] === width) {
    return make('reduceMean', [x], { axes: [2, 3] }, call.label)
  }
  if (!isPadded && kernel[0] === 1 && kernel[1] === 1 && strides[0] === 1 && strides[1] === 1) return x
  if (!isPadded && kernel.join() === strides.join()) return make('averagePool', [x], { kernel }, call.label)
  const size = kernel[0] * kernel[1]
  const shape = [channels, 1, ...kernel]
  const weight = constant(call.allocateFloats(shape).fill(1 / size), shape)
  const mean = make('conv', [x, weight], { strides, pads, groups: channels }, call.label)
  const [rows, columns] = countsOf(call, window, mean, [height, width])
  if (rows.every((count) => count === kernel[0]) && columns.every((count) => count === kernel[1])) return mean
  const plane = [1, 1, rows.length, columns.length]
  const shares = call.allocateFloats(plane)
  for (const [row, down] of rows.entries())
    for (const [column, across] of columns.entries()) shares[row * columns.length + column] = size / (down * across)
  return make('mul', [mean, constant(shares, plane)])
}

/**
 * How many rows and how many columns of each window a sum is divided by: ceil_mode's overhang never counts, padding on request.
 */
function countsOf(
  call: WindowSource,
  { kernel, strides, pads }: Window,
  mean: Node,
  sides: readonly [number, number],
): readonly [rows: number[], columns: number[]] {
  const countsPadding = call.int('count_include_pad', 0) === 1
  const along = (axis: 0 | 1): number[] => {
    const [before, after, side] = [pads[axis], pads[axis + 2] ?? 0, sides[axis]]
    const [first, end] = countsPadding ? [0, before + side + after] : [before, before + side]
    return Array.from({ length: mean.shape[axis + 2] ?? 1 }, (_, at) => {
      const start = at * strides[axis]
      return Math.max(1, Math.min(start + kernel[axis], end) - Math.max(start, first))
    })
  }
  return [along(0), along(1)]
}
