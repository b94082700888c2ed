import { createRequire } from 'node:module'
import type * as CoreModule from '@tensorflow/tfjs-core'
import { expect, it } from 'vitest'
import { openTfjs } from '../../../src/saliency/engines/tfjs.ts'
import type { TfjsBackend } from '../../../src/saliency/engines/tfjsBackend.ts'
import { constant, make } from '../../../src/saliency/ops.ts'

it('TensorFlow.js that fails in the middle of a graph gives back what it had made', async () => {
  const require = createRequire(import.meta.url)
  const core = require('@tensorflow/tfjs-core') as typeof CoreModule
  require('@tensorflow/tfjs-backend-wasm')
  let memory = 1
  const backend: TfjsBackend = {
    engine: 'test',
    version: '1',
    device: 'the CPU',
    core,
    activate: async () => void (await core.setBackend('wasm')),
    upload: (data, shape) => core.tensor(data, [...shape]),
    kernels: {
      relu: (_, __, [x]) => {
        if (x === undefined || memory-- <= 0) throw new Error('out of memory')
        return { ...x, tensor: x.tensor.clone() }
      },
    },
  }
  const x = make('input', [], { name: 'x', shape: [2], dtype: 'float32' })
  const sum = make('add', [x, constant([1, 2], [2])])
  const graph = { outputs: new Map([['y', make('relu', [make('add', [sum, make('relu', [x])])])]]) }
  await backend.activate()
  const before = core.memory().numTensors
  const executor = await openTfjs(backend, graph)
  const opened = core.memory().numTensors
  const inputs = new Map([['x', Float32Array.of(3, 4)]])
  await expect(executor.run(inputs)).rejects.toThrow('out of memory')
  expect(core.memory().numTensors).toBe(opened)
  memory = 2
  expect((await executor.run(inputs)).get('y')).toEqual(Float32Array.of(7, 10))
  expect(core.memory().numTensors).toBe(opened)
  await executor.dispose()
  expect(core.memory().numTensors).toBe(before)
})
