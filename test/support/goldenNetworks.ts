import { readFileSync } from 'node:fs'
import { pathToFileURL } from 'node:url'
import { expect, it } from 'vitest'
import { z } from 'zod'
import { scopes } from '../../src/saliency/choices.ts'
import { createExplainer, type ExplainerOptions, type Explanation } from '../../src/saliency/explainer.ts'
import { outputKey, type Head } from '../../src/saliency/networks/heads/kinds.ts'
import { loadNetwork } from '../../src/saliency/networks/load.ts'
import type { Network } from '../../src/saliency/networks/network.ts'
import { isWithin, type Figure } from './figure.ts'
import { angleTolerance, gradientTolerance, mapTolerance } from './goldenFigures.ts'
import { readNpy } from './npy.ts'

/** What PyTorch gives for a network, as the `golden` of test/golden/networks/make.py stores it. */
export const goldenNetworkSchema = z.object({
  name: z.string(),
  width: z.int(),
  height: z.int(),
  step: z.int(),
  images: z.array(
    z.object({
      angles: z.partialRecord(z.enum(['yaw', 'pitch', 'roll']), z.number()),
      angles_error: z.number(),
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
      map_error: z.number(),
    }),
  ),
})
export type GoldenNetwork = z.infer<typeof goldenNetworkSchema>
type GoldenGradient = GoldenNetwork['gradients'][number]

/** What test/golden/networks/make.py has computed; its head says what the files hold. */
const indexSchema = z.object({
  networks: z.array(goldenNetworkSchema.extend({ heads: z.array(z.unknown()), batchNorm: z.unknown().optional() })),
})

/** Relative to a layer's largest: float32 through some fifty layers. */
export const outputTolerance = 1e-4

const repositorys = new URL('../golden/networks/', import.meta.url)

/**
 * One test for each golden network, or each of `names`, on one engine. `HEADLIGHT_GOLDEN_NETWORKS` names a folder of
 * published sizes (make.py `--full`) that takes the place of the repository's small ones.
 */
export function describeGoldenNetworks(engine: string, names?: readonly string[]): void {
  const given = process.env['HEADLIGHT_GOLDEN_NETWORKS']
  const folder = given === undefined ? repositorys : pathToFileURL(`${given}/`)
  const { networks } = indexSchema.parse(JSON.parse(readFileSync(new URL('index.json', folder), 'utf8')))
  for (const golden of networks.filter(({ name }) => names?.includes(name) ?? true)) {
    it(`${golden.name} as PyTorch has it, ${engine}`, { timeout: 300_000 }, async () => {
      const network = loadNetwork(readFileSync(new URL(`${golden.name}.pth`, folder)), `${golden.name}.pth`, {
        input: { width: golden.width, height: golden.height },
        ...(golden.heads.length === 0 ? {} : { heads: golden.heads }),
        ...(golden.batchNorm === undefined ? {} : { batchNorm: golden.batchNorm }),
      })
      const figures = await networkFigures(golden, folder, network, { engine, batch: golden.images.length })
      if (given !== undefined)
        console.log(figures.map(({ what, found }) => `${golden.name} ${what} ${found}`).join('\n'))
      expect(figures.filter((figure) => !isWithin(figure))).toEqual([])
    })
  }
}

/** Angles, outputs, gradients and maps of all images, for each scope and rule of ReLU6 that there is. */
export async function networkFigures(
  golden: GoldenNetwork,
  folder: URL,
  network: Network,
  options: Pick<ExplainerOptions, 'engine' | 'batch'>,
): Promise<Figure[]> {
  const pictures = goldenPictures(golden, folder)
  const stored = readNpy(new URL(`${golden.name}.gradients.npy.gz`, folder))
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
      relu6: first.relu6,
      style: 'origin',
      gradients: true,
      ...options,
      intraOpThreads: 1,
    })
    const explanations = await explainer.explain(pictures)
    await explainer.dispose()
    for (const [index, explanation] of explanations.entries()) {
      figures.push(...angleFigures(golden, index, explanation))
      figures.push(...outputFigures(golden, index, network.description.heads, explanation))
    }
    for (const gradient of wanted) {
      const at = golden.gradients.indexOf(gradient) * gradientLength
      const expected = Array.from(stored.data.subarray(at, at + gradientLength), (value) => value * gradient.unit)
      figures.push(...gradientFigures(golden, gradient, expected, explanations[gradient.image]))
    }
  }
  return figures
}

/** Height × width × channels of each image. */
export function goldenPictures({ name, images }: GoldenNetwork, folder: URL): Uint8Array[] {
  const pixels = bytesOf(new URL(`${name}.pixels.npy.gz`, folder))
  const imageBytes = pixels.length / images.length
  return images.map((_, index) => pixels.subarray(index * imageBytes, (index + 1) * imageBytes))
}

const ruleOf = ({ scope, relu6 }: GoldenGradient): string => `${scope}, ReLU6 ${relu6}`

function angleFigures({ images }: GoldenNetwork, index: number, { angles }: Explanation): Figure[] {
  const { angles: expected = {}, angles_error: pytorchError = 0 } = images[index] ?? {}
  return (['yaw', 'pitch', 'roll'] as const).map((angle) => ({
    what: `${angle} of image ${index}, degrees off`,
    // Undefined where the network has no such angle, and then nothing may be found.
    found: Math.abs((angles[angle] ?? 0) - (expected[angle] ?? 0)),
    tolerance: Math.max(angleTolerance, 3 * pytorchError),
  }))
}

/** What the layers give, of which a network without angles has nothing else. Relative to the largest of a layer. */
function outputFigures(
  { images }: GoldenNetwork,
  index: number,
  heads: readonly Head[],
  { outputs }: Explanation,
): Figure[] {
  return Object.entries(images[index]?.outputs ?? {}).flatMap(([output, expected]) => {
    const head = heads.find((candidate) => candidate.output === output)
    const found = head && outputs[outputKey(head, heads)]
    // Such as those of 3DDFA's that give no angle.
    if (found === undefined) return []
    const largest = Math.max(...expected.map(Math.abs))
    const off = Math.max(...expected.map((value, at) => Math.abs((found[at] ?? NaN) - value)))
    return [{ what: `${output} of image ${index}`, found: off / largest, tolerance: outputTolerance }]
  })
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
  const channels = found.gradient.length / (width * height)
  const grid = { width, height, channels, first: 0, step }
  return [
    {
      what: `gradient of ${what}`,
      found: gradientError(found.gradient, expected, grid),
      tolerance: gradientTolerance(gradient.pytorch_error),
    },
    {
      what: `map of ${what}`,
      found: mapError(found.map, expected, gradient, grid),
      tolerance: Math.max(mapTolerance, 3 * gradient.map_error),
    },
  ]
}

/** Which rows and columns golden data hold: `first`, and from there every `step`-th. */
interface Grid {
  readonly width: number
  readonly height: number
  /** Of the gradient, 3 unless given. */
  readonly channels?: number
  readonly first: number
  readonly step: number
}

/** Relative L2 distance of a gradient, channels × height × width, from the part of it that golden data hold. */
export function gradientError(gradient: Float32Array, expected: readonly number[], grid: Grid): number {
  let [error, norm] = [0, 0]
  for (const [at, { channel, pixel }] of places(grid, expected.length).entries()) {
    const value = expected[at] ?? NaN
    error += ((gradient[channel * grid.width * grid.height + pixel] ?? NaN) - value) ** 2
    norm += value ** 2
  }
  return Math.sqrt(error / norm)
}

/** Share of a map's values, height × width × 3, that are more than a level off the map of the golden gradient. */
export function mapError(
  map: Uint8Array,
  expected: readonly number[],
  { mean, std }: { readonly mean: number; readonly std: number },
  grid: Grid,
): number {
  const off = places(grid, expected.length).filter(({ channel, pixel }, at) => {
    const share = (((expected[at] ?? NaN) - mean) / std) * 0.1 + 0.5
    const level = Math.min(Math.max(share, 0), 1) * 255
    return !(Math.abs((map[pixel * 3 + channel] ?? NaN) - level) <= 1)
  })
  return off.length / expected.length
}

function places(
  { width, height, channels = 3, first, step }: Grid,
  count: number,
): { channel: number; pixel: number }[] {
  const found: { channel: number; pixel: number }[] = []
  for (let channel = 0; channel < channels; channel++)
    for (let row = first; row < height; row += step)
      for (let column = first; column < width; column += step) found.push({ channel, pixel: row * width + column })
  if (found.length !== count) throw new Error(`the golden gradient has ${count} values instead of ${found.length}`)
  return found
}

function bytesOf(path: URL): Uint8Array {
  const { data } = readNpy(path)
  if (!(data instanceof Uint8Array)) throw new Error(`${path.href} holds no bytes`)
  return data
}
