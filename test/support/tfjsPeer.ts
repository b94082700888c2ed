import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

/** The fields of the real package that headlight reads. */
const description = {
  name: '@tensorflow/tfjs-node-gpu',
  version: '4.22.0',
  main: 'dist/index.js',
  binary: {
    module_name: 'tfjs_binding',
    module_path: './lib/napi-v{napi_build_version}',
    napi_versions: [3, 4, 5, 6, 7, 8],
  },
}

/** Of the addon's tensors, what the engine uses: bytes that become floats. */
const addon = `
const tensors = []
module.exports = {
  TF_FLOAT: 1,
  TF_ATTR_TYPE: 2,
  TF_UINT8: 4,
  TF_Version: 'of plain JavaScript',
  isUsingGpuDevice: () => false,
  createTensor: (shape, dtype, data) => tensors.push({ shape, data }) - 1,
  executeOp: (name, attributes, [id]) => [{ ...tensors[id], id }],
  deleteTensor: (id) => delete tensors[id],
}
`

/** TensorFlow.js' kernels in plain JavaScript, in the place of those for libtensorflow. */
const backend = `
const core = require('@tensorflow/tfjs')
const { MathBackendCPU } = require('@tensorflow/tfjs-backend-cpu')
exports.NodeJSKernelBackend = class extends MathBackendCPU {
  createOutputTensor({ data, shape }) {
    return core.tensor(Float32Array.from(data), shape)
  }
  executeSingleOutput(name, attributes, [g, y]) {
    const [upstream, values] = [g.dataSync(), y.dataSync()]
    return core.tensor(upstream.map((value, i) => (values[i] > 0 ? value : 0)), g.shape)
  }
}
`

interface FakePeer {
  /** What stands in the addon's place: JavaScript to load in its stead, or nothing. */
  readonly addon: string | null
}

/**
 * A package that looks as `@tensorflow/tfjs-node-gpu` does, and computes where its addon is not replaced, in `folder`/node_modules.
 * It needs @tensorflow/tfjs-core and tfjs-backend-cpu there.
 */
export function writeTfjsPeer(folder: string, { addon: binding }: FakePeer = { addon }): string {
  const files: Record<string, string> = {
    'tfjs-node-gpu/package.json': JSON.stringify(description),
    'tfjs-node-gpu/dist/nodejs_kernel_backend.js': backend,
    'tfjs-node-gpu/dist/register_all_kernels.js': `require('@tensorflow/tfjs').copyRegisteredKernels('cpu', 'tensorflow')`,
    'tfjs/index.js': `module.exports = require('@tensorflow/tfjs-core')`,
    // Node would give a file of this suffix to the dynamic linker; of a folder it loads the index.
    ...(binding === null ? {} : { 'tfjs-node-gpu/lib/napi-v8/tfjs_binding.node/index.js': binding }),
  }
  for (const [name, text] of Object.entries(files)) {
    const path = join(folder, 'node_modules', '@tensorflow', name)
    mkdirSync(join(path, '..'), { recursive: true })
    writeFileSync(path, text)
  }
  return join(folder, 'node_modules', '@tensorflow', 'tfjs-node-gpu')
}
