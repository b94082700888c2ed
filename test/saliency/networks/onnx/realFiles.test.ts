import { existsSync, readFileSync } from 'node:fs'
import { InferenceSession, Tensor } from 'onnxruntime-node'
import { describe, expect, it } from 'vitest'
import { findEngine } from '../../../../src/saliency/engines/openEngine.ts'
import { elements, type Node } from '../../../../src/saliency/graph.ts'
import { importGraph } from '../../../../src/saliency/networks/onnx/graphImport.ts'
import { readModelFile } from '../../../../src/saliency/networks/onnx/modelFile.ts'
import { make } from '../../../../src/saliency/ops.ts'
import { seededRandom } from '../../../support/operationExamples.ts'

// Files that other tools wrote, which are not part of the repository.
const real = new URL('../../../../../shared/real/', import.meta.url)

const files = [
  { file: 'intel_headpose.onnx', side: 60 },
  { file: 'shaw_b66.onnx', side: 224 },
  { file: 'networks/fsanet1x1.onnx', side: 64 },
  { file: 'networks/samplenet.onnx', side: 32 },
  { file: 'networks/light_densenet121.onnx', side: 224 },
  { file: 'networks/light_resnet50.onnx', side: 224 },
  { file: 'networks/light_shufflenet.onnx', side: 224 },
  { file: 'networks/light_squeezenet.onnx', side: 224 },
].filter(({ file }) => existsSync(new URL(file, real)))

describe.runIf(files.length > 0)('networks that other tools wrote, against ONNX Runtime on the file', () => {
  it.each(files)('$file', async ({ file, side }) => {
    const bytes = readFileSync(new URL(file, real))
    const { graph, model } = readModelFile(bytes, file)
    const filled = new Set(graph.initializer.map(({ name }) => name))
    const input = graph.input.find(({ name }) => !filled.has(name))?.name ?? ''
    const shape = [1, 3, side, side]
    const image = make('input', [], { name: 'image', shape, dtype: 'float32' })
    const opsets = new Map(model.opsetImport.map(({ domain, version }) => [domain, Number(version)]))
    const values = importGraph({ file, externalData: undefined, graph, opsets }, input, image, new Map())
    const outputs = new Map<string, Node>()
    for (const { name } of graph.output) {
      const value = values.get(name)
      if (value?.kind === 'computed') outputs.set(name, value.node)
      else throw new Error(value?.kind === 'unavailable' ? value.why : `${name} is known`)
    }

    const random = seededRandom(17)
    const pixels = Float32Array.from({ length: elements(shape) }, random)
    const session = await InferenceSession.create(bytes, { logSeverityLevel: 3, intraOpNumThreads: 1 })
    const expected = await session.run({ [input]: new Tensor('float32', pixels, shape) })
    await session.release()
    const open = await findEngine('onnxruntime:cpu')
    const executor = await open({ outputs }, { intraOpThreads: 1 })
    const found = await executor.run(new Map([['image', pixels]]))
    await executor.dispose()
    for (const [name, node] of outputs) {
      const [right, ours] = [expected[name]?.data as Float32Array, found.get(name) ?? []]
      expect(node.shape).toEqual([...(expected[name]?.dims ?? [])])
      const scale = right.reduce((largest, value) => Math.max(largest, Math.abs(value)), 0)
      const error = right.reduce((worst, value, i) => Math.max(worst, Math.abs(value - (ours[i] ?? NaN))), 0)
      expect(error / scale).toBeLessThanOrEqual(1e-4)
    }
  })
})
