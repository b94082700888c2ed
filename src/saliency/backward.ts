import type { Scope } from './choices.ts'
import { topological, type Node } from './graph.ts'
import { inputGradients, make, scalar } from './ops.ts'

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
export function gradientOf(objective: Node, wrt: Node, scope: Scope): Node {
  const order = topological([objective])
  const depends = new Set<Node>([wrt])
  for (const node of order) if (node.inputs.some((input) => depends.has(input))) depends.add(node)
  if (!depends.has(objective)) throw new Error('the objective does not depend on the image')

  const guided = new Set(guidedRelus(order, depends, scope))
  const arriving = new Map<Node, Node[]>()
  arriving.set(objective, [make('expand', [scalar(sweepScale)], { shape: objective.shape })])
  for (const node of order.toReversed()) {
    if (!depends.has(node)) continue
    const upstream = summed(arriving.get(node))
    if (upstream === undefined) continue
    if (node === wrt) return make('mul', [upstream, scalar(1 / sweepScale)])
    // Guided backpropagation is this one overridden row of the table: at a guided ReLU a gradient passes only where it is
    // positive and the activation was positive. Springenberg et al., "Striving for Simplicity", 2014, arXiv 1412.6806.
    const passed = guided.has(node) ? [make('guidedRelu', [upstream, node])] : inputGradients(node, upstream)
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

function guidedRelus(order: readonly Node[], depends: ReadonlySet<Node>, scope: Scope): Node[] {
  const relus = order.filter((node) => node.op === 'relu' && depends.has(node))
  if (scope === 'all') return relus
  return scope === 'stem' ? relus.slice(0, 1) : []
}

function summed(gradients: readonly Node[] | undefined): Node | undefined {
  const [only, ...more] = gradients ?? []
  return only === undefined || more.length === 0 ? only : make('sum', [only, ...more])
}
