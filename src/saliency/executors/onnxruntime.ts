import { InferenceSession, Tensor } from 'onnxruntime-node'
import type { Executor, ExecutorOptions, TensorData } from '../executor.ts'
import { topological, type Graph } from '../graph.ts'
import { writeOnnx } from './onnxGraph.ts'

/**
 * ONNX Runtime on the CPU. `run` blocks the calling thread for the whole computation (onnxruntime-node calls the native
 * code inside `setImmediate`), so a unit opens it in a thread of its own.
 */
export async function openOnnxRuntime(graph: Graph, options: ExecutorOptions): Promise<Executor> {
  const session = await InferenceSession.create(writeOnnx(graph), {
    executionProviders: ['cpu'],
    // `all` brings the blocked layout: worth a fifth over `extended`.
    graphOptimizationLevel: 'all',
    executionMode: 'sequential',
    interOpNumThreads: 1,
    intraOpNumThreads: options.intraOpThreads,
    // Costs 2–5 % of time and saves a third of the memory.
    enableMemPattern: false,
  })
  const shapes = new Map(
    topological(graph.outputs.values()).flatMap((node) =>
      node.op === 'input' ? [[node.attributes.name, node] as const] : [],
    ),
  )
  return {
    engine: 'onnxruntime:cpu',
    async run(inputs) {
      const feeds: Record<string, Tensor> = {}
      for (const [name, data] of inputs) {
        const node = shapes.get(name)
        if (node === undefined) throw new Error(`the graph has no input ${name}`)
        feeds[name] = new Tensor(node.dtype, data, node.shape)
      }
      const results = await session.run(feeds)
      return new Map(Object.entries(results).map(([name, tensor]) => [name, tensor.data as TensorData]))
    },
    async dispose() {
      await session.release()
    },
  }
}
