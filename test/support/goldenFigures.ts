import type { Scope } from '../../src/saliency/choices.ts'
import type { Explainer, ObjectiveExplanation } from '../../src/saliency/explainer.ts'
import type { Figure } from './figure.ts'
import type { GoldenImage } from './golden.ts'
import type { NpyArray } from './npy.ts'

/** What PyTorch itself loses to float32 may be exceeded threefold: a mask that flips near a tie moves PyTorch too. */
export const gradientTolerance = (pytorchError: number): number => Math.max(1e-3, 3 * pytorchError)
/** Degrees. */
export const angleTolerance = 1e-3
/** Share of a map's values that may be off by more than one level of 255. */
export const mapTolerance = 1e-3

/**
 * Compares with PyTorch and disposes of the explainer; gives one figure for every golden array that there is, and for
 * every angle. `before` are other images of the same batch. The tolerances are those of docs/engines.md.
 */
export async function goldenFigures(
  explainer: Explainer,
  image: GoldenImage,
  scope: Scope,
  before: readonly Uint8Array[] = [],
): Promise<Figure[]> {
  const explanations = await explainer.explain([...before, goldenCrop(image)])
  await explainer.dispose()
  const explanation = explanations.at(-1)
  if (explanation === undefined) throw new Error('no explanation')
  const angles = (['yaw', 'pitch', 'roll'] as const).map((angle) => ({
    what: `${angle}, degrees off`,
    found: Math.abs((explanation.angles[angle] ?? NaN) - image.angles_deg[angle]),
    tolerance: angleTolerance,
  }))
  const arrays = Object.entries(explanation.objectives).flatMap(([objective, found]) =>
    objectiveFigures(image, found, scope, objective),
  )
  return [...angles, ...arrays]
}

export function goldenCrop(image: GoldenImage): Uint8Array {
  const crop = image.array('crop_u8')?.data
  if (!(crop instanceof Uint8Array)) throw new Error('the golden crop is missing')
  return crop
}

function objectiveFigures(image: GoldenImage, found: ObjectiveExplanation, scope: Scope, objective: string): Figure[] {
  if (found.gradient === null) throw new Error(`no gradient of ${objective}`)
  const tolerance = gradientTolerance(image.grads[`${scope}/${objective}`]?.err_vs_f64.rel_l2 ?? 0)
  const figures: Figure[] = []
  for (const [suffix, step] of [
    ['', 1],
    ['_sub4', 4],
  ] as const) {
    const gradient = image.array(`grad_${objective}_${scope}${suffix}`)
    if (gradient !== undefined) {
      const sampled = everyNth(found.gradient, [3, 224, 224], [1, step, step])
      figures.push({ what: `gradient of ${objective}`, found: relativeL2(sampled, gradient), tolerance })
    }
    const map = image.array(`norm_${objective}_${scope}${suffix}`)
    if (map !== undefined) {
      const sampled = everyNth(found.map, [224, 224, 3], [step, step, 1])
      const within = sampled.filter((level, i) => Math.abs(level - (map.data[i] ?? NaN) * 255) <= 1).length
      figures.push({ what: `map of ${objective}`, found: 1 - within / sampled.length, tolerance: mapTolerance })
    }
  }
  return figures
}

/** NaN where the lengths differ, which no tolerance allows. */
function relativeL2(actual: readonly number[], { data }: NpyArray): number {
  if (actual.length !== data.length) return NaN
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
