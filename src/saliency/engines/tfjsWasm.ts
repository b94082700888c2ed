import { createRequire } from 'node:module'
import type * as WasmModule from '@tensorflow/tfjs-backend-wasm'
import { InputError } from '../../base/errors.ts'
import { elements } from '../graph.ts'
import type { OpenExecutor } from './engine.ts'
import { maxPoolWindows } from './referenceWindows.ts'
import { openTfjs } from './tfjs.ts'
import type { Kernel, TfjsBackend, TfjsCore } from './tfjsBackend.ts'
import { asPlain, some } from './tfjsLayout.ts'

/** TensorFlow.js on WebAssembly: needs no native library and runs wherever Node runs, several times slower than one. */
export const openTfjsWasm: OpenExecutor = async (graph, { intraOpThreads }) =>
  openTfjs(wasmBackend(intraOpThreads), graph)

function wasmBackend(threads: number): TfjsBackend {
  const core = loadBackend(threads)
  return {
    engine: 'tfjs:wasm',
    version: core.version_core,
    device: 'the CPU',
    core,
    async activate() {
      if (!(await core.setBackend('wasm'))) {
        throw new InputError('bad-engine', 'the engine tfjs:wasm cannot run here: WebAssembly did not start')
      }
    },
    upload: (data, shape) => core.tensor(data instanceof Float32Array ? data : Float32Array.from(data), [...shape]),
    kernels: { maxPoolGradient },
  }
}

/**
 * The kernel of version 4.22 adds to memory that it never clears: right at first, wrong as soon as memory is used again.
 * There is one such node in a DenseNet, so a plain loop costs little.
 */
const maxPoolGradient: Kernel<'maxPoolGradient'> = (backend, node, [x, g]) => {
  const [values, upstream] = [x, g].map((value) => asPlain(backend, some(value)).tensor)
  if (values === undefined || upstream === undefined) throw new Error('maxPoolGradient takes two inputs')
  const from = maxPoolWindows(node, values.shape, upstream.shape, Float64Array.from(values.dataSync<'float32'>()))
  const arriving = upstream.dataSync<'float32'>()
  const result = new Float32Array(elements(node.shape))
  from.forEach((position, i) => {
    result[position] = (result[position] ?? 0) + (arriving[i] ?? 0)
  })
  return { tensor: backend.core.tensor(result, [...node.shape]), layout: 'plain' }
}

function loadBackend(threads: number): TfjsCore {
  const require = createRequire(import.meta.url)
  try {
    const core = require('@tensorflow/tfjs-core') as TfjsCore
    const wasm = require('@tensorflow/tfjs-backend-wasm') as typeof WasmModule
    // Both only count before the backend's first use, which is the first call in a process.
    if (threads === 1) core.env().set('WASM_HAS_MULTITHREAD_SUPPORT', false)
    else wasm.setThreadsCount(threads)
    return core
  } catch (error) {
    throw new InputError(
      'bad-engine',
      'the engine tfjs:wasm cannot run here: its optional packages @tensorflow/tfjs-core and @tensorflow/tfjs-backend-wasm are not installed (npm ci installs them)',
      { cause: error },
    )
  }
}
