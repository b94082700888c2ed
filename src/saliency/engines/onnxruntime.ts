import { createRequire } from 'node:module'
import { join } from 'node:path'
import type * as OnnxRuntimeModule from 'onnxruntime-node'
import { topological, type Graph } from '../graph.ts'
import type { Executor, OpenExecutor, TensorData } from './engine.ts'
import { writeOnnx } from './onnxGraph.ts'
import { onnxProviders, type OnnxProvider } from './onnxProviders.ts'

/** WebGPU does not tell whether its Vulkan device is a GPU or a driver in software. */
const devices = { cpu: 'the CPU', cuda: 'a GPU', webgpu: 'a Vulkan device' } as const

type OnnxRuntime = typeof OnnxRuntimeModule

/**
 * ONNX Runtime with one of its providers. `run` blocks the calling thread for the whole computation (onnxruntime-node
 * calls the native code inside `setImmediate`), so a unit opens it in a thread of its own.
 *
 * `folder` is where a copy of the package with the provider's libraries was installed, which the provider cuda needs: a
 * binding and its providers must be of one version. The others come with headlight's own copy.
 */
export function openOnnxRuntime(provider: OnnxProvider, folder?: string): OpenExecutor {
  return async (graph, { intraOpThreads }) => {
    const runtime = folder === undefined ? await import('onnxruntime-node') : installedIn(folder)
    const { forms, session: ofProvider } = onnxProviders[provider]
    const session = await runtime.InferenceSession.create(writeOnnx(graph, forms), {
      ...ofProvider,
      // `all` brings the blocked layout: worth a fifth over `extended`.
      graphOptimizationLevel: 'all',
      executionMode: 'sequential',
      interOpNumThreads: 1,
      intraOpNumThreads: intraOpThreads,
      // Costs 2–5 % of time and saves a third of the memory.
      enableMemPattern: false,
      // Operations that fall back are refused by an error of its own; its warnings about them say nothing more.
      logSeverityLevel: 3,
    })
    return executorOf(runtime, session, graph, provider)
  }
}

function installedIn(folder: string): OnnxRuntime {
  return createRequire(join(folder, 'package.json'))('onnxruntime-node') as OnnxRuntime
}

function executorOf(
  { env, Tensor }: OnnxRuntime,
  session: Awaited<ReturnType<OnnxRuntime['InferenceSession']['create']>>,
  graph: Graph,
  provider: OnnxProvider,
): Executor {
  const inputNodes = new Map(
    topological(graph.outputs.values()).flatMap((node) =>
      node.op === 'input' ? [[node.attributes.name, node] as const] : [],
    ),
  )
  return {
    engine: `onnxruntime:${provider}`,
    version: env.versions.node ?? env.versions.common,
    device: devices[provider],
    async run(inputs) {
      const feeds = Object.fromEntries(
        [...inputs].map(([name, data]) => {
          const node = inputNodes.get(name)
          if (node === undefined) throw new Error(`the graph has no input ${name}`)
          return [name, new Tensor(node.dtype, data, node.shape)]
        }),
      )
      const results = await session.run(feeds)
      return new Map(Object.entries(results).map(([name, tensor]) => [name, tensor.data as TensorData]))
    },
    async dispose() {
      await session.release()
    },
  }
}
