/**
 * A network as data: nodes that name an operation, its inputs and its attributes. Shapes are static (the batch too), and
 * weights are constants, so a graph can be printed, rewritten and handed to any executor. What each operation means and the
 * shape it gives stands in one table, `shapes.ts`, and the gradient it passes on in another, `gradients.ts`.
 */
export type Shape = readonly number[]

export type DType = 'float32' | 'uint8'

/** Height, width. */
export type Pair = readonly [number, number]

/** Padding as top, left, bottom, right. */
export type Padding = readonly [number, number, number, number]

export interface ConvAttributes {
  readonly strides: Pair
  readonly pads: Padding
  readonly groups: number
}

/** A kernel with gaps: one row (column) of it for every `dilations` rows of the input. Absent for 1×1. */
interface DilatedAttributes extends ConvAttributes {
  readonly dilations?: Pair
}

export interface PoolAttributes {
  readonly kernel: Pair
  readonly strides: Pair
  readonly pads: Padding
}

interface AxesAttributes {
  /** Reduced axes keep length 1. */
  readonly axes: readonly number[]
}

type None = Readonly<Record<string, never>>

/** The operations and the attributes each takes. */
export interface Attributes {
  readonly input: { readonly name: string; readonly shape: Shape; readonly dtype: DType }
  readonly constant: { readonly shape: Shape; readonly data: Float32Array }
  readonly cast: { readonly to: DType }
  readonly add: None
  readonly sub: None
  readonly mul: None
  readonly div: None
  readonly sum: None
  readonly relu: None
  readonly step: None
  readonly guidedRelu: None
  readonly relu6: None
  readonly relu6Mask: None
  readonly guidedRelu6: None
  readonly prelu: None
  readonly preluSlope: None
  readonly sigmoid: None
  readonly tanh: None
  readonly hardSigmoid: { readonly alpha: number; readonly beta: number }
  readonly hardSigmoidSlope: { readonly alpha: number }
  readonly exp: None
  readonly power: { readonly exponent: number }
  readonly atan2: None
  readonly abs: None
  readonly sqrt: None
  readonly round: None
  readonly clip: { readonly min: number; readonly max: number }
  readonly conv: DilatedAttributes
  readonly convInputGradient: ConvAttributes & { readonly inputShape: Shape }
  readonly batchNorm: { readonly epsilon: number }
  readonly affine: None
  readonly maxPool: PoolAttributes
  readonly maxPoolGradient: PoolAttributes
  readonly averagePool: { readonly kernel: Pair }
  readonly upsample: { readonly scale: Pair }
  readonly phase: { readonly strides: Pair; readonly offset: Pair }
  readonly interleave: { readonly strides: Pair; readonly size: Pair }
  readonly reduceSum: AxesAttributes
  readonly reduceMean: AxesAttributes
  readonly reduceMax: AxesAttributes
  readonly softmax: None
  readonly oneHotArgmax: None
  readonly topK: { readonly k: number }
  readonly matmul: { readonly transposeB: boolean }
  readonly reshape: { readonly shape: Shape }
  readonly transpose: { readonly permutation: readonly number[] }
  readonly slice: { readonly axis: number; readonly start: number; readonly end: number }
  readonly flip: { readonly axes: readonly number[] }
  readonly pad: { readonly axis: number; readonly before: number; readonly after: number }
  readonly concat: { readonly axis: number }
  readonly expand: { readonly shape: Shape }
}

export type OpName = keyof Attributes

export interface NodeOf<K extends OpName> {
  readonly op: K
  readonly inputs: readonly Node[]
  readonly attributes: Attributes[K]
  readonly shape: Shape
  readonly dtype: DType
  /** The layer's name where it has one (`features.relu0`), for people who read a printed graph. */
  readonly label: string
}

/** One value of the graph together with the operation that makes it. Nodes are immutable; sharing means the same object. */
export type Node = { [K in OpName]: NodeOf<K> }[OpName]

export interface Graph {
  readonly outputs: ReadonlyMap<string, Node>
}

/** Every node that the roots need, inputs before consumers. The order depends on the graph alone. */
export function topological(roots: Iterable<Node>): Node[] {
  const order: Node[] = []
  const state = new Set<Node>()
  // An explicit stack: DenseNet-121 with its backward sweep is deeper than is kind to recursion.
  const stack: { node: Node; next: number }[] = []
  for (const root of roots) {
    if (state.has(root)) continue
    state.add(root)
    stack.push({ node: root, next: 0 })
    for (let top = stack.at(-1); top !== undefined; top = stack.at(-1)) {
      const input = top.node.inputs[top.next++]
      if (input === undefined) {
        order.push(top.node)
        stack.pop()
      } else if (!state.has(input)) {
        state.add(input)
        stack.push({ node: input, next: 0 })
      }
    }
  }
  return order
}

/** The consumers of every node below `roots`. */
export function consumersOf(roots: Iterable<Node>): Map<Node, Node[]> {
  const consumers = new Map<Node, Node[]>()
  for (const node of topological(roots)) {
    for (const input of new Set(node.inputs)) {
      const known = consumers.get(input)
      if (known === undefined) consumers.set(input, [node])
      else known.push(node)
    }
  }
  return consumers
}

/** One line per node: `%3 = conv(%1, %2) [1×64×112×112] features.conv0`. Stable, so it can be held by a snapshot. */
export function printGraph(graph: Graph): string {
  const order = topological(graph.outputs.values())
  const names = new Map(order.map((node, index) => [node, `%${index}`]))
  const lines = order.map((node) => {
    const inputs = node.inputs.map((input) => names.get(input)).join(', ')
    const attributes = printAttributes(node)
    const type = `${node.dtype === 'uint8' ? 'u8' : ''}[${node.shape.join('×')}]`
    return `${names.get(node)} = ${node.op}(${inputs})${attributes} ${type} ${node.label}`.trimEnd()
  })
  for (const [name, node] of graph.outputs) lines.push(`return ${name} = ${names.get(node)}`)
  return lines.join('\n')
}

function printAttributes(node: Node): string {
  if (node.op === 'constant' || node.op === 'input') return ''
  const entries = Object.entries(node.attributes)
  return entries.length === 0 ? '' : ` {${entries.map(([key, value]) => `${key}: ${String(value)}`).join(', ')}}`
}

export function elements(shape: Shape): number {
  return shape.reduce((product, length) => product * length, 1)
}
