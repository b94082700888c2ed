import type { NodeOf } from '../graph.ts'
import { inputAt } from '../ops.ts'
import type { OnnxModel } from './onnxModel.ts'

/**
 * Operations composed of arithmetic, for providers that have no kernel for them. Comparisons give numbers: a difference
 * times a huge factor, clipped to [0, 1], is 1 where the difference is positive and 0 where it is not.
 */
const huge = 3e38

/** Less than any activation, and far enough from the smallest float32 that differences stay finite. */
const lowest = -1e38

/** To the nearest whole number, halves to even, exactly. */
export function writeRound(model: OnnxModel, x: string): string {
  const floor = model.node('Floor', [x])
  const fraction = model.node('Sub', [x, floor])
  const overHalf = model.node('Sub', [fraction, number(model, 0.5)])
  const up = isPositive(model, overHalf)
  const half = isNoMore(model, model.node('Abs', [overHalf]))
  const halved = model.node('Mul', [floor, number(model, 0.5)])
  const odd = isPositive(model, model.node('Sub', [halved, model.node('Floor', [halved])]))
  return model.node('Add', [floor, model.node('Add', [up, model.node('Mul', [half, odd])])])
}

/**
 * The angle of the point (x, y), from the arc tangent of the smaller side over the larger one. ONNX has no operation for it,
 * and ONNX Runtime on CUDA no arc tangent either: that is the polynomial of Moshier's Cephes (atanf.c), good to 1e-7 rad.
 */
export function writeAtan2(model: OnnxModel, y: string, x: string): string {
  const scaled = (value: string, factor: number): string => model.node('Mul', [value, number(model, factor)])
  const plus = (value: string, term: number): string => model.node('Add', [value, number(model, term)])
  /** `otherwise` where `condition` is 0, `then` where it is 1; exact, which a sum with their difference is not. */
  const select = (condition: string, then: string, otherwise: string): string =>
    model.node('Add', [
      model.node('Mul', [condition, then]),
      model.node('Mul', [model.node('Sub', [number(model, 1), condition]), otherwise]),
    ])
  const [width, height] = [model.node('Abs', [x]), model.node('Abs', [y])]
  const steep = isPositive(model, model.node('Sub', [height, width]))
  const [smaller, larger] = [select(steep, width, height), select(steep, height, width)]
  // At (0, 0) the ratio is 0, not NaN.
  const ratio = model.node('Div', [smaller, plus(larger, 1e-37)])
  // Beyond tan(π/8) the angle is taken from π/4: atan(r) = π/4 + atan((r − 1) / (r + 1)).
  const far = isPositive(model, plus(ratio, -Math.tan(Math.PI / 8)))
  const turned = model.node('Div', [plus(ratio, -1), plus(ratio, 1)])
  const small = select(far, turned, ratio)
  const square = model.node('Mul', [small, small])
  const coefficients = [-1.38776856032e-1, 1.99777106478e-1, -3.33329491539e-1]
  const series = coefficients.reduce(
    (sum, coefficient, i) => plus(i === 0 ? sum : model.node('Mul', [sum, square]), coefficient),
    scaled(square, 8.05374449538e-2),
  )
  const cubic = model.node('Mul', [model.node('Mul', [series, square]), small])
  const octant = model.node('Add', [model.node('Add', [small, cubic]), scaled(far, Math.PI / 4)])
  const quadrant = select(steep, plus(scaled(octant, -1), Math.PI / 2), octant)
  const half = select(isPositive(model, scaled(x, -1)), plus(scaled(quadrant, -1), Math.PI), quadrant)
  return select(isPositive(model, scaled(y, -1)), scaled(half, -1), half)
}

/** 1 at the first largest of each row of `length`, else 0. */
export function writeFirstLargest(model: OnnxModel, x: string, length: number): string {
  const largest = model.node('ReduceMax', [x, model.ints([-1])])
  const equal = isNoMore(model, model.node('Sub', [largest, x]))
  // How many equal ones stand before each: a product with a matrix of ones above the diagonal.
  const above = Float32Array.from({ length: length ** 2 }, (_, i) => (Math.floor(i / length) < i % length ? 1 : 0))
  const before = model.node('MatMul', [equal, model.floats(above, [length, length])])
  return model.node('Mul', [equal, isNoMore(model, before)])
}

/**
 * For every offset of the window in row-major order: where the input at that offset equals the window's maximum and no
 * earlier one did, the gradient goes there. A transposed convolution with one weight per offset brings all of them back to
 * their places. `values` is the pool's output.
 */
export function writeMaxPoolGradient(
  model: OnnxModel,
  node: NodeOf<'maxPoolGradient'>,
  { x, values, g }: { readonly x: string; readonly values: string; readonly g: string },
): string {
  const { kernel, strides, pads } = node.attributes
  const [n = 1, channels = 1, height = 1, width = 1] = node.shape
  const [, , outHeight = 1, outWidth = 1] = inputAt(node, 1).shape
  const axes = model.ints([2, 3])
  // The last windows may end before the input does: what they leave out is filled up again at the end.
  const reached = [(outHeight - 1) * strides[0] + kernel[0], (outWidth - 1) * strides[1] + kernel[1]] as const
  const edges = model.ints([0, 0, pads[0], pads[1], 0, 0, pads[2], pads[3]])
  const padded = model.node('Pad', [x, edges, number(model, lowest)])
  let free = ''
  const taken: string[] = []
  const offsets = kernel[0] * kernel[1]
  for (let offset = 0; offset < offsets; offset++) {
    const [top, left] = [Math.floor(offset / kernel[1]), offset % kernel[1]]
    const ends = [top + (outHeight - 1) * strides[0] + 1, left + (outWidth - 1) * strides[1] + 1]
    const there = model.node('Slice', [
      padded,
      model.ints([top, left]),
      model.ints(ends),
      axes,
      model.ints([...strides]),
    ])
    const equal = isNoMore(model, model.node('Sub', [values, there]))
    const takes = free === '' ? equal : model.node('Mul', [equal, free])
    const left1 = model.node('Sub', [number(model, 1), takes])
    free = free === '' ? left1 : model.node('Mul', [free, left1])
    taken.push(model.node('Mul', [takes, g]))
  }
  const rows = model.node(
    'Concat',
    taken.map((one) => model.node('Reshape', [one, model.ints([n, channels, 1, outHeight, outWidth])])),
    { axis: 2 },
  )
  const stacked = model.node('Reshape', [rows, model.ints([n, channels * offsets, outHeight, outWidth])])
  const places = Float32Array.from({ length: channels * offsets * offsets }, (_, i) =>
    Math.floor(i / offsets) % offsets === i % offsets ? 1 : 0,
  )
  const weights = model.floats(places, [channels * offsets, 1, ...kernel])
  const spread = model.node('ConvTranspose', [stacked, weights], {
    group: channels,
    strides,
    kernel_shape: kernel,
    pads: [0, 0, 0, 0],
  })
  const bottom = Math.max(0, pads[0] + height - reached[0])
  const right = Math.max(0, pads[1] + width - reached[1])
  const whole =
    bottom + right === 0 ? spread : model.node('Pad', [spread, model.ints([0, 0, 0, 0, 0, 0, bottom, right])])
  const ends = model.ints([pads[0] + height, pads[1] + width])
  return model.node('Slice', [whole, model.ints([pads[0], pads[1]]), ends, axes])
}

export function writeClip(model: OnnxModel, x: string, min: number, max: number): string {
  return model.node('Clip', [x, number(model, min), number(model, max)])
}

/** 1 where x > 0, else 0. */
function isPositive(model: OnnxModel, x: string): string {
  return writeClip(model, model.node('Mul', [x, number(model, huge)]), 0, 1)
}

/** 1 where x ≤ 0, else 0. */
function isNoMore(model: OnnxModel, x: string): string {
  return model.node('Sub', [number(model, 1), isPositive(model, x)])
}

function number(model: OnnxModel, value: number): string {
  return model.floats(Float32Array.of(value), [])
}
