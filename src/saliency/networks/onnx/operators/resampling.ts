import type { Node, Pair } from '../../../graph.ts'
import { constant, make } from '../../../ops.ts'
import type { Call, Operators } from '../call.ts'
import { transposedNode } from '../layout.ts'
import { computed } from '../value.ts'

/** Larger and smaller pictures, and what moves between channels and pixels. */
export const resampling: Operators = {
  /** Of operator sets 7 to 9: scales are an attribute up to 8. */
  Upsample: (call) => {
    const scales = call.numbers(1) ?? call.floats('scales') ?? []
    return computed(resized(call, { ...sizesOf(call, scales), coordinates: 'asymmetric', nearest: 'simple' }))
  },
  Resize: (call) => {
    // Of operator set 10, without a region and without modes.
    if (call.opset < 11) {
      const sizes = sizesOf(call, call.numbers(1) ?? [])
      return computed(resized(call, { ...sizes, coordinates: 'asymmetric', nearest: 'simple' }))
    }
    call.require(!call.hasAttribute('axes'), 'axes of its own')
    call.require(call.text('keep_aspect_ratio_policy', 'stretch') === 'stretch', 'a kept aspect ratio')
    call.require(call.int('antialias', 0) === 0, 'antialias')
    const shape = call.shape(0)
    const [scales = [], asked = []] = [call.numbers(2), call.numbers(3)]
    const sizes =
      asked.length === 0
        ? sizesOf(call, scales)
        : { sizes: asked, scales: asked.map((side, axis) => Math.fround(side / (shape[axis] ?? 1))) }
    return computed(
      resized(call, {
        ...sizes,
        coordinates: call.text('coordinate_transformation_mode', 'half_pixel'),
        nearest: call.text('nearest_mode', 'round_prefer_floor'),
      }),
    )
  },
  /** Blocks of channels become blocks of pixels. */
  DepthToSpace: (call) => {
    const x = image(call)
    const [n = 1, channels = 1, height = 1, width = 1] = x.shape
    const size = call.int('blocksize', 1)
    const count = size ** 2
    const rest = channels / count
    call.require(Number.isInteger(rest), `blocksize ${size} of ${channels} channels`)
    call.spread(count)
    const mode = call.text('mode', 'DCR')
    call.require(mode === 'DCR' || mode === 'CRD', `mode ${mode}`)
    // With CRD, the places in a block stand behind the channel; they are brought before it.
    const apart = make('reshape', [x], { shape: [n, rest, count, height * width] })
    const byPlace = make('transpose', [apart], { permutation: [0, 2, 1, 3] })
    const ordered = mode === 'DCR' ? x : make('reshape', [byPlace], { shape: x.shape })
    const phases = Array.from({ length: count }, (_, place) =>
      make('slice', [ordered], { axis: 1, start: place * rest, end: (place + 1) * rest }),
    )
    const whole: Pair = [height * size, width * size]
    return computed(make('interleave', phases, { strides: [size, size], size: whole }, call.label))
  },
  SpaceToDepth: (call) => {
    const x = image(call)
    const [, , height = 1, width = 1] = x.shape
    const size = call.int('blocksize', 1)
    call.require(height % size === 0 && width % size === 0, `blocksize ${size} of ${height}×${width}`)
    call.spread(size ** 2)
    const phases = Array.from({ length: size ** 2 }, (_, place) =>
      make('phase', [x], { strides: [size, size], offset: [Math.floor(place / size), place % size] }),
    )
    return computed(make('concat', phases, { axis: 1 }, call.label))
  },
}

interface Resizing {
  /** Of all axes. */
  readonly sizes: readonly number[]
  /** As the file says, which a size rounded down does not tell exactly. In float32. */
  readonly scales: readonly number[]
  readonly coordinates: string
  readonly nearest: string
}

/** In float32, as ONNX Runtime computes them: 3 values scaled by 5/3 are 5, and in float64 4. */
function sizesOf(call: Call, scales: readonly number[]): Pick<Resizing, 'sizes' | 'scales'> {
  return { scales, sizes: call.shape(0).map((side, axis) => Math.floor(Math.fround(side * (scales[axis] ?? NaN)))) }
}

function image(call: Call): Node {
  const x = call.node(0)
  call.require(x.shape.length === 4, `${x.shape.length} axes instead of 4`)
  return x
}

/** Of height and width: by `upsample` where every value is repeated, else by a product along each of the two. */
function resized(call: Call, resizing: Resizing): Node {
  const x = image(call)
  const { sizes } = resizing
  const fits = sizes.length === 4 && sizes.every((side) => Number.isSafeInteger(side) && side >= 1 && side <= mostSide)
  call.require(fits && sizes[0] === x.shape[0] && sizes[1] === x.shape[1], `sizes ${sizes.join('×')}`)
  const [rows, columns] = [sharesOf(call, 2, resizing), sharesOf(call, 3, resizing)]
  // ONNX Runtime copies a picture that keeps its size, even where a scale such as 1.1 would move its pixels.
  if (sizes.join() === x.shape.join()) return x
  const [down, across] = [repeatOf(rows, x.shape[2] ?? 1), repeatOf(columns, x.shape[3] ?? 1)]
  if (down !== undefined && across !== undefined) {
    return make('upsample', [x], { scale: [down, across] }, call.label)
  }
  const swapped = [0, 1, 3, 2]
  const tall = transposedNode(mixed(call, rows, transposedNode(x, swapped)), swapped)
  return mixed(call, columns, tall)
}

/** Longer than any side of a picture. */
const mostSide = 2 ** 16

/** For each value of an axis, the values before that it is made of. */
type Shares = readonly (readonly (readonly [from: number, share: number])[])[]

function sharesOf(call: Call, axis: number, { sizes, scales, coordinates, nearest }: Resizing): Shares {
  const [side, size, scale] = [call.shape(0)[axis] ?? 1, sizes[axis] ?? 1, scales[axis] ?? 1]
  const place = placeOf(call, coordinates, { side, size, scale })
  const mode = call.text('mode', 'nearest')
  const round = roundings[nearest]
  call.require((mode === 'nearest' && round !== undefined) || mode === 'linear', `mode ${mode} ${nearest}`)
  const within = (from: number): number => Math.min(side - 1, Math.max(0, from))
  return Array.from({ length: size }, (_, to) => {
    const at = place(to)
    if (mode === 'nearest') return [[within(round?.(at, scale) ?? 0), 1]]
    const before = Math.floor(at)
    return [
      [within(before), 1 - (at - before)],
      [within(before + 1), at - before],
    ]
  })
}

/**
 * Where a value of the result lies among those before, as `coordinate_transformation_mode` says. Each step is rounded to
 * float32, as in ONNX Runtime: places often lie just at a whole number or a half, and float64 then takes another value.
 * Those of `align_corners` are the same in both.
 */
function placeOf(
  call: Call,
  mode: string,
  { side, size, scale }: { readonly side: number; readonly size: number; readonly scale: number },
): (to: number) => number {
  const { fround } = Math
  const halfPixel = (to: number): number => fround(fround((to + 0.5) / scale) - 0.5)
  switch (mode) {
    case 'asymmetric':
      return (to) => fround(to / scale)
    case 'half_pixel':
      return halfPixel
    case 'pytorch_half_pixel':
      return (to) => (size === 1 ? 0 : halfPixel(to))
    case 'align_corners':
      return (to) => (size === 1 ? 0 : (to * (side - 1)) / (size - 1))
    default:
      throw call.refusal(`coordinate_transformation_mode ${mode}`)
  }
}

/** ONNX Runtime takes for a half what lies so near to one, since float32 misses many by its last digit. */
const halfTolerance = 1e-6

const roundings: Readonly<Record<string, (at: number, scale: number) => number>> = {
  round_prefer_floor: (at) => Math.ceil(at - 0.5 - halfTolerance),
  round_prefer_ceil: (at) => Math.floor(at + 0.5 + halfTolerance),
  floor: Math.floor,
  ceil: Math.ceil,
  /** Without `nearest_mode`, up to operator set 10: ONNX Runtime rounds up where a side shrinks. */
  simple: (at, scale) => (scale < 1 ? Math.ceil(at) : Math.floor(at)),
}

/** How often each of `side` values comes in turn; undefined where it is anything else. */
function repeatOf(shares: Shares, side: number): number | undefined {
  const times = shares.length / side
  if (!Number.isInteger(times)) return undefined
  const isRepeat = shares.every((parts, to) =>
    parts.every(([from, share]) => share === 0 || (share === 1 && from === Math.floor(to / times))),
  )
  return isRepeat ? times : undefined
}

/** Along the last axis. */
function mixed(call: Call, shares: Shares, x: Node): Node {
  const side = x.shape.at(-1) ?? 1
  if (repeatOf(shares, side) === 1) return x
  const matrix = call.allocateFloats([shares.length, side])
  for (const [to, parts] of shares.entries())
    for (const [from, share] of parts) matrix[to * side + from] = (matrix[to * side + from] ?? 0) + share
  return make('matmul', [x, constant(matrix, [shares.length, side])], { transposeB: true }, call.label)
}
