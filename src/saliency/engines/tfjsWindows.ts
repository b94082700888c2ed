import type { NamedAttrMap, Tensor } from '@tensorflow/tfjs-core'
import type { Attributes, NodeOf, PoolAttributes } from '../graph.ts'
import { inputAt } from '../ops.ts'
import type { Kernels, TfjsBackend, Value } from './tfjsBackend.ts'
import { asChannelsLast, asFilter, joined, padded, part, reshaped, runKernel, some } from './tfjsLayout.ts'

type Windowed =
  'conv' | 'convInputGradient' | 'maxPool' | 'maxPoolGradient' | 'averagePool' | 'upsample' | 'phase' | 'interleave'

/** The operations that slide a window over an image's values or take them apart, channels last. */
export const windowKernels: Pick<Kernels, Windowed> = {
  conv: (backend, node, [x, w, bias]) => {
    const { pads, groups } = node.attributes
    const input = asChannelsLast(backend, some(x)).tensor
    const filter = asFilter(backend, some(w)).tensor
    const ins = (input.shape[3] ?? 1) / groups
    const outs = (filter.shape[3] ?? 1) / groups
    if (groups > 1 && ins === 1 && node.attributes.strides[0] === node.attributes.strides[1]) {
      return plusBias(backend, depthwise(backend, node, input, filter), bias)
    }
    const parts = Array.from({ length: groups }, (_, group) => {
      const from = groups === 1 ? input : part(backend, input, 3, group * ins, ins)
      const by = groups === 1 ? filter : part(backend, filter, 3, group * outs, outs)
      return runKernel(
        backend,
        'Conv2D',
        { x: from, filter: by },
        { ...window(node.attributes), pad: explicitPadding(pads) },
      )
    })
    return plusBias(backend, joined(backend, parts), bias)
  },
  convInputGradient: (backend, node, [g, w]) => {
    const { pads, groups, inputShape } = node.attributes
    const [n = 1, channels = 1, height = 1, width = 1] = inputShape
    const upstream = asChannelsLast(backend, some(g)).tensor
    const filter = asFilter(backend, some(w)).tensor
    const [ins, outs] = [channels / groups, (filter.shape[3] ?? 1) / groups]
    // The kernels know no explicit padding here: take the gradient at the padded input and cut the padding off.
    const padded = [n, height + pads[0] + pads[2], width + pads[1] + pads[3], ins]
    const parts = Array.from({ length: groups }, (_, group) => {
      const dy = groups === 1 ? upstream : part(backend, upstream, 3, group * outs, outs)
      const by = groups === 1 ? filter : part(backend, filter, 3, group * outs, outs)
      const attributes = { ...window(node.attributes), pad: 'valid', inputShape: padded }
      return runKernel(backend, 'Conv2DBackpropInput', { dy, filter: by }, attributes)
    })
    return { tensor: withoutPadding(backend, joined(backend, parts), pads, height, width), layout: 'channelsLast' }
  },
  maxPool: (backend, node, [x]) => {
    const padded = paddedForMaximum(backend, asChannelsLast(backend, some(x)).tensor, node.attributes)
    return { tensor: runKernel(backend, 'MaxPool', { x: padded }, pool(node.attributes)), layout: 'channelsLast' }
  },
  maxPoolGradient: (backend, node, [x, g]) => {
    const { pads } = node.attributes
    const input = paddedForMaximum(backend, asChannelsLast(backend, some(x)).tensor, node.attributes)
    const output = runKernel(backend, 'MaxPool', { x: input }, pool(node.attributes))
    const dy = asChannelsLast(backend, some(g)).tensor
    const gradient = runKernel(backend, 'MaxPoolGrad', { dy, input, output }, pool(node.attributes))
    const [, , height = 1, width = 1] = node.shape
    return { tensor: withoutPadding(backend, gradient, pads, height, width), layout: 'channelsLast' }
  },
  averagePool: (backend, { attributes: { kernel } }, [x]) => {
    const attributes = { filterSize: [...kernel], strides: [...kernel], pad: 'valid' }
    const input = asChannelsLast(backend, some(x)).tensor
    return { tensor: runKernel(backend, 'AvgPool', { x: input }, attributes), layout: 'channelsLast' }
  },
  upsample: (backend, node, [x]) => {
    const attributes = { alignCorners: false, halfPixelCenters: false, size: node.shape.slice(2) }
    const images = asChannelsLast(backend, some(x)).tensor
    return { tensor: runKernel(backend, 'ResizeNearestNeighbor', { images }, attributes), layout: 'channelsLast' }
  },

  phase: (backend, node, [x]) => {
    const { strides, offset } = node.attributes
    const input = asChannelsLast(backend, some(x)).tensor
    const [n = 1, height = 1, width = 1, channels = 1] = input.shape
    const [, , rows = 1, columns = 1] = node.shape
    const [below, right] = [rows * strides[0] - height, columns * strides[1] - width]
    const whole =
      below + right === 0
        ? input
        : padded(
            backend,
            input,
            [
              [0, 0],
              [0, below],
              [0, right],
              [0, 0],
            ],
            0,
          )
    const split = reshaped(backend, whole, [n * rows, strides[0], columns, strides[1] * channels])
    const row = part(backend, split, 1, offset[0], 1)
    const column = part(backend, row, 3, offset[1] * channels, channels)
    return { tensor: reshaped(backend, column, [n, rows, columns, channels]), layout: 'channelsLast' }
  },
  interleave: (backend, node, inputs) => {
    const [sy, sx] = node.attributes.strides
    const [n = 1, channels = 1, height = 1, width = 1] = node.shape
    const [, , rows = 1, columns = 1] = inputAt(node, 0).shape
    // With channels last, what lies side by side is joined along the channels, and rows below one another as one long row.
    const phases = inputs.map((input) => asChannelsLast(backend, input).tensor)
    const lines = Array.from({ length: sy }, (_, y) => {
      const line = joined(backend, phases.slice(y * sx, (y + 1) * sx))
      return reshaped(backend, line, [n, rows, 1, columns * sx * channels])
    })
    const all = reshaped(backend, joined(backend, lines), [n, rows * sy, columns * sx, channels])
    return { tensor: withoutPadding(backend, all, [0, 0, 0, 0], height, width), layout: 'channelsLast' }
  },
}

/** One channel in each group, by the kernel for that: one group at a time would be a thousand kernels a layer. */
function depthwise(backend: TfjsBackend, { attributes }: NodeOf<'conv'>, input: Tensor, filter: Tensor): Tensor {
  const { pads, groups } = attributes
  const paddings = explicitPadding(pads)
  const x = paddings === 'valid' ? input : padded(backend, input, paddings, 0)
  const [height = 1, width = 1, , outs = 1] = filter.shape
  const perChannel = reshaped(backend, filter, [height, width, groups, outs / groups])
  const inputs = { x, filter: perChannel }
  return runKernel(backend, 'DepthwiseConv2dNative', inputs, {
    ...window(attributes),
    pad: 'valid',
  })
}

function plusBias(backend: TfjsBackend, y: Tensor, bias: Value | undefined): Value {
  const tensor = bias === undefined ? y : runKernel(backend, 'Add', { a: y, b: bias.tensor }, {})
  return { tensor, layout: 'channelsLast' }
}

function window({ strides, dilations = [1, 1] }: Attributes['conv']): NamedAttrMap {
  return { strides: [...strides], dataFormat: 'NHWC', dilations: [...dilations] }
}

function explicitPadding([top, left, bottom, right]: PoolAttributes['pads']): [number, number][] | 'valid' {
  if (top + left + bottom + right === 0) return 'valid'
  return [
    [0, 0],
    [top, bottom],
    [left, right],
    [0, 0],
  ]
}

function pool({ kernel, strides }: PoolAttributes): NamedAttrMap {
  return { filterSize: [...kernel], strides: [...strides], pad: 'valid' }
}

/** The pooling kernels know no explicit padding: pad with what never is a maximum. */
function paddedForMaximum(backend: TfjsBackend, x: Tensor, { pads }: PoolAttributes): Tensor {
  const paddings = explicitPadding(pads)
  return paddings === 'valid' ? x : padded(backend, x, paddings, -3.4e38)
}

function withoutPadding(
  backend: TfjsBackend,
  x: Tensor,
  [top, left]: PoolAttributes['pads'],
  height: number,
  width: number,
): Tensor {
  if (x.shape[1] === height && x.shape[2] === width) return x
  const [n = 1, , , channels = 1] = x.shape
  return runKernel(backend, 'Slice', { x }, { begin: [0, top, left, 0], size: [n, height, width, channels] })
}
