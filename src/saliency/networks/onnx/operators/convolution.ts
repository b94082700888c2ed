import type { Node, Pair } from '../../../graph.ts'
import { constant, constantData, make } from '../../../ops.ts'
import type { Call, Operators } from '../call.ts'
import { computed } from '../value.ts'
import { reachOf, windowOf, type Window } from '../windows.ts'
import { activated } from './activations.ts'

export const convolution: Operators = {
  Conv: (call) => computed(convolved(call)),
  /** What ONNX Runtime makes of a convolution, a sum and an activation when it saves an optimised file: split again. */
  'com.microsoft.FusedConv': (call) => {
    const filtered = convolved(call)
    const sum = call.has(3) ? make('add', [filtered, call.node(3)], {}, call.label) : filtered
    return computed(activated(call, sum, call.floats('activation_params') ?? []))
  },
  /** The transpose of a convolution with the same weight, whose gradient that is. */
  ConvTranspose: (call) => {
    const x = call.node(0)
    const weight = call.constant(1)
    const [ins = 0, outsPerGroup = 0, height = 0, width = 0] = weight.shape
    const mode = call.text('auto_pad', 'NOTSET')
    call.require(
      (mode === 'NOTSET' || mode === '') && !call.hasAttribute('output_shape'),
      `auto_pad ${mode} or output_shape`,
    )
    const { strides, dilations, pads } = windowOf(call, x.shape, [height, width])
    const groups = call.int('group', 1)
    const fits = weight.shape.length === 4 && groups >= 1 && ins % groups === 0 && x.shape[1] === ins
    call.require(fits, `${x.shape[1]} channels for a weight of ${weight.shape.join('×')} in ${groups} groups`)
    const more = call.ints('output_padding') ?? [0, 0]
    const size = ([0, 1] as const).map((axis) => {
      const reach = reachOf({ kernel: [height, width], dilations }, axis)
      return (
        strides[axis] * ((x.shape[axis + 2] ?? 1) - 1) + reach + (more[axis] ?? 0) - pads[axis] - (pads[axis + 2] ?? 0)
      )
    })
    const inputShape = [x.shape[0] ?? 1, outsPerGroup * groups, ...size]
    const whole = inflated(call, weight, dilations)
    const filtered = make('convInputGradient', [x, whole], { strides, pads, groups, inputShape }, call.label)
    if (!call.has(2)) return computed(filtered)
    const bias = constant(Float32Array.from(call.known(2).data), [outsPerGroup * groups, 1, 1])
    return computed(make('add', [filtered, bias], {}, call.label))
  },
}

function convolved(call: Call): Node {
  const x = call.node(0)
  const weight = call.constant(1)
  const [outs = 0, insPerGroup = 0, height = 0, width = 0] = weight.shape
  call.require(weight.shape.length === 4, `a weight of ${weight.shape.length} axes`)
  const window = windowOf(call, x.shape, [height, width])
  const groups = call.int('group', 1)
  const fits =
    window.kernel.join() === [height, width].join() &&
    groups >= 1 &&
    (x.shape[1] ?? 0) === insPerGroup * groups &&
    outs % groups === 0
  call.require(fits, `${x.shape[1]} channels for a weight of ${weight.shape.join('×')} in ${groups} groups`)
  const bias = call.has(2) ? [call.constant(2)] : []
  call.require(
    bias.every(({ shape }) => shape.length === 1 && shape[0] === outs),
    `a bias of ${bias.map(({ shape }) => shape.join('×')).join()} for ${outs} channels`,
  )
  return convolution2d(call, [x, weight, ...bias], { ...window, groups })
}

function convolution2d(
  call: Call,
  [x, weight, ...bias]: readonly [Node, Node, ...Node[]],
  { strides, dilations, pads, groups }: Pick<Window, 'strides' | 'dilations' | 'pads'> & { readonly groups: number },
): Node {
  if (dilations[0] === 1 && dilations[1] === 1) {
    return make('conv', [x, weight, ...bias], { strides, pads, groups }, call.label)
  }
  // Strided as well as dilated, which is rare: headlight's gradient of a convolution knows one of the two.
  if (strides[0] > 1 || strides[1] > 1) {
    return make('conv', [x, inflated(call, weight, dilations), ...bias], { strides, pads, groups }, call.label)
  }
  return make('conv', [x, weight, ...bias], { strides, pads, groups, dilations }, call.label)
}

/** The kernel with zeros between its rows and columns. */
function inflated(call: Call, weight: Node, dilations: Pair): Node {
  if (dilations[0] === 1 && dilations[1] === 1) return weight
  const [outs = 1, ins = 1, height = 1, width = 1] = weight.shape
  const reach = ([0, 1] as const).map((axis) => reachOf({ kernel: [height, width], dilations }, axis))
  const [tall = 1, wide = 1] = reach
  const from = constantData(weight)
  const shape = [outs, ins, tall, wide]
  const data = call.allocateFloats(shape)
  for (let plane = 0; plane < outs * ins; plane++)
    for (let row = 0; row < height; row++)
      for (let column = 0; column < width; column++)
        data[(plane * tall + row * dilations[0]) * wide + column * dilations[1]] =
          from[(plane * height + row) * width + column] ?? 0
  return constant(data, shape, weight.label)
}
