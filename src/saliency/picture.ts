import type { MapStyle } from './choices.ts'
import type { Node } from './graph.ts'
import { constant, make, scalar } from './ops.ts'

/** Side of the small magnitude maps that lie beside each record file. */
export const magnitudeSide = 28

/** The 8-bit picture of a gradient N×C×H×W, of 3 channels or of 1. */
export function drawMap(gradient: Node, style: MapStyle): Node {
  return style === 'origin' ? originMap(gradient) : clippedMagnitude(gradient)
}

/**
 * The origin's own picture: (g − mean) / std · 0.1 + 0.5, clipped to [0, 1], with the population std over all channels and
 * pixels; uint8, N×H×W×3, whose channels are equal where the gradient has one. A gradient that is the same everywhere gives mid-grey, where the origin divides by zero.
 */
function originMap(gradient: Node): Node {
  const { centred, std } = moments(gradient)
  const safe = make('clip', [std], { min: 1e-30, max: Number.MAX_VALUE })
  const scaled = make('mul', [make('div', [centred, safe]), scalar(0.1)])
  const clipped = make('clip', [make('add', [scaled, scalar(0.5)])], { min: 0, max: 1 })
  const coloured = gradient.shape[1] === 1 ? make('concat', [clipped, clipped, clipped], { axis: 1 }) : clipped
  return toBytes(make('transpose', [coloured], { permutation: [0, 2, 3, 1] }))
}

/** max over channels of |g|, clipped at its 99.5th percentile (linear between ranks, as NumPy), over that: uint8, N×H×W. */
function clippedMagnitude(gradient: Node): Node {
  const [n = 1, , height = 1, width = 1] = gradient.shape
  const flat = make('reshape', [magnitude(gradient)], { shape: [n, height * width] })
  const rank = 0.995 * (height * width - 1)
  const fraction = rank - Math.floor(rank)
  const k = height * width - Math.floor(rank)
  const largest = make('topK', [flat], { k })
  const at = (start: number): Node => make('slice', [largest], { axis: 1, start, end: start + 1 })
  const low = at(k - 1)
  const high = at(Math.max(k - 2, 0))
  const percentile = make('sum', [make('mul', [low, scalar(1 - fraction)]), make('mul', [high, scalar(fraction)])])
  const safe = make('clip', [percentile], { min: 1e-30, max: Number.MAX_VALUE })
  const share = make('clip', [make('div', [flat, safe])], { min: 0, max: 1 })
  return toBytes(make('reshape', [share], { shape: [n, height, width] }))
}

/** Mean, population standard deviation and max |g| over all channels and pixels: N×3. */
export function statistics(gradient: Node): Node {
  const { mean, std } = moments(gradient)
  const max = make('reduceMax', [make('abs', [gradient])], { axes: [1, 2, 3] })
  const n = gradient.shape[0] ?? 1
  return make('reshape', [make('concat', [mean, std, max], { axis: 1 })], { shape: [n, 3] })
}

/**
 * 28×28 means of max over channels of |g|, of unit sum: N×28×28. Two small matrix products with overlap weights, so that
 * any input size works; a gradient of zeros gives zeros.
 */
export function magnitudeMap(gradient: Node): Node {
  const [n = 1, , height = 1, width = 1] = gradient.shape
  const rows = constant(areaWeights(height), [magnitudeSide, height])
  const columns = constant(areaWeights(width), [magnitudeSide, width])
  const plane = make('reshape', [magnitude(gradient)], { shape: [n, height, width] })
  const small = make('matmul', [rows, make('matmul', [plane, columns], { transposeB: true })], { transposeB: false })
  const total = make('reduceSum', [small], { axes: [1, 2] })
  return make('div', [small, make('clip', [total], { min: 1e-30, max: Number.MAX_VALUE })])
}

function magnitude(gradient: Node): Node {
  return make('reduceMax', [make('abs', [gradient])], { axes: [1] })
}

function moments(gradient: Node): { mean: Node; centred: Node; std: Node } {
  const axes = [1, 2, 3]
  const mean = make('reduceMean', [gradient], { axes })
  const centred = make('sub', [gradient, mean])
  // Centre first: E[g²] − E[g]² loses half of float32's digits.
  const std = make('sqrt', [make('reduceMean', [make('mul', [centred, centred])], { axes })])
  return { mean, centred, std }
}

function toBytes(share: Node): Node {
  return make('cast', [make('round', [make('mul', [share, scalar(255)])])], { to: 'uint8' })
}

/** Row r holds how much of each of `length` pixels lies in the r-th of 28 equal stretches. */
function areaWeights(length: number): Float32Array {
  const weights = new Float32Array(magnitudeSide * length)
  const stretch = length / magnitudeSide
  for (let r = 0; r < magnitudeSide; r++) {
    for (let x = Math.floor(r * stretch); x < Math.min(length, Math.ceil((r + 1) * stretch)); x++) {
      weights[r * length + x] = Math.max(0, Math.min(x + 1, (r + 1) * stretch) - Math.max(x, r * stretch))
    }
  }
  return weights
}
