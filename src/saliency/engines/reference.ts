import { roundHalfToEven } from '../../base/rounding.ts'
import { elements, topological, type Graph, type Node, type NodeOf, type OpName, type Shape } from '../graph.ts'
import { inputAt } from '../ops.ts'
import type { Executor, TensorData } from './engine.ts'
import { averagePool, conv, convInputGradient, maxPoolWindows } from './referenceWindows.ts'

/**
 * The slow, obvious executor: every operation as a plain loop in float64, nothing fused, nothing shared. It exists to be
 * read and to be right; the fast engines and the gradient rules are held against it.
 */
export type Values = Float64Array

type Kernel<K extends OpName> = (node: NodeOf<K>, inputs: readonly Values[]) => Values

type Computed = Exclude<OpName, 'input' | 'constant'>

const kernels: { readonly [K in Computed]: Kernel<K> } = {
  cast: (node, [x]) =>
    node.dtype === 'uint8' ? values(x).map((v) => Math.min(255, Math.max(0, Math.trunc(v)))) : values(x),
  add: (node, inputs) => binary(node, inputs, (a, b) => a + b),
  sub: (node, inputs) => binary(node, inputs, (a, b) => a - b),
  mul: (node, inputs) => binary(node, inputs, (a, b) => a * b),
  div: (node, inputs) => binary(node, inputs, (a, b) => a / b),
  sum: (_, inputs) => values(inputs[0]).map((_v, i) => inputs.reduce((total, x) => total + at(x, i), 0)),
  relu: (_, [x]) => values(x).map((v) => Math.max(v, 0)),
  step: (_, [x]) => values(x).map((v) => (v > 0 ? 1 : 0)),
  guidedRelu: (_, [g, y]) => values(g).map((v, i) => (at(values(y), i) > 0 ? Math.max(v, 0) : 0)),
  relu6: (_, [x]) => values(x).map((v) => Math.min(6, Math.max(v, 0))),
  relu6Mask: (_, [y]) => values(y).map((v) => (v > 0 && v < 6 ? 1 : 0)),
  guidedRelu6: (_, [g, y]) =>
    values(g).map((v, i) => (at(values(y), i) > 0 && at(values(y), i) < 6 ? Math.max(v, 0) : 0)),
  prelu: (node, [x, slope]) => perChannel(node, values(x), (v, c) => (v > 0 ? v : v * slopeOf(slope, c))),
  preluSlope: (node, [x, slope]) => perChannel(node, values(x), (v, c) => (v > 0 ? 1 : slopeOf(slope, c))),
  sigmoid: (_, [x]) => values(x).map((v) => 1 / (1 + Math.exp(-v))),
  tanh: (_, [x]) => values(x).map(Math.tanh),
  hardSigmoid: ({ attributes: { alpha, beta } }, [x]) =>
    values(x).map((v) => Math.min(1, Math.max(0, alpha * v + beta))),
  hardSigmoidSlope: ({ attributes: { alpha } }, [y]) => values(y).map((v) => (v > 0 && v < 1 ? alpha : 0)),
  exp: (_, [x]) => values(x).map(Math.exp),
  power: ({ attributes: { exponent } }, [x]) => values(x).map((v) => v ** exponent),
  atan2: (_, [y, x]) => values(y).map((v, i) => Math.atan2(v, at(values(x), i))),
  abs: (_, [x]) => values(x).map(Math.abs),
  sqrt: (_, [x]) => values(x).map(Math.sqrt),
  round: (_, [x]) => values(x).map(roundHalfToEven),
  clip: ({ attributes: { min, max } }, [x]) => values(x).map((v) => Math.min(max, Math.max(min, v))),
  conv: (node, [x, w, bias]) => conv(node, values(x), values(w), bias),
  convInputGradient: (node, [g, w]) => convInputGradient(node, values(g), values(w)),
  batchNorm: (node, [x, gamma, beta, mean, variance]) =>
    perChannel(node, values(x), (v, c) => {
      const centred = v - at(values(mean), c)
      return (
        (centred / Math.sqrt(at(values(variance), c) + node.attributes.epsilon)) * at(values(gamma), c) +
        at(values(beta), c)
      )
    }),
  affine: (node, [x, scale, shift]) =>
    perChannel(node, values(x), (v, c) => v * at(values(scale), c) + at(values(shift), c)),
  maxPool: (node, [x]) =>
    maxPoolWindows(node, inputAt(node, 0).shape, node.shape, values(x)).map((from) => at(values(x), from)),
  maxPoolGradient: (node, [x, g]) => {
    const result = new Float64Array(elements(node.shape))
    maxPoolWindows(node, node.shape, inputAt(node, 1).shape, values(x)).forEach((from, i) => {
      result[from] = at(result, from) + at(values(g), i)
    })
    return result
  },
  averagePool: (node, [x]) => averagePool(node, values(x)),
  upsample: (node, [x]) => {
    const [sy, sx] = node.attributes.scale
    return gather(node.shape, inputAt(node, 0).shape, values(x), ([n = 0, c = 0, y = 0, xx = 0]) => [
      n,
      c,
      Math.floor(y / sy),
      Math.floor(xx / sx),
    ])
  },
  phase: (node, [x]) => {
    const { strides, offset } = node.attributes
    const from = inputAt(node, 0).shape
    return gather(node.shape, from, values(x), ([n = 0, c = 0, y = 0, xx = 0]) => {
      const [row, column] = [y * strides[0] + offset[0], xx * strides[1] + offset[1]]
      return row < (from[2] ?? 0) && column < (from[3] ?? 0) ? [n, c, row, column] : undefined
    })
  },
  interleave: (node, inputs) => {
    const [sy, sx] = node.attributes.strides
    const from = inputAt(node, 0).shape
    return new Float64Array(elements(node.shape)).map((_, i) => {
      const [n = 0, c = 0, y = 0, x = 0] = unravel(i, node.shape)
      const phase = values(inputs[(y % sy) * sx + (x % sx)])
      return at(phase, ravel([n, c, Math.floor(y / sy), Math.floor(x / sx)], from))
    })
  },

  reduceSum: (node, [x]) => reduce(node, values(x), 0, (total, v) => total + v),
  reduceMean: (node, [x]) => {
    const share = elements(node.shape) / elements(inputAt(node, 0).shape)
    return reduce(node, values(x), 0, (total, v) => total + v).map((total) => total * share)
  },
  reduceMax: (node, [x]) => reduce(node, values(x), -Infinity, Math.max),
  softmax: (node, [x]) =>
    byRow(node, values(x), (row) => {
      const max = row.reduce((a, b) => Math.max(a, b), -Infinity)
      const powers = row.map((v) => Math.exp(v - max))
      const total = powers.reduce((a, b) => a + b, 0)
      return powers.map((v) => v / total)
    }),
  oneHotArgmax: (node, [x]) =>
    byRow(node, values(x), (row) => {
      const top = row.indexOf(row.reduce((a, b) => Math.max(a, b), -Infinity))
      return row.map((_, i) => (i === top ? 1 : 0))
    }),
  topK: (node, [x]) => {
    const length = inputAt(node, 0).shape.at(-1) ?? 1
    const { k } = node.attributes
    const result = new Float64Array(elements(node.shape))
    for (let row = 0; row * k < result.length; row++) {
      const sorted = values(x)
        .slice(row * length, (row + 1) * length)
        .sort((a, b) => b - a)
      result.set(sorted.subarray(0, k), row * k)
    }
    return result
  },
  matmul: (node, [a, b]) => matmul(node, values(a), values(b)),
  reshape: (_, [x]) => values(x),
  transpose: (node, [x]) => {
    const { permutation } = node.attributes
    return gather(node.shape, inputAt(node, 0).shape, values(x), (index) =>
      permutation.map((_, axis) => index[permutation.indexOf(axis)] ?? 0),
    )
  },
  slice: (node, [x]) => {
    const { axis, start } = node.attributes
    return gather(node.shape, inputAt(node, 0).shape, values(x), (index) =>
      index.with(axis, (index[axis] ?? 0) + start),
    )
  },
  flip: (node, [x]) =>
    gather(node.shape, node.shape, values(x), (index) =>
      index.map((i, axis) => (node.attributes.axes.includes(axis) ? (node.shape[axis] ?? 0) - 1 - i : i)),
    ),
  pad: (node, [x]) => {
    const { axis, before } = node.attributes
    const length = inputAt(node, 0).shape[axis] ?? 0
    return gather(node.shape, inputAt(node, 0).shape, values(x), (index) => {
      const from = (index[axis] ?? 0) - before
      return from < 0 || from >= length ? undefined : index.with(axis, from)
    })
  },
  concat: (node, inputs) => {
    const { axis } = node.attributes
    return gather(node.shape, node.shape, new Float64Array(elements(node.shape)), (index) => index).map((_, i) => {
      const index = unravel(i, node.shape)
      let position = index[axis] ?? 0
      for (const [which, input] of node.inputs.entries()) {
        const length = input.shape[axis] ?? 0
        if (position < length) return at(values(inputs[which]), ravel(index.with(axis, position), input.shape))
        position -= length
      }
      return NaN
    })
  },
  expand: (node, [x]) => {
    const from = inputAt(node, 0).shape
    return values(x).length === 1
      ? new Float64Array(elements(node.shape)).fill(at(values(x), 0))
      : gather(node.shape, from, values(x), (index) => broadcastIndex(index, from))
  },
}

/** Runs a graph on float64 values; the outputs come back as float64 too, whatever their type in the graph. */
export function evaluate(graph: Graph, inputs: ReadonlyMap<string, ArrayLike<number>>): Map<string, Values> {
  const known = new Map<Node, Values>()
  for (const node of topological(graph.outputs.values())) {
    if (node.op === 'input') {
      const given = inputs.get(node.attributes.name)
      if (given?.length !== elements(node.shape)) throw new Error(`input ${node.attributes.name} has the wrong size`)
      known.set(node, Float64Array.from(given))
    } else if (node.op === 'constant') {
      known.set(node, Float64Array.from(node.attributes.data))
    } else {
      const kernel = kernels[node.op] as Kernel<OpName>
      known.set(
        node,
        kernel(
          node,
          node.inputs.map((input) => values(known.get(input))),
        ),
      )
    }
  }
  return new Map([...graph.outputs].map(([name, node]) => [name, values(known.get(node))]))
}

export async function openReference(graph: Graph): Promise<Executor> {
  return {
    engine: 'reference',
    version: 'built in',
    device: 'the CPU',
    async run(inputs) {
      const results = evaluate(graph, inputs)
      return new Map([...graph.outputs].map(([name, node]) => [name, narrowed(values(results.get(name)), node)]))
    },
    async dispose() {},
  }
}

function narrowed(wide: Values, node: Node): TensorData {
  return node.dtype === 'uint8' ? Uint8Array.from(wide) : Float32Array.from(wide)
}

function binary(node: Node, [a, b]: readonly Values[], apply: (a: number, b: number) => number): Values {
  const [left, right] = [inputAt(node, 0).shape, inputAt(node, 1).shape]
  const result = new Float64Array(elements(node.shape))
  const same = elements(left) === result.length && elements(right) === result.length
  for (let i = 0; i < result.length; i++) {
    const index = same ? [] : unravel(i, node.shape)
    const l = same ? i : ravel(broadcastIndex(index, left), left)
    const r = same ? i : ravel(broadcastIndex(index, right), right)
    result[i] = apply(at(values(a), l), at(values(b), r))
  }
  return result
}

function perChannel(node: Node, x: Values, apply: (value: number, channel: number) => number): Values {
  const channels = node.shape[1] ?? 1
  const plane = elements(node.shape.slice(2))
  return x.map((value, i) => apply(value, Math.floor(i / plane) % channels))
}

/** A slope per channel, or one for all. */
function slopeOf(slope: Values | undefined, channel: number): number {
  const slopes = values(slope)
  return at(slopes, slopes.length === 1 ? 0 : channel)
}

function reduce(node: Node, x: Values, start: number, combine: (a: number, b: number) => number): Values {
  const from = inputAt(node, 0).shape
  const result = new Float64Array(elements(node.shape)).fill(start)
  x.forEach((value, i) => {
    const to = ravel(broadcastIndex(unravel(i, from), node.shape), node.shape)
    result[to] = combine(at(result, to), value)
  })
  return result
}

function byRow(node: Node, x: Values, apply: (row: Values) => Values): Values {
  const length = node.shape.at(-1) ?? 1
  const result = new Float64Array(x.length)
  for (let start = 0; start < x.length; start += length) result.set(apply(x.slice(start, start + length)), start)
  return result
}

function matmul(node: NodeOf<'matmul'>, a: Values, b: Values): Values {
  const [left, right] = [inputAt(node, 0).shape, inputAt(node, 1).shape]
  const [m = 1, n = 1] = node.shape.slice(-2)
  const k = left.at(-1) ?? 1
  const result = new Float64Array(elements(node.shape))
  const lead = node.shape.slice(0, -2)
  const matrixOf = (shape: Shape, item: number): number => {
    const own = shape.slice(0, -2)
    return ravel(broadcastIndex(unravel(item, lead), own), own)
  }
  for (let item = 0; item < elements(lead); item++) {
    const [l, r] = [matrixOf(left, item) * m * k, matrixOf(right, item) * n * k]
    for (let i = 0; i < m; i++) {
      for (let j = 0; j < n; j++) {
        let total = 0
        for (let p = 0; p < k; p++) {
          const other = node.attributes.transposeB ? j * k + p : p * n + j
          total += at(a, l + i * k + p) * at(b, r + other)
        }
        result[(item * m + i) * n + j] = total
      }
    }
  }
  return result
}

/** Builds a tensor of `shape` by looking every element up in another; `undefined` gives 0. */
function gather(
  shape: Shape,
  fromShape: Shape,
  from: Values,
  source: (index: number[]) => readonly number[] | undefined,
): Values {
  return new Float64Array(elements(shape)).map((_, i) => {
    const index = source(unravel(i, shape))
    return index === undefined ? 0 : at(from, ravel(index, fromShape))
  })
}

function unravel(position: number, shape: Shape): number[] {
  const index = Array.from(shape, () => 0)
  let rest = position
  for (let axis = shape.length - 1; axis >= 0; axis--) {
    const length = shape[axis] ?? 1
    index[axis] = rest % length
    rest = Math.floor(rest / length)
  }
  return index
}

function ravel(index: readonly number[], shape: Shape): number {
  return shape.reduce((position, length, axis) => position * length + (index[axis] ?? 0), 0)
}

function broadcastIndex(index: readonly number[], shape: Shape): number[] {
  const lead = index.length - shape.length
  return shape.map((length, axis) => (length === 1 ? 0 : (index[axis + lead] ?? 0)))
}

function values(x: Values | undefined): Values {
  if (x === undefined) throw new Error('a value is used before it is computed')
  return x
}

function at(x: Values, index: number): number {
  return x[index] ?? NaN
}
