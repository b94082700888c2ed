import { createHash } from 'node:crypto'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import type * as OnnxRuntimeModule from 'onnxruntime-node'
import { topological, type DType, type Graph, type Shape } from '../graph.ts'
import type { Executor, KeptGraph, OpenExecutor, OpenKeptExecutor, TensorData } from './engine.ts'
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
  return async (graph, { intraOpThreads, kept }) => {
    const runtime = folder === undefined ? await import('onnxruntime-node') : installedIn(folder)
    const model = writeOnnx(graph, onnxProviders[provider].forms)
    const options = sessionOptions(provider, intraOpThreads)
    const session =
      provider === 'cpu' && kept !== undefined && model.length <= largestKeptBytes
        ? await createAndKeep(runtime, model, options, kept)
        : await runtime.InferenceSession.create(model, options)
    return executorOf(runtime, session, inputsOf(graph), provider)
  }
}

/**
 * A graph that was optimised before, on the CPU, is ready in a fifth of the time: nothing is left to be done to it, and the
 * session computes with the file's own bytes. These stay where they are for as long as it lives.
 */
export const openKeptOnnxRuntime: OpenKeptExecutor = async ({ models, identity }, { intraOpThreads }) => {
  const runtime = await import('onnxruntime-node')
  const options = sessionOptions('cpu', intraOpThreads)
  const key = keptKey(runtime, identity, options)
  const bytes = models.read(key)
  if (bytes === undefined) return undefined
  const session = await runtime.InferenceSession.create(bytes, {
    ...options,
    graphOptimizationLevel: 'disabled',
    extra: {
      session: {
        load_model_format: 'ORT',
        use_ort_model_bytes_directly: '1',
        use_ort_model_bytes_for_initializers: '1',
      },
    },
  }).catch(() => {
    models.remove(key)
    return undefined
  })
  if (session === undefined) return undefined
  const inputs = new Map(
    session.inputMetadata.flatMap((input): [string, GraphInput][] => {
      if (!input.isTensor || (input.type !== 'uint8' && input.type !== 'float32')) return []
      return [[input.name, { dtype: input.type, shape: input.shape.map(Number) }]]
    }),
  )
  const executor = {
    ...executorOf(runtime, session, inputs, 'cpu'),
    inputs: new Map([...inputs].map(([name, { shape }]) => [name, shape])),
    // The session knows of them and does not own them: without this they would be collected under it.
    bytes,
  }
  return executor
}

/** The file holds the weights of convolutions twice, as the model does, and no file of the format may exceed 2 GiB. */
const largestKeptBytes = 800_000_000

type Session = Awaited<ReturnType<OnnxRuntime['InferenceSession']['create']>>
type SessionOptions = OnnxRuntimeModule.InferenceSession.SessionOptions

function sessionOptions(provider: OnnxProvider, intraOpThreads: number): SessionOptions {
  return {
    ...onnxProviders[provider].session,
    // `all` brings the blocked layout: worth a fifth over `extended`.
    graphOptimizationLevel: 'all',
    executionMode: 'sequential',
    interOpNumThreads: 1,
    intraOpNumThreads: intraOpThreads,
    // Costs 2–5 % of time and saves a third of the memory.
    enableMemPattern: false,
    // Operations that fall back are refused by an error of its own; its warnings about them say nothing more.
    logSeverityLevel: 3,
  }
}

/** Also the version of the engine and all that it is told decide what it makes of a graph. */
function keptKey(runtime: OnnxRuntime, identity: string, options: SessionOptions): string {
  const made = [versionOf(runtime), identity, options]
  return createHash('sha256').update(JSON.stringify(made)).digest('hex').slice(0, 32)
}

async function createAndKeep(
  runtime: OnnxRuntime,
  model: Uint8Array,
  options: SessionOptions,
  { models, identity }: KeptGraph,
): Promise<Session> {
  const draft = models.draft(keptKey(runtime, identity, options))
  if (draft === undefined) return runtime.InferenceSession.create(model, options)
  try {
    const session = await runtime.InferenceSession.create(model, {
      ...options,
      optimizedModelFilePath: draft.path,
      extra: { session: { save_model_format: 'ORT' } },
    })
    draft.keep()
    return session
  } catch {
    // Whether it was the model or the disk shows when nothing is to be written.
    draft.discard()
    return runtime.InferenceSession.create(model, options)
  }
}

function installedIn(folder: string): OnnxRuntime {
  return createRequire(join(folder, 'package.json'))('onnxruntime-node') as OnnxRuntime
}

function executorOf(
  runtime: OnnxRuntime,
  session: Session,
  inputs: ReadonlyMap<string, GraphInput>,
  provider: OnnxProvider,
): Executor {
  return {
    engine: `onnxruntime:${provider}`,
    version: versionOf(runtime),
    device: devices[provider],
    async run(given) {
      const feeds = Object.fromEntries(
        [...given].map(([name, data]) => {
          const input = inputs.get(name)
          if (input === undefined) throw new Error(`the graph has no input ${name}`)
          return [name, new runtime.Tensor(input.dtype, data, input.shape)]
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

interface GraphInput {
  readonly dtype: DType
  readonly shape: Shape
}

function inputsOf(graph: Graph): Map<string, GraphInput> {
  const nodes = topological(graph.outputs.values()).filter((node) => node.op === 'input')
  return new Map(nodes.map(({ attributes: { name, dtype }, shape }) => [name, { dtype, shape }]))
}

function versionOf({ env }: OnnxRuntime): string {
  return env.versions.node ?? env.versions.common
}
