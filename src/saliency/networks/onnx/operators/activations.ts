import { elements, type Node, type OpName } from '../../../graph.ts'
import { constant, constantData, inputAt, make, scalar } from '../../../ops.ts'
import { NotImported, type Call, type Operators } from '../call.ts'
import { combined, type Formula } from '../knownArithmetic.ts'
import { computed, type Known } from '../value.ts'

/**
 * Activations and what comes near them. Which of them become `relu`, `relu6` or `prelu` decides what is guided: these rows
 * are, all others keep their plain gradient. `clip` is the plain one of the three.
 */
export const activations: Operators = {
  Relu: (call) => computed(make('relu', [call.node(0)], {}, call.label)),
  Clip: (call) => {
    const { min = -Infinity, max = Infinity } = boundsOf(call)
    if (!call.isKnown) return computed(between(call.node(0), min, max, call.label))
    const x = call.known(0)
    return combined(call, x.type, [x], (a) => Math.min(max, Math.max(min, a)))
  },
  LeakyRelu: (call) => computed(leaky(call.node(0), call.float('alpha', 0.01), call.label)),
  PRelu: (call) => computed(parametric(call)),
  Elu: (call) => {
    const alpha = call.float('alpha', 1)
    const x = call.node(0)
    // Not `relu`, which would be guided.
    const above = make('clip', [x], { min: 0, max: Number.MAX_VALUE })
    const below = make('exp', [make('clip', [x], { min: -Number.MAX_VALUE, max: 0 })])
    const scaled = make('mul', [make('sub', [below, scalar(1)]), scalar(alpha)])
    return computed(make('add', [above, scaled], {}, call.label))
  },
  Sigmoid: (call) => computed(make('sigmoid', [call.node(0)], {}, call.label)),
  Tanh: (call) => computed(make('tanh', [call.node(0)], {}, call.label)),
  HardSigmoid: (call) => computed(hardSigmoid(call.node(0), call.float('alpha', 0.2), call.float('beta', 0.5))),
  HardSwish: (call) => {
    const x = call.node(0)
    return computed(make('mul', [x, hardSigmoid(x, 1 / 6, 0.5)], {}, call.label))
  },
  /** What ONNX Runtime makes of x · sigmoid(alpha · x), which is SiLU with an alpha of 1. */
  'com.microsoft.QuickGelu': (call) => {
    const x = call.node(0)
    const alpha = call.float('alpha', 1.702)
    const gate = make('sigmoid', [alpha === 1 ? x : make('mul', [x, scalar(alpha)])])
    return computed(make('mul', [x, gate], {}, call.label))
  },
  /** max(x, 0) is a ReLU however it is written. */
  Max: (call) =>
    call.isKnown
      ? foldedInTurn(call, (a, b) => Math.max(a, b))
      : computed(call.nodes().reduce((a, b) => larger(a, b, call.label))),
  Min: (call) =>
    call.isKnown
      ? foldedInTurn(call, (a, b) => Math.min(a, b))
      : computed(call.nodes().reduce((a, b) => smaller(a, b, call.label))),
}

/** The `activation` that is fused into a com.microsoft.FusedConv or FusedGemm, on what it gives. */
export function activated(call: Call, x: Node, [first, second]: readonly number[]): Node {
  const name = call.text('activation', '')
  switch (name) {
    case '':
      return x
    case 'Relu':
      return make('relu', [x], {}, call.label)
    case 'Clip':
      return between(x, first, second, call.label)
    case 'LeakyRelu':
      return leaky(x, first ?? 0.01, call.label)
    case 'HardSigmoid':
      return hardSigmoid(x, first ?? 0.2, second ?? 0.5)
    case 'Sigmoid':
      return make('sigmoid', [x], {}, call.label)
    case 'Tanh':
      return make('tanh', [x], {}, call.label)
    default:
      throw new NotImported(`activation ${name}`)
  }
}

/** Bounds are attributes up to operator set 10. */
function boundsOf(call: Call): { readonly min: number | undefined; readonly max: number | undefined } {
  const [min, max] = (['min', 'max'] as const).map((name, index) =>
    call.hasAttribute(name) ? call.float(name, 0) : call.number(index + 1),
  )
  return { min, max }
}

/** From here on a bound is none: writers put the largest float32 there, or the largest float16. */
const unbounded = 65_504

/**
 * Bounds on bounds are one pair, in whatever order TensorFlow and others write the two: max(min(x, 1), 0) is no ReLU, and
 * min(max(x, 0), 6) is a ReLU6.
 */
function between(x: Node, min = -Infinity, max = Infinity, label = ''): Node {
  if (Number.isNaN(min) || Number.isNaN(max)) throw new NotImported('a bound that is no number')
  const own = boundsOfNode(x)
  const [below, above] = [Math.max(min, own?.min ?? -Infinity), Math.min(max, own?.max ?? Infinity)]
  const whole = own === undefined || below > above ? undefined : bounded(inputAt(x, 0), below, above, label)
  // A ReLU that has another bound besides stays a ReLU, which is guided.
  return whole === undefined || (whole.op === 'clip' && x.op === 'relu') ? bounded(x, min, max, label) : whole
}

function bounded(x: Node, min: number, max: number, label: string): Node {
  const [isOpenBelow, isOpenAbove] = [min <= -unbounded, max >= unbounded]
  if (isOpenBelow && isOpenAbove) return x
  if (min === 0 && isOpenAbove) return make('relu', [x], {}, label)
  if (min === 0 && max === 6 && !isPlusThree(x)) return make('relu6', [x], {}, label)
  const bounds = { min: isOpenBelow ? -Number.MAX_VALUE : min, max: isOpenAbove ? Number.MAX_VALUE : max }
  return make('clip', [x], bounds, label)
}

function boundsOfNode(x: Node): { readonly min: number; readonly max: number } | undefined {
  if (x.op === 'relu') return { min: 0, max: Infinity }
  if (x.op === 'relu6') return { min: 0, max: 6 }
  return x.op === 'clip' ? x.attributes : undefined
}

/** The ReLU6 of x + 3 is part of a hard-swish or hard-sigmoid written by hand, and no activation of its own. */
function isPlusThree(x: Node): boolean {
  if (x.op !== 'add') return false
  return x.inputs.some((input) => input.op === 'constant' && constantData(input).every((value) => value === 3))
}

function leaky(x: Node, slope: number, label: string): Node {
  return slope === 0 ? make('relu', [x], {}, label) : make('prelu', [x, scalar(slope)], {}, label)
}

/** A slope for each channel or one for all; any other way to broadcast is no PReLU that PyTorch or Keras write. */
function parametric(call: Call): Node {
  const x = call.node(0)
  const { data, shape } = call.known(1)
  const rank = x.shape.length
  // A slope of one axis for a vector of two is broadcast along the last, which is that of the channels there.
  const aligned = [...Array<number>(Math.max(0, rank - shape.length)).fill(1), ...shape]
  const isPerChannel = aligned.length === rank && aligned.every((side, axis) => side === (axis === 1 ? x.shape[1] : 1))
  call.require(data.length === 1 || isPerChannel, `slopes of ${shape.join('×')} for ${x.shape.join('×')}`)
  return make('prelu', [x, constant(Float32Array.from(data), [data.length])], {}, call.label)
}

function hardSigmoid(x: Node, alpha: number, beta: number): Node {
  return make('hardSigmoid', [x], { alpha, beta })
}

function foldedInTurn(call: Call, formula: Formula): Known {
  return call.knownInputs().reduce((a, b) => combined(call, a.type, [a, b], formula))
}

function larger(a: Node, b: Node, label: string): Node {
  const [x, bound] = boundOf(a, b)
  if (bound !== undefined) return between(x, bound, Infinity, label)
  for (const [whole, part] of [
    [a, b],
    [b, a],
  ] as const) {
    const slope = shareOf(whole, part)
    if (slope !== undefined && slope > 0 && slope < 1) return leaky(whole, slope, label)
  }
  return make('add', [b, make('clip', [make('sub', [a, b])], { min: 0, max: Number.MAX_VALUE })], {}, label)
}

/** The number by which a node is multiplied in another; undefined where the other is no such product. */
function shareOf(whole: Node, part: Node): number | undefined {
  if (part.op !== 'mul' || inputAt(part, 0) !== whole) return undefined
  const factor = inputAt(part, 1)
  return factor.op === 'constant' && elements(factor.shape) === 1 ? constantData(factor)[0] : undefined
}

function smaller(a: Node, b: Node, label: string): Node {
  const [x, bound] = boundOf(a, b)
  if (bound !== undefined) return between(x, -Infinity, bound, label)
  return make('add', [b, make('clip', [make('sub', [a, b])], { min: -Number.MAX_VALUE, max: 0 })], {}, label)
}

/** The one of two that depends on the image, and the number that it is compared with where that is one for all. */
function boundOf(a: Node, b: Node): [x: Node, bound: number | undefined] {
  const [x, other] = a.op === 'constant' ? [b, a] : [a, b]
  if (other.op !== 'constant') return [x, undefined]
  const [bound, ...more] = new Set(constantData(other))
  // A larger shape would make the result larger, too.
  const lead = x.shape.length - other.shape.length
  const fits = lead >= 0 && other.shape.every((side, axis) => side === 1 || side === x.shape[axis + lead])
  return [x, fits && more.length === 0 ? bound : undefined]
}

/**
 * What a sixth is taken of: a ReLU6 there is a hard sigmoid whose + 3 was folded into the layer before it, and no activation
 * of its own.
 */
export function ofSixth(row: OpName, x: Node, factor: Node): Node {
  const number = factor.op === 'constant' && elements(factor.shape) === 1 ? (constantData(factor)[0] ?? 0) : 0
  const isSixth = row === 'div' ? number === 6 : row === 'mul' && Math.abs(number - 1 / 6) < 1e-4
  return isSixth && x.op === 'relu6' ? make('clip', x.inputs, { min: 0, max: 6 }, x.label) : x
}
