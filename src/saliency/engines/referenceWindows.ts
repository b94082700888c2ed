import { elements, type Attributes, type NodeOf, type PoolAttributes, type Shape } from '../graph.ts'
import { inputAt } from '../ops.ts'

/** The reference executor's operations that slide a window over N×C×H×W. */

export function conv(node: NodeOf<'conv'>, x: Float64Array, w: Float64Array, bias?: Float64Array): Float64Array {
  const y = new Float64Array(elements(node.shape))
  if (bias !== undefined) {
    const plane = elements(node.shape.slice(2))
    const channels = node.shape[1] ?? 1
    for (let i = 0; i < y.length; i++) y[i] = bias[Math.floor(i / plane) % channels] ?? 0
  }
  forEachProduct(node.attributes, inputAt(node, 0).shape, inputAt(node, 1).shape, node.shape, (xi, wi, yi) => {
    y[yi] = (y[yi] ?? 0) + (x[xi] ?? 0) * (w[wi] ?? 0)
  })
  return y
}

export function convInputGradient(node: NodeOf<'convInputGradient'>, g: Float64Array, w: Float64Array): Float64Array {
  const dx = new Float64Array(elements(node.shape))
  forEachProduct(node.attributes, node.shape, inputAt(node, 1).shape, inputAt(node, 0).shape, (xi, wi, yi) => {
    dx[xi] = (dx[xi] ?? 0) + (g[yi] ?? 0) * (w[wi] ?? 0)
  })
  return dx
}

/** Calls `visit` with the positions of input, weight and output of every product that a convolution sums. */
function forEachProduct(
  { strides, pads, groups, dilations = [1, 1] }: Attributes['conv'],
  [n = 1, channels = 1, height = 1, width = 1]: Shape,
  [outs = 1, ins = 1, kernelHeight = 1, kernelWidth = 1]: Shape,
  [, , outHeight = 1, outWidth = 1]: Shape,
  visit: (x: number, w: number, y: number) => void,
): void {
  const outsPerGroup = outs / groups
  for (let b = 0; b < n; b++)
    for (let o = 0; o < outs; o++)
      for (let i = 0; i < ins; i++) {
        const channel = Math.floor(o / outsPerGroup) * ins + i
        for (let ky = 0; ky < kernelHeight; ky++)
          for (let kx = 0; kx < kernelWidth; kx++) {
            const weight = ((o * ins + i) * kernelHeight + ky) * kernelWidth + kx
            for (let y = 0; y < outHeight; y++) {
              const inY = y * strides[0] - pads[0] + ky * dilations[0]
              if (inY < 0 || inY >= height) continue
              const inRow = ((b * channels + channel) * height + inY) * width
              const outRow = ((b * outs + o) * outHeight + y) * outWidth
              for (let x = 0; x < outWidth; x++) {
                const inX = x * strides[1] - pads[1] + kx * dilations[1]
                if (inX >= 0 && inX < width) visit(inRow + inX, weight, outRow + x)
              }
            }
          }
      }
}

/** For every window the position in `x` of its first maximum in row-major order. Padding never wins. */
export function maxPoolWindows(
  { attributes: { kernel, strides, pads } }: { readonly attributes: PoolAttributes },
  [n = 1, channels = 1, height = 1, width = 1]: Shape,
  [, , outHeight = 1, outWidth = 1]: Shape,
  x: Float64Array,
): Float64Array {
  const from = new Float64Array(n * channels * outHeight * outWidth)
  for (let plane = 0; plane < n * channels; plane++)
    for (let y = 0; y < outHeight; y++)
      for (let xx = 0; xx < outWidth; xx++) {
        let best = -1
        for (let ky = 0; ky < kernel[0]; ky++)
          for (let kx = 0; kx < kernel[1]; kx++) {
            const inY = y * strides[0] - pads[0] + ky
            const inX = xx * strides[1] - pads[1] + kx
            if (inY < 0 || inY >= height || inX < 0 || inX >= width) continue
            const position = (plane * height + inY) * width + inX
            if (best < 0 || (x[position] ?? 0) > (x[best] ?? 0)) best = position
          }
        from[(plane * outHeight + y) * outWidth + xx] = best
      }
  return from
}

export function averagePool(node: NodeOf<'averagePool'>, x: Float64Array): Float64Array {
  const [height, width] = node.attributes.kernel
  const [, , inHeight = 1, inWidth = 1] = inputAt(node, 0).shape
  const [n = 1, channels = 1, outHeight = 1, outWidth = 1] = node.shape
  const y = new Float64Array(elements(node.shape))
  for (let plane = 0; plane < n * channels; plane++)
    for (let oy = 0; oy < outHeight; oy++)
      for (let ox = 0; ox < outWidth; ox++) {
        let total = 0
        for (let ky = 0; ky < height; ky++)
          for (let kx = 0; kx < width; kx++)
            total += x[(plane * inHeight + oy * height + ky) * inWidth + ox * width + kx] ?? 0
        y[(plane * outHeight + oy) * outWidth + ox] = total / (height * width)
      }
  return y
}
