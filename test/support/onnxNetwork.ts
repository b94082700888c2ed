import { expect } from 'vitest'
import { evaluate } from '../../src/saliency/engines/reference.ts'
import { elements, type Node } from '../../src/saliency/graph.ts'
import { loadNetwork } from '../../src/saliency/networks/load.ts'
import type { Network } from '../../src/saliency/networks/network.ts'
import { make } from '../../src/saliency/ops.ts'
import { weights, type Step } from './onnxCase.ts'
import { onnxModel, type OnnxModelOptions } from './onnxModel.ts'
import { seededRandom } from './operationExamples.ts'

/** Convolution, ReLU and mean: what most of these networks begin with. Gives `features`, N×4. */
export const trunk: readonly Step[] = [
  ['Conv', ['x', weights(4, 3, 3, 3)], 'conv', { strides: [2, 2], pads: [1, 1, 1, 1] }],
  ['Relu', ['conv'], 'relu'],
  ['GlobalAveragePool', ['relu'], 'mean'],
  ['Flatten', ['mean'], 'features'],
]

/** A linear layer on the features. */
export const linear = (count: number, name = 'y'): Step => ['Gemm', ['features', weights(4, count)], name]

/** The file is called `net.onnx`. */
export const load = (model: OnnxModelOptions, description?: unknown): Network =>
  loadNetwork(onnxModel(model), 'net.onnx', description)

export const refusal = (code: string, message: RegExp): Error =>
  expect.objectContaining({ name: 'InputError', code, message: expect.stringMatching(message) as string }) as Error

/** The outputs for a batch of images. */
export function built(network: Network, batch: number): ReadonlyMap<string, Node> {
  const { recognised, weights: tensors } = network
  const image = make('input', [], { name: 'image', shape: [batch, 3, 16, 16], dtype: 'float32' })
  return recognised.build(tensors, image)
}

/** What a network gives for two images by turns. */
export function valuesOf(network: Network, batch: number): Map<string, Float64Array> {
  const random = seededRandom(3)
  const images = Array.from({ length: 2 }, () => Float64Array.from({ length: elements([3, 16, 16]) }, random))
  const pixels = Array.from({ length: batch }, (_, at) => [...(images[at % 2] ?? [])]).flat()
  return evaluate({ outputs: built(network, batch) }, new Map([['image', pixels]]))
}
