import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { decodeImage } from '../../src/image/codec.ts'
import { cropToInput } from '../../src/image/crop.ts'
import { createExplainer, type ExplainerOptions, type Explanation } from '../../src/saliency/explainer.ts'
import { loadNetwork } from '../../src/saliency/networks/load.ts'
import { frozen, frozenCases } from '../support/frozen.ts'
import { checkpointBytes } from '../support/golden.ts'

// Maps to the last bit, from pixels on. The reference executor computes them, since the bits of ONNX Runtime differ from
// processor to processor. Its float64 sums are taken in a fixed order and are the same everywhere. Only the softmax of the
// heads goes beyond what IEEE 754 defines, with Math.exp: V8 brings its own (a port of fdlibm), so that it depends on the
// version of Node at most, and a last bit of float64 that differs there is rounded away in the float32 and 8-bit results.

const file = 'maps.json'
const scopes = ['all', 'stem', 'none'] as const
const styles = ['origin', 'magnitude'] as const
const objectives = ['sum', 'yaw', '-roll', 'yaw:bin:3']

/** Colour that is shrunk and grey of other proportions. PNG is lossless, and resizing is integer arithmetic. */
const images = ['BIWI00000001_-17_+1_+17.png', 'BIWI00000004_-63_-12_+0.png'] as const

// Small, for the executor is slow; and neither square nor divisible by 32, so that sides cannot be exchanged unseen and
// pooling leaves a rest.
const small = { width: 56, height: 40 }
const whole = { width: 224, height: 224 }

const cases = scopes.flatMap((scope) => styles.map((style) => ({ scope, style })))
const caseName = ({ scope, style }: (typeof cases)[number], image: string) => `${scope} ${style} ${image}`

describe('the tiny network by the reference executor', () => {
  it.each(images)('reads the same pixels of %s', async (image) => {
    for (const input of [small, whole]) {
      expectFrozen(pixelsName(image, input), sha256(await crop(image, input)))
    }
  })

  it.each(cases)('scope $scope, style $style', async ({ scope, style }) => {
    const pixels = await Promise.all(images.map(async (image) => crop(image, small)))
    const explanations = await explain(pixels, small, { objectives, scope, style })
    explanations.forEach((explanation, index) => {
      expectFrozen(caseName({ scope, style }, images[index] ?? ''), described(explanation))
    })
  })

  it('one map at the size of the checkpoint', async () => {
    const options = { objectives: ['sum'], scope: 'all', style: 'origin' } as const
    const [explanation] = await explain([await crop(images[0], whole)], whole, options)
    if (explanation === undefined) throw new Error('no explanation')
    expectFrozen('whole', described(explanation))
  })

  it('has no frozen case that is not compared', () => {
    const compared = images.flatMap((image) => [
      ...[small, whole].map((input) => pixelsName(image, input)),
      ...cases.map((each) => caseName(each, image)),
    ])
    expect(Object.keys(frozenCases(file)).toSorted()).toEqual([...compared, 'whole'].toSorted())
  })
})

function expectFrozen(name: string, value: unknown): void {
  expect(value).toEqual(frozen(file, name, value))
}

function pixelsName(image: string, { width, height }: typeof small): string {
  return `pixels ${width}×${height} ${image}`
}

async function crop(image: string, { width, height }: typeof small): Promise<Uint8Array> {
  const bytes = readFileSync(new URL(`../images/${image}`, import.meta.url))
  const decoded = await decodeImage(bytes, { maxPixels: 1e6, applyExifOrientation: false })
  return cropToInput(decoded, null, { width, height, resize: 'shorter-side' }).pixels
}

async function explain(
  pixels: readonly Uint8Array[],
  input: typeof small,
  options: Pick<ExplainerOptions, 'objectives' | 'scope' | 'style'>,
): Promise<Explanation[]> {
  const explainer = await createExplainer({
    network: loadNetwork(checkpointBytes('tiny_hp.pkl'), 'tiny_hp.pkl', { input }),
    ...options,
    gradients: false,
    batch: pixels.length,
    engine: 'reference',
    intraOpThreads: 1,
  })
  const explanations = await explainer.explain(pixels)
  await explainer.dispose()
  return explanations
}

/** Digests are what is held; the numbers beside them tell how far off a result is. */
function described(explanation: Explanation): object {
  const angles = Object.entries(explanation.angles).map(([angle, degrees]) => [angle, rounded(degrees ?? NaN)])
  const objectiveResults = Object.entries(explanation.objectives).map(([objective, result]) => {
    const { map, magnitude, mean, std, maxAbs } = result
    const levels = {
      min: map.reduce((a, b) => Math.min(a, b)),
      mean: rounded(map.reduce((a, b) => a + b, 0) / map.length),
      max: map.reduce((a, b) => Math.max(a, b)),
    }
    const gradient = [mean, std, maxAbs].map((value) => value.toPrecision(5)).join(' ')
    return [objective, { levels, gradient, map: sha256(map), magnitude: sha256(magnitude) }]
  })
  return { angles: Object.fromEntries(angles) as unknown, objectives: Object.fromEntries(objectiveResults) as unknown }
}

/** To four decimals, without a minus before zero, which JSON does not keep. */
function rounded(value: number): number {
  return Math.round(value * 1e4) / 1e4 + 0
}

function sha256(data: Uint8Array | Float32Array): string {
  return createHash('sha256').update(data).digest('hex')
}
