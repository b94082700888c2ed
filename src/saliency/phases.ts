import type { Node, NodeOf, Pair } from './graph.ts'
import { constantData, inputAt, make, zeros } from './ops.ts'

/**
 * What follows the gradient of a strided convolution, computed on its phases while they are apart: to put them together is
 * a pass over memory that leaves ONNX Runtime's blocked layout, and a mask or a sum after it would be one more pass each
 * instead of a part of the convolution before. A shortcut with a 1×1 convolution of stride 2 reaches one phase only, so that
 * its sum becomes a quarter of the work.
 *
 * A rule's `single` tells whether the node alone consumes an input.
 */
export class Phases {
  /** One node for each phase of a value, however many gradients ask for its mask. */
  readonly #known = new Map<Node, Map<string, Node>>()

  rewrite(node: Node, single: (input: number) => boolean): Node {
    if (node.op === 'sum') return summed(node, single)
    if (node.inputs.length === 0 || !single(0)) return node
    if (node.op === 'conv') return narrows(node) ? pointwise(node) : node
    if (node.op === 'relu') return each(node, (phase) => make('relu', [phase]))
    if (node.op === 'guidedRelu' || node.op === 'guidedRelu6') {
      return each(node, (phase, at) => make(node.op, [phase, this.#of(inputAt(node, 1), at)]))
    }
    return node.op === 'mul' ? this.#masked(node) : node
  }

  #masked(node: NodeOf<'mul'>): Node {
    const mask = inputAt(node, 1)
    if (mask.op !== 'step' && mask.op !== 'relu6Mask' && mask.op !== 'preluSlope') return node
    return each(node, (phase, at) => {
      const value = this.#of(inputAt(mask, 0), at)
      return make('mul', [phase, make(mask.op, [value, ...mask.inputs.slice(1)])])
    })
  }

  #of(value: Node, at: NodeOf<'phase'>['attributes']): Node {
    const phases = this.#known.get(value) ?? new Map<string, Node>()
    this.#known.set(value, phases)
    const key = `${at.strides.join()} ${at.offset.join()}`
    const phase = phases.get(key) ?? make('phase', [value], at)
    phases.set(key, phase)
    return phase
  }
}

type Interleave = NodeOf<'interleave'> & Node

/** The node on every phase of its first input, where that is interleaved. */
function each(node: Node, apply: (phase: Node, at: NodeOf<'phase'>['attributes']) => Node): Node {
  const whole = inputAt(node, 0)
  if (whole.op !== 'interleave') return node
  const { strides } = whole.attributes
  const phases = whole.inputs.map((phase, i) => {
    const offset: Pair = [Math.floor(i / strides[1]), i % strides[1]]
    const result = isZero(phase) ? undefined : apply(phase, { strides, offset })
    return result ?? zeros([phase.shape[0] ?? 1, node.shape[1] ?? 1, ...phase.shape.slice(2)])
  })
  return make('interleave', phases, whole.attributes, node.label)
}

/** Worth it only where the phases become smaller: they are put together after it. */
function narrows(node: NodeOf<'conv'>): boolean {
  return (node.shape[1] ?? 1) <= (inputAt(node, 0).shape[1] ?? 1)
}

function pointwise(node: NodeOf<'conv'>): Node {
  const { strides, pads } = node.attributes
  const [, , height = 1, width = 1] = inputAt(node, 1).shape
  const plain = height * width * strides[0] * strides[1] === 1 && pads.every((padding) => padding === 0)
  if (!plain || node.inputs.length > 2) return node
  return each(node, (phase) => make('conv', [phase, inputAt(node, 1)], node.attributes, node.label))
}

/** Sums of interleaved gradients, 1×1 convolutions of such among them whatever their width. */
function summed(node: NodeOf<'sum'>, single: (input: number) => boolean): Node {
  const parts = node.inputs.map((input, i) => (input.op === 'conv' && single(i) ? pointwise(input) : input))
  const [first] = parts
  if (first?.op !== 'interleave' || !node.inputs.some(({ op }) => op === 'interleave')) return node
  const { strides } = first.attributes
  const alike = parts.filter(
    (part): part is Interleave => part.op === 'interleave' && part.attributes.strides.join() === strides.join(),
  )
  if (alike.length < parts.length || !node.inputs.every((_, i) => single(i))) return node
  const phases = first.inputs.map((zero, i) => {
    const terms = alike.map((part) => inputAt(part, i)).filter((term) => !isZero(term))
    const [only] = terms
    return terms.length > 1 ? make('sum', terms) : (only ?? zero)
  })
  return make('interleave', phases, first.attributes, first.label)
}

function isZero(phase: Node): boolean {
  if (phase.op !== 'expand') return false
  const value = inputAt(phase, 0)
  return value.op === 'constant' && constantData(value).every((number) => number === 0)
}
