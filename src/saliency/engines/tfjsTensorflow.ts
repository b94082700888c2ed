import { createRequire } from 'node:module'
import { join } from 'node:path'
import type { KernelBackend, Tensor } from '@tensorflow/tfjs-core'
import { InputError } from '../../base/errors.ts'
import type { NodeOf } from '../graph.ts'
import type { OpenExecutor } from './engine.ts'
import { restoreRemovedNodeUtil } from './removedNodeUtil.ts'
import { openTfjs } from './tfjs.ts'
import { tfjsPackage, type TfjsAddon } from './tfjsAddon.ts'
import type { Kernel, TfjsBackend, TfjsCore } from './tfjsBackend.ts'
import { sharedKernels } from './tfjsKernels.ts'
import { alike, asChannelsLast, asFilter, reshaped, runKernel, some } from './tfjsLayout.ts'

/** What is used of the addon's own interface: tensors by number, and TensorFlow's data types. */
interface Binding {
  readonly TF_UINT8: number
  readonly TF_FLOAT: number
  readonly TF_ATTR_TYPE: number
  readonly TF_Version: string
  isUsingGpuDevice(): boolean
  createTensor(shape: number[], dtype: number, data: Uint8Array): number
  executeOp(name: string, attributes: OpAttribute[], inputs: number[], outputs: number): TensorMetadata[]
  deleteTensor(id: number): void
}

interface OpAttribute {
  readonly name: string
  readonly type: number
  readonly value: number
}

interface TensorMetadata {
  readonly id: number
  readonly shape: number[]
  readonly dtype: number
}

/** What is used of the package's `NodeJSKernelBackend`. */
interface NodeBackend extends KernelBackend {
  createOutputTensor(metadata: TensorMetadata): Tensor
  executeSingleOutput(name: string, attributes: OpAttribute[], inputs: Tensor[]): Tensor
}

/**
 * TensorFlow.js on libtensorflow, through an addon: the one that `headlight engine install tfjs` built or that of a package
 * beside headlight. Raises InputError `bad-engine` where it does not load.
 */
export function openTfjsTensorflow(addon: TfjsAddon): OpenExecutor {
  return async (graph) => openTfjs(tensorflowBackend(addon), graph)
}

function tensorflowBackend(addon: TfjsAddon): TfjsBackend {
  const { core, binding } = loadAddon(addon)
  const node = (): NodeBackend => core.findBackend('tensorflow') as NodeBackend
  const { TF_FLOAT, TF_UINT8 } = binding
  const attribute = (name: string, value: number): OpAttribute => ({ name, type: binding.TF_ATTR_TYPE, value })
  return {
    engine: 'tfjs:tensorflow',
    version: `${core.version_core} on TensorFlow ${binding.TF_Version}`,
    device: binding.isUsingGpuDevice() ? 'a GPU' : 'the CPU',
    core,
    async activate() {
      if (!(await core.setBackend('tensorflow'))) {
        throw new InputError('bad-engine', 'the engine tfjs cannot run here: TensorFlow did not start')
      }
    },
    upload(data, shape) {
      if (data instanceof Float32Array) return core.tensor(data, [...shape])
      // TensorFlow.js has no bytes; TensorFlow has. A quarter of the memory travels to the device.
      const bytes = binding.createTensor([...shape], TF_UINT8, data)
      const types = [attribute('SrcT', TF_UINT8), attribute('DstT', TF_FLOAT)]
      try {
        const [floats] = binding.executeOp('Cast', types, [bytes], 1)
        if (floats === undefined) throw new Error('the addon gave nothing for a cast')
        return node().createOutputTensor(floats)
      } finally {
        binding.deleteTensor(bytes)
      }
    },
    kernels: {
      conv: (backend, node, inputs) =>
        isPointwise(node) ? pointwise(backend, node, inputs) : sharedKernels.conv(backend, node, inputs),
      guidedRelu(backend, _, inputs) {
        const [g, y] = alike(backend, inputs).map(({ tensor }) => tensor)
        if (g === undefined || y === undefined) throw new Error('guidedRelu takes two inputs')
        const rectified = runKernel(backend, 'Relu', { x: g }, {})
        const type = [attribute('T', TF_FLOAT)]
        return {
          ...some(alike(backend, inputs)[0]),
          tensor: node().executeSingleOutput('ReluGrad', type, [rectified, y]),
        }
      },
    },
  }
}

function isPointwise({ attributes, inputs }: NodeOf<'conv'>): boolean {
  const { strides, pads, groups } = attributes
  const sides = inputs[1]?.shape.slice(2) ?? []
  return groups === 1 && [...strides, ...sides].every((n) => n === 1) && pads.every((padding) => padding === 0)
}

/**
 * A 1×1 convolution as a matrix product, which TensorFlow computes in three quarters of the time. Its convolution also
 * ends the process (a division by zero in oneDNN's choice of blocks) on machines that hide the size of their caches, as
 * many virtual ones do.
 */
const pointwise: Kernel<'conv'> = (backend, node, [x, w, bias]) => {
  const input = asChannelsLast(backend, some(x)).tensor
  const filter = asFilter(backend, some(w)).tensor
  const [n = 1, outs = 1, height = 1, width = 1] = node.shape
  const ins = filter.shape[2] ?? 1
  const a = reshaped(backend, input, [1, n * height * width, ins])
  const b = reshaped(backend, filter, [1, ins, outs])
  const product = runKernel(backend, 'BatchMatMul', { a, b }, { transposeA: false, transposeB: false })
  const y = bias === undefined ? product : runKernel(backend, 'Add', { a: product, b: bias.tensor }, {})
  return { tensor: reshaped(backend, y, [n, height, width, outs]), layout: 'channelsLast' }
}

/**
 * What the package's own entry does, without its look for a downloaded binary and without the layers, data and browser
 * parts of TensorFlow.js.
 */
function loadAddon({ packageFolder, binding: file }: TfjsAddon): { core: TfjsCore; binding: Binding } {
  restoreRemovedNodeUtil()
  // From the package itself: its backend must find the same core.
  const require = createRequire(join(packageFolder, 'package.json'))
  try {
    const core = require('@tensorflow/tfjs') as TfjsCore
    const binding = require(file) as Binding
    if (core.findBackend('tensorflow') === null) {
      const { NodeJSKernelBackend } = require('./dist/nodejs_kernel_backend.js') as {
        NodeJSKernelBackend: new (binding: Binding, packageName: string) => NodeBackend
      }
      require('./dist/register_all_kernels.js')
      core.registerBackend('tensorflow', () => new NodeJSKernelBackend(binding, tfjsPackage))
    }
    return { core, binding }
  } catch (error) {
    const [reason = ''] = (error instanceof Error ? error.message : String(error)).split('\n')
    throw new InputError('bad-engine', `the addon of tfjs:tensorflow does not load: ${reason}`, { cause: error })
  }
}
