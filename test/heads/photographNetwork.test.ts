import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { InferenceSession, Tensor } from 'onnxruntime-node'
import { expect, test } from 'vitest'
import { Random, seedAt } from '../../examples/heads/random.ts'
import { Renderer } from '../../examples/heads/renderer.ts'
import { poseLimits, randomScene } from '../../examples/heads/scene.ts'
import { angleNames, type AngleName, type Pose } from '../../src/pose/euler.ts'

// A network that others trained on photographs, in Hopenet's convention, judges the renderings: 66 bins with centres
// 3i + 1.5 − 99. It is not part of the repository.
const network = fileURLToPath(new URL('../../../shared/real/shaw_b66.onnx', import.meta.url))
const [side, count] = [224, 200] as const
const mean = [0.485, 0.456, 0.406] as const
const std = [0.229, 0.224, 0.225] as const

test.runIf(existsSync(network))('a network trained on photographs reads the renderings’ poses', async () => {
  const session = await InferenceSession.create(network, { intraOpNumThreads: 1 })
  const renderer = new Renderer()
  const truth: Pose[] = []
  const read: Pose[] = []
  for (let index = 0; index < count; index++) {
    const random = new Random(seedAt(20, index))
    const within = (limit: number) => random.between(-limit, limit) * 0.8
    const pose = { yaw: within(poseLimits.yaw), pitch: within(poseLimits.pitch), roll: within(poseLimits.roll) }
    // Framed as its training crops were: the head fills the picture.
    const scene = randomScene(random, side, pose, { share: [0.95, 1.2], stray: 0 })
    const { pixels } = renderer.render(scene, random)
    const input = new Float32Array(3 * side * side)
    for (let at = 0; at < side * side; at++) {
      for (const channel of [0, 1, 2] as const) {
        input[channel * side * side + at] = (pixels[3 * at + channel]! / 255 - mean[channel]) / std[channel]
      }
    }
    const outputs = await session.run({ [session.inputNames[0]!]: new Tensor('float32', input, [1, 3, side, side]) })
    const angle = (name: AngleName) => expectation(outputs[`${name}_logits`]!.data as Float32Array)
    truth.push(pose)
    read.push({ yaw: angle('yaw'), pitch: angle('pitch'), roll: angle('roll') })
  }
  const correlations = angleNames.map((name) => correlation(truth.map((p) => p[name]), read.map((p) => p[name]))) // prettier-ignore
  for (const correlated of correlations) expect(correlated).toBeGreaterThanOrEqual(0.9)
})

function expectation(logits: Float32Array): number {
  const top = Math.max(...logits)
  const weights = Array.from(logits, (logit) => Math.exp(logit - top))
  const total = weights.reduce((sum, weight) => sum + weight, 0)
  return weights.reduce((sum, weight, bin) => sum + (weight / total) * (3 * bin + 1.5 - 99), 0)
}

function correlation(a: readonly number[], b: readonly number[]): number {
  const [meanA, meanB] = [average(a), average(b)]
  const product = average(a.map((value, index) => (value - meanA) * (b[index]! - meanB)))
  const spread = (values: readonly number[], middle: number) => Math.sqrt(average(values.map((v) => (v - middle) ** 2)))
  return product / (spread(a, meanA) * spread(b, meanB))
}

function average(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length
}
