import { readFileSync } from 'node:fs'
import { pathToFileURL } from 'node:url'
import { expect, it } from 'vitest'
import { z } from 'zod'
import { scopes } from '../../src/saliency/choices.ts'
import { createExplainer, type Explanation } from '../../src/saliency/explainer.ts'
import { loadNetwork } from '../../src/saliency/networks/load.ts'
import { isWithin, type Figure } from './figure.ts'
import { angleTolerance, gradientTolerance, mapTolerance } from './goldenFigures.ts'
import { readNpy } from './npy.ts'

/** What test/golden/networks/make.py has computed; its head says what the files hold. */
const indexSchema = z.object({
  networks: z.array(
    z.object({
      name: z.string(),
      width: z.int(),
      height: z.int(),
      heads: z.array(z.unknown()),
      batchNorm: z.unknown().optional(),
      step: z.int(),
      images: z.array(
        z.object({
          angles: z.partialRecord(z.enum(['yaw', 'pitch', 'roll']), z.number()),
          outputs: z.record(z.string(), z.array(z.number())),
        }),
      ),
      gradients: z.array(
        z.object({
          image: z.int(),
          objective: z.string(),
          scope: z.enum(scopes),
          relu6: z.enum(['guided', 'plain']),
          unit: z.number(),
          mean: z.number(),
          std: z.number(),
          pytorch_error: z.number(),
        }),
      ),
    }),
  ),
})
type GoldenNetwork = z.infer<typeof indexSchema>['networks'][number]
type GoldenGradient = GoldenNetwork['gradients'][number]

/** Networks, by the beginning of their names, that headlight does not build yet. */
const awaited = ['resnet18_6d', 'resnet50_6d', 'resnext', 'wide', 'repvgg', 'mobilenet', 'shufflenet', 'vgg']

const repositorys = new URL('../golden/networks/', import.meta.url)

/**
 * One test for each golden network on one engine. `HEADLIGHT_GOLDEN_NETWORKS` names a folder of published sizes (make.py
 * `--full`) that takes the place of the repository's small ones.
 */
export function describeGoldenNetworks(engine: string): void {
  const given = process.env['HEADLIGHT_GOLDEN_NETWORKS']
  const folder = given === undefined ? repositorys : pathToFileURL(`${given}/`)
  const { networks } = indexSchema.parse(JSON.parse(readFileSync(new URL('index.json', folder), 'utf8')))
  for (const golden of networks) {
    const run = awaited.some((beginning) => golden.name.startsWith(beginning)) ? it.skip : it
    run(`${golden.name} as PyTorch has it, ${engine}`, { timeout: 300_000 }, async () => {
      const figures = await networkFigures(golden, folder, engine)
      if (given !== undefined)
        console.log(figures.map(({ what, found }) => `${golden.name} ${what} ${found}`).join('\n'))
      expect(figures.filter((figure) => !isWithin(figure))).toEqual([])
    })
  }
}

/** Angles, gradients and maps of all images, for each scope and rule of ReLU6 that there is. */
async function networkFigures(golden: GoldenNetwork, folder: URL, engine: string): Promise<Figure[]> {
  const { name, width, height, heads, batchNorm, images } = golden
  const network = loadNetwork(readFileSync(new URL(`${name}.pth`, folder)), `${name}.pth`, {
    input: { width, height },
    ...(heads.length === 0 ? {} : { heads }),
    ...(batchNorm === undefined ? {} : { batchNorm }),
  })
  const pixels = bytesOf(new URL(`${name}.pixels.npy.gz`, folder))
  const imageBytes = pixels.length / images.length
  const stored = readNpy(new URL(`${name}.gradients.npy.gz`, folder))
  const gradientLength = stored.data.length / golden.gradients.length
  const figures: Figure[] = []
  for (const rule of new Set(golden.gradients.map(ruleOf))) {
    const wanted = golden.gradients.filter((gradient) => ruleOf(gradient) === rule)
    const [first] = wanted
    if (first === undefined) continue
    const explainer = await createExplainer({
      network,
      objectives: [...new Set(wanted.map(({ objective }) => objective))],
      scope: first.scope,
      style: 'origin',
      gradients: true,
      batch: images.length,
      engine,
      intraOpThreads: 1,
    })
    const explanations = await explainer.explain(
      images.map((_, index) => pixels.subarray(index * imageBytes, (index + 1) * imageBytes)),
    )
    await explainer.dispose()
    for (const [index, explanation] of explanations.entries()) figures.push(...angleFigures(golden, index, explanation))
    for (const gradient of wanted) {
      const at = golden.gradients.indexOf(gradient) * gradientLength
      const expected = Array.from(stored.data.subarray(at, at + gradientLength), (value) => value * gradient.unit)
      figures.push(...gradientFigures(golden, gradient, expected, explanations[gradient.image]))
    }
  }
  return figures
}

const ruleOf = ({ scope, relu6 }: GoldenGradient): string => `${scope}, ReLU6 ${relu6}`

function angleFigures({ images }: GoldenNetwork, index: number, { angles }: Explanation): Figure[] {
  const expected = images[index]?.angles ?? {}
  return (['yaw', 'pitch', 'roll'] as const).map((angle) => ({
    what: `${angle} of image ${index}, degrees off`,
    // Undefined where the network has no such angle, and then nothing may be found.
    found: Math.abs((angles[angle] ?? 0) - (expected[angle] ?? 0)),
    tolerance: angleTolerance,
  }))
}

function gradientFigures(
  { width, height, step }: GoldenNetwork,
  gradient: GoldenGradient,
  expected: readonly number[],
  explanation: Explanation | undefined,
): Figure[] {
  const found = explanation?.objectives[gradient.objective]
  if (!found?.gradient) throw new Error(`no gradient of ${gradient.objective}`)
  const what = `${gradient.objective} of image ${gradient.image}, ${ruleOf(gradient)}`
  let [error, norm, levelsOff, at] = [0, 0, 0, 0]
  for (let channel = 0; channel < 3; channel++) {
    for (let row = 0; row < height; row += step) {
      for (let column = 0; column < width; column += step, at++) {
        const value = expected[at] ?? NaN
        const pixel = row * width + column
        error += ((found.gradient[channel * height * width + pixel] ?? NaN) - value) ** 2
        norm += value ** 2
        const share = ((value - gradient.mean) / gradient.std) * 0.1 + 0.5
        const level = Math.min(Math.max(share, 0), 1) * 255
        if (!(Math.abs((found.map[pixel * 3 + channel] ?? NaN) - level) <= 1)) levelsOff++
      }
    }
  }
  return [
    {
      what: `gradient of ${what}`,
      // NaN, which no tolerance allows, where the lengths differ.
      found: at === expected.length ? Math.sqrt(error / norm) : NaN,
      tolerance: gradientTolerance(gradient.pytorch_error),
    },
    { what: `map of ${what}`, found: levelsOff / at, tolerance: mapTolerance },
  ]
}

function bytesOf(path: URL): Uint8Array {
  const { data } = readNpy(path)
  if (!(data instanceof Uint8Array)) throw new Error(`${path.href} holds no bytes`)
  return data
}
