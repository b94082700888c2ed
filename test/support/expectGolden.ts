import { expect } from 'vitest'
import type { Scope } from '../../src/saliency/choices.ts'
import type { Explainer, ObjectiveExplanation } from '../../src/saliency/explainer.ts'
import type { GoldenImage } from './golden.ts'
import type { NpyArray } from './npy.ts'

/**
 * Compares with PyTorch and disposes of the explainer; returns how many golden arrays there were. `before` are other
 * images of the same batch.
 *
 * Tolerances: a gradient's relative L2 error ≤ max(1e-3, 3 × PyTorch's own float32 error against float64), since a mask
 * that flips near a tie moves PyTorch too; angles within 1e-3 degrees; maps within one level of 255 on at least 99.9 % of
 * the values.
 */
export async function expectGolden(
  explainer: Explainer,
  image: GoldenImage,
  scope: Scope,
  before: readonly Uint8Array[] = [],
): Promise<number> {
  const explanations = await explainer.explain([...before, goldenCrop(image)])
  await explainer.dispose()
  const explanation = explanations.at(-1)
  if (explanation === undefined) throw new Error('no explanation')
  for (const angle of ['yaw', 'pitch', 'roll'] as const) {
    expect(Math.abs((explanation.angles[angle] ?? NaN) - image.angles_deg[angle])).toBeLessThan(1e-3)
  }
  const compared = Object.entries(explanation.objectives).map(([objective, found]) =>
    expectObjective(image, found, scope, objective),
  )
  return compared.reduce((total, count) => total + count, 0)
}

export function goldenCrop(image: GoldenImage): Uint8Array {
  const crop = image.array('crop_u8')?.data
  if (!(crop instanceof Uint8Array)) throw new Error('the golden crop is missing')
  return crop
}

function expectObjective(image: GoldenImage, found: ObjectiveExplanation, scope: Scope, objective: string): number {
  if (found.gradient === null) throw new Error(`no gradient of ${objective}`)
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
