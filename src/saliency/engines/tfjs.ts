import { topological, type Graph, type Node } from '../graph.ts'
import type { Executor, TensorData } from './engine.ts'
import type { TfjsBackend, Value } from './tfjsBackend.ts'
import { compute } from './tfjsKernels.ts'
import { asFilter, asPlain } from './tfjsLayout.ts'

/**
 * TensorFlow.js: the graph is interpreted node by node through the kernels of one of its backends. Its own automatic
 * gradient (`tf.grad`) is not used: it keeps every activation until the end, for four times the memory.
 *
 * What depends on constants alone is computed once, here, and stays on the device; every other value is given back at its
 * last use. `run` blocks the calling thread.
 */
export async function openTfjs(backend: TfjsBackend, graph: Graph): Promise<Executor> {
  await backend.activate()
  const order = topological(graph.outputs.values())
  const outputs = new Set(graph.outputs.values())
  const fixed = new Set<Node>()
  for (const node of order) {
    if (node.op !== 'input' && node.inputs.every((input) => fixed.has(input))) fixed.add(node)
  }
  const live = order.filter((node) => !fixed.has(node))
  const kept = new Set([...live.flatMap((node) => node.inputs), ...outputs].filter((node) => fixed.has(node)))

  const constants = new Values(backend)
  try {
    constants.perform(planned([...fixed], kept), new Map())
    for (const node of filtersOf(live, kept)) constants.change(node, (value) => asFilter(backend, value))
  } catch (error) {
    constants.dropAllBut(new Set())
    throw error
  }
  const steps = planned(live, new Set([...kept, ...outputs]))

  return {
    engine: backend.engine,
    version: backend.version,
    device: backend.device,
    async run(inputs) {
      await backend.activate()
      const values = new Values(backend, constants)
      try {
        values.perform(steps, inputs)
        return new Map([...graph.outputs].map(([name, node]) => [name, values.read(node)]))
      } finally {
        // Also when memory ran out midway: a smaller batch may be tried next, and needs it back.
        values.dropAllBut(kept)
      }
    },
    async dispose() {
      constants.dropAllBut(new Set())
    },
  }
}

/** One node to compute, and the nodes whose values nobody needs once that is done. */
interface Step {
  readonly node: Node
  readonly done: readonly Node[]
}

/** The nodes in their order, each with what can be given back after it; `kept` is never given back. */
function planned(order: readonly Node[], kept: ReadonlySet<Node>): Step[] {
  const seen = new Set<Node>(kept)
  const steps = order.toReversed().map((node) => {
    // Read backwards, the first use that is met is the last one. A value that nobody uses goes at once.
    const done = [...new Set([...node.inputs, node])].filter((used) => !seen.has(used))
    for (const used of done) seen.add(used)
    return { node, done }
  })
  return steps.toReversed()
}

/** Constants that serve as nothing but weights of convolutions. */
function filtersOf(live: readonly Node[], kept: ReadonlySet<Node>): Node[] {
  const isFilterOf = (user: Node, index: number): boolean =>
    index === 1 && (user.op === 'conv' || user.op === 'convInputGradient')
  const otherwise = new Set(live.flatMap((user) => user.inputs.filter((_, index) => !isFilterOf(user, index))))
  const filters = live.flatMap((user) => user.inputs.filter((_, index) => isFilterOf(user, index)))
  return [...new Set(filters)].filter((node) => kept.has(node) && !otherwise.has(node))
}

/** The values of nodes that are alive at a moment. */
class Values {
  readonly #backend: TfjsBackend
  readonly #known: Map<Node, Value>

  constructor(backend: TfjsBackend, base?: Values) {
    this.#backend = backend
    this.#known = new Map(base === undefined ? [] : base.#known)
  }

  perform(steps: readonly Step[], inputs: ReadonlyMap<string, TensorData>): void {
    for (const { node, done } of steps) {
      this.#known.set(node, this.#computed(node, inputs))
      for (const unneeded of done) this.drop(unneeded)
    }
  }

  read(node: Node): TensorData {
    let data: TensorData = new Float32Array()
    this.#backend.core.tidy(() => {
      // A copy: the data may lie in memory that the next kernel moves or overwrites.
      const floats = asPlain(this.#backend, this.#of(node)).tensor.dataSync<'float32'>()
      data = node.dtype === 'uint8' ? Uint8Array.from(floats) : Float32Array.from(floats)
    })
    return data
  }

  change(node: Node, apply: (value: Value) => Value): void {
    const before = this.#of(node)
    const after = this.#tidy(() => apply(before))
    if (after.tensor !== before.tensor) before.tensor.dispose()
    this.#known.set(node, after)
  }

  drop(node: Node): void {
    this.#of(node).tensor.dispose()
    this.#known.delete(node)
  }

  dropAllBut(kept: ReadonlySet<Node>): void {
    for (const node of this.#known.keys()) if (!kept.has(node)) this.drop(node)
  }

  #computed(node: Node, inputs: ReadonlyMap<string, TensorData>): Value {
    if (node.op === 'constant') {
      return { tensor: this.#backend.upload(node.attributes.data, node.shape), layout: 'plain' }
    }
    if (node.op === 'input') {
      const data = inputs.get(node.attributes.name)
      if (data === undefined) throw new Error(`the graph's input ${node.attributes.name} is not given`)
      return { tensor: this.#backend.upload(data, node.shape), layout: 'plain' }
    }
    return this.#tidy(() =>
      compute(
        this.#backend,
        node,
        node.inputs.map((input) => this.#of(input)),
      ),
    )
  }

  /** Gives everything back that `make` creates on its way, except the value. */
  #tidy(make: () => Value): Value {
    const { core } = this.#backend
    let layout: Value['layout'] = 'plain'
    const tensor = core.tidy(() => {
      const value = make()
      layout = value.layout
      return value.tensor
    })
    return { tensor, layout }
  }

  #of(node: Node): Value {
    const value = this.#known.get(node)
    if (value === undefined) throw new Error(`the value of ${node.op} ${node.label} is used after it was given back`)
    return value
  }
}
