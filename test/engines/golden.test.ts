import { describe, expect, it } from 'vitest'
import type { Scope } from '../../src/saliency/backward.ts'
import { createExplainer, type Explanation } from '../../src/saliency/explainer.ts'
import { loadNetwork } from '../../src/saliency/networks/load.ts'
import { checkpointBytes, goldenImages, largerDataPresent, type GoldenImage } from '../support/golden.ts'
import type { NpyArray } from '../support/npy.ts'

/**
 * Every engine against PyTorch. Tolerances: a gradient's relative L2 error ≤ max(1e-3, 3 × PyTorch's own float32 error
 * against float64), since a mask that flips near a tie moves PyTorch too; angles within 1e-3 degrees; maps within one
 * level of 255 on at least 99.9 % of the values.
 */
const scopes: readonly Scope[] = ['all', 'stem', 'none']
const objectives = ['sum', 'yaw', 'pitch', 'roll']

describe.each(['onnxruntime:cpu', 'reference'])('%s', (engine) => {
  for (const image of goldenImages('tiny')) {
    for (const scope of scopes) {
      it(`tiny, ${image.image}, scope ${scope}`, async () => {
        await expectGolden(image, 'tiny_hp.pkl', scope, objectives, engine)
      })
    }
  }
})

// The golden data of DenseNet-121 weigh 35 MB and are not part of the repository.
describe.runIf(largerDataPresent)('onnxruntime:cpu, DenseNet-121', () => {
  for (const image of largerDataPresent ? goldenImages('densenet121') : []) {
    for (const scope of scopes) {
      it(`${image.image}, scope ${scope}`, async () => {
        await expectGolden(image, 'densenet121_hp.pkl', scope, objectives, 'onnxruntime:cpu')
      })
    }
  }
})

async function expectGolden(image: GoldenImage, checkpoint: string, scope: Scope, names: string[], engine: string) {
  const explainer = await createExplainer({
    network: loadNetwork(checkpointBytes(checkpoint), checkpoint),
    objectives: names,
    scope,
    style: 'origin',
    gradients: true,
    batch: 1,
    engine,
    intraOpThreads: 2,
  })
  const crop = image.array('crop_u8')?.data
  if (!(crop instanceof Uint8Array)) throw new Error('the golden crop is missing')
  const [explanation] = await explainer.explain([crop])
  await explainer.dispose()
  if (explanation === undefined) throw new Error('no explanation')

  for (const angle of ['yaw', 'pitch', 'roll'] as const) {
    expect(Math.abs((explanation.angles[angle] ?? NaN) - image.angles_deg[angle])).toBeLessThan(1e-3)
  }
  const compared = names.map((objective) => expectObjective(image, explanation, scope, objective))
  // Not every image has every array, but a scope without a single one would test nothing.
  if (checkpoint === 'tiny_hp.pkl') expect(compared.every((count) => count > 0)).toBe(true)
}

/** How many golden arrays of this objective there were to compare with. */
function expectObjective(image: GoldenImage, explanation: Explanation, scope: Scope, objective: string): number {
  const found = explanation.objectives[objective]
  if (found === undefined || found.gradient === null) throw new Error(`no gradient of ${objective}`)
  const tolerance = Math.max(1e-3, 3 * (image.grads[`${scope}/${objective}`]?.err_vs_f64.rel_l2 ?? 0))
  let compared = 0
  for (const [suffix, step] of [
    ['', 1],
    ['_sub4', 4],
  ] as const) {
    const gradient = image.array(`grad_${objective}_${scope}${suffix}`)
    if (gradient !== undefined) {
      compared++
      const sampled = everyNth(found.gradient, [3, 224, 224], [1, step, step])
      expect(relativeL2(sampled, gradient)).toBeLessThanOrEqual(tolerance)
    }
    const map = image.array(`norm_${objective}_${scope}${suffix}`)
    if (map !== undefined) {
      compared++
      const sampled = everyNth(found.map, [224, 224, 3], [step, step, 1])
      const within = sampled.filter((level, i) => Math.abs(level - (map.data[i] ?? NaN) * 255) <= 1).length
      expect(within / sampled.length).toBeGreaterThanOrEqual(0.999)
    }
  }
  return compared
}

function relativeL2(actual: readonly number[], { data }: NpyArray): number {
  expect(actual.length).toBe(data.length)
  let [error, norm] = [0, 0]
  actual.forEach((value, i) => {
    const expected = data[i] ?? NaN
    error += (value - expected) ** 2
    norm += expected ** 2
  })
  return Math.sqrt(error / norm)
}

function everyNth(
  data: ArrayLike<number>,
  [a, b, c]: [number, number, number],
  steps: [number, number, number],
): number[] {
  const picked: number[] = []
  for (let i = 0; i < a; i += steps[0])
    for (let j = 0; j < b; j += steps[1])
      for (let k = 0; k < c; k += steps[2]) picked.push(data[(i * b + j) * c + k] ?? NaN)
  return picked
}
