import { activationsAmong, dependents, guidedActivations, type Activation } from './activations.ts'
import type { Relu6Rule, Scope } from './choices.ts'
import { inputGradients, preluDerivative } from './gradients.ts'
import { topological, type Node } from './graph.ts'
import { make, scalar } from './ops.ts'

/**
 * Gradients travel through the sweep multiplied by this power of two, which is exact, and are multiplied back at its end.
 * Their size is then far below one wherever they matter, so that an engine may close a guided ReLU by adding a large
 * negative number (see engines/onnxGraph.ts). Guided or not, a sweep commutes with positive factors.
 */
const sweepScale = 2 ** -40

/**
 * Appends the gradient of `objective` (any shape; its elements are summed) with respect to `wrt`, sweeping the graph once
 * in reverse.
 *
 * Where an activation has several consumers, their gradients are summed first and pass through its ReLU once. Clamping
 * each consumer's gradient by itself is the tempting wrong choice: it gives another map (factor 1.38 on a toy network).
 */
export function gradientOf(objective: Node, wrt: Node, scope: Scope, relu6: Relu6Rule = 'guided'): Node {
  const order = topological([objective])
  const depends = dependents(wrt, order)
  if (!depends.has(objective)) throw new Error('the objective does not depend on the image')

  const guided = new Set<Node>(guidedActivations(activationsAmong(order, depends), scope, relu6))
  const arriving = new Map<Node, Node[]>()
  arriving.set(objective, [make('expand', [scalar(sweepScale)], { shape: objective.shape })])
  for (const node of order.toReversed()) {
    if (!depends.has(node)) continue
    const upstream = summed(arriving.get(node))
    if (upstream === undefined) continue
    if (node === wrt) return make('mul', [upstream, scalar(1 / sweepScale)])
    const passed = guided.has(node) ? [guidedGradient(node as Activation, upstream)] : inputGradients(node, upstream)
    if (passed === undefined) throw new Error(`no gradient passes through ${node.op} ${node.label}`)
    node.inputs.forEach((input, index) => {
      const gradient = passed[index]
      if (!gradient || !depends.has(input)) return
      const known = arriving.get(input)
      if (known === undefined) arriving.set(input, [gradient])
      else known.push(gradient)
    })
  }
  throw new Error('the gradient of the objective never reaches the image')
}

/**
 * Guided backpropagation is this override of the activations' rows in the table. One rule for every kind: what passes is
 * max(0, upstream · derivative of the activation). For a ReLU that is Springenberg et al., "Striving for Simplicity", 2014,
 * arXiv 1412.6806: a gradient passes only where it is positive and the activation was positive. A ReLU6 passes it inside its
 * band, and a PReLU or LeakyReLU also at negative activations, times the slope.
 */
function guidedGradient(activation: Activation, upstream: Node): Node {
  switch (activation.op) {
    case 'relu':
      return make('guidedRelu', [upstream, activation])
    case 'relu6':
      return make('guidedRelu6', [upstream, activation])
    case 'prelu':
      return make('relu', [make('mul', [upstream, preluDerivative(activation)])])
  }
}

function summed(gradients: readonly Node[] | undefined): Node | undefined {
  const [only, ...more] = gradients ?? []
  return only === undefined || more.length === 0 ? only : make('sum', [only, ...more])
}
