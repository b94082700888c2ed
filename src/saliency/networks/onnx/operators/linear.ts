import type { Node } from '../../../graph.ts'
import { make, scalar } from '../../../ops.ts'
import type { Call, Operators } from '../call.ts'
import { computed } from '../value.ts'
import { activated } from './activations.ts'

export const linear: Operators = {
  Gemm: (call) => computed(product(call)),
  /** What ONNX Runtime makes of a Gemm and an activation when it saves an optimised file: split again. */
  'com.microsoft.FusedGemm': (call) => {
    const parameters = ['activation_alpha', 'activation_beta'].filter((name) => call.hasAttribute(name))
    return computed(
      activated(
        call,
        product(call),
        parameters.map((name) => call.float(name, 0)),
      ),
    )
  },
  MatMul: (call) => {
    const [a, b] = [call.node(0), call.node(1)]
    call.require(a.shape.length >= 2 && b.shape.length >= 2, 'a vector as an input')
    call.require(a.shape.at(-1) === b.shape.at(-2), `${a.shape.join('×')} and ${b.shape.join('×')}`)
    call.require(leadsFit(a, b), `${a.shape.join('×')} and ${b.shape.join('×')}`)
    return computed(make('matmul', [a, b], { transposeB: false }, call.label))
  },
}

/** alpha · A · B + beta · C, where A and B may be transposed and C broadcasts. */
function product(call: Call): Node {
  const [a, b] = [call.node(0), call.node(1)]
  call.require(a.shape.length === 2 && b.shape.length === 2, 'inputs that are no matrices')
  const left = call.int('transA', 0) === 0 ? a : make('transpose', [a], { permutation: [1, 0] })
  const transposeB = call.int('transB', 0) !== 0
  call.require(left.shape[1] === b.shape[transposeB ? 1 : 0], `${a.shape.join('×')} and ${b.shape.join('×')}`)
  const multiplied = scaled(make('matmul', [left, b], { transposeB }, call.label), call.float('alpha', 1))
  const beta = call.float('beta', 1)
  if (!call.has(2) || beta === 0) return multiplied
  return make('add', [multiplied, scaled(call.node(2), beta)], {}, call.label)
}

function leadsFit(a: Node, b: Node): boolean {
  const [left, right] = [a.shape.slice(0, -2), b.shape.slice(0, -2)]
  return Array.from({ length: Math.min(left.length, right.length) }).every((_, i) => {
    const [l = 1, r = 1] = [left.at(-1 - i), right.at(-1 - i)]
    return l === r || l === 1 || r === 1
  })
}

function scaled(x: Node, factor: number): Node {
  return factor === 1 ? x : make('mul', [x, scalar(factor)])
}
