import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { InferenceSession, Tensor } from 'onnxruntime-node'
import { expect, it } from 'vitest'
import { z } from 'zod'
import { createExplainer, type Explanation } from '../../src/saliency/explainer.ts'
import type { InputDescription } from '../../src/saliency/networks/description.ts'
import { outputKey } from '../../src/saliency/networks/heads/kinds.ts'
import { loadNetwork } from '../../src/saliency/networks/load.ts'
import type { Network } from '../../src/saliency/networks/network.ts'
import { isWithin, type Figure } from './figure.ts'
import {
  goldenNetworkSchema,
  goldenPictures,
  networkFigures,
  outputTolerance,
  type GoldenNetwork,
} from './goldenNetworks.ts'

/** What test/golden/onnx/make.py has computed; its head says what the files hold. */
const indexSchema = z.object({
  networks: z.array(
    goldenNetworkSchema.extend({
      channels: z.literal([1, 3]),
      /** Whether the file ends in a Softmax of what the golden outputs are. */
      softmax: z.boolean(),
      description: z.record(z.string(), z.unknown()),
      files: z.array(z.object({ file: z.string(), data: z.string().optional(), batch: z.enum(['static', 'dynamic']) })),
    }),
  ),
})
type GoldenOnnx = z.infer<typeof indexSchema>['networks'][number]
type GoldenFile = GoldenOnnx['files'][number]

const repositorys = new URL('../golden/onnx/', import.meta.url)

/**
 * One test for each golden ONNX file, or each of `files`, on one engine. `HEADLIGHT_GOLDEN_ONNX` names a folder of the real
 * families (make.py `--full`) that takes the place of the repository's tiny networks.
 */
export function describeGoldenOnnx(engine: string, files?: readonly string[]): void {
  const given = process.env['HEADLIGHT_GOLDEN_ONNX']
  const folder = given === undefined ? repositorys : pathToFileURL(`${given}/`)
  const { networks } = indexSchema.parse(JSON.parse(readFileSync(new URL('index.json', folder), 'utf8')))
  for (const golden of networks)
    for (const one of golden.files.filter(({ file }) => files?.includes(file) ?? true))
      it(`${one.file} as PyTorch and ONNX Runtime have it, ${engine}`, { timeout: 600_000 }, async () => {
        const figures = await fileFigures(golden, one, folder, engine)
        if (given !== undefined)
          console.log(figures.map(({ what, found }) => `${one.file} ${what} ${found}`).join('\n'))
        expect(figures.filter((figure) => !isWithin(figure))).toEqual([])
      })
}

/** The same for these files of the repository after ONNX Runtime has written them anew, with what it fuses. */
export function describeOptimisedOnnx(engine: string, files: readonly string[]): void {
  const { networks } = indexSchema.parse(JSON.parse(readFileSync(new URL('index.json', repositorys), 'utf8')))
  const chosen = networks.flatMap((golden) => golden.files.map((one) => ({ golden, one })))
  for (const { golden, one } of chosen.filter(({ one: { file } }) => files.includes(file)))
    it(`${one.file} optimised by ONNX Runtime as PyTorch has it, ${engine}`, async () => {
      const place = mkdtempSync(join(tmpdir(), 'headlight-optimised-'))
      const session = await InferenceSession.create(fileURLToPath(new URL(one.file, repositorys)), {
        graphOptimizationLevel: 'extended',
        optimizedModelFilePath: join(place, one.file),
        logSeverityLevel: 3,
      })
      await session.release()
      const written = { file: one.file, batch: one.batch }
      const figures = await fileFigures(golden, written, repositorys, engine, pathToFileURL(`${place}/`))
      rmSync(place, { recursive: true })
      expect(figures.filter((figure) => !isWithin(figure))).toEqual([])
    })
}

async function fileFigures(
  golden: GoldenOnnx,
  file: GoldenFile,
  folder: URL,
  engine: string,
  files = folder,
): Promise<Figure[]> {
  const network = networkOf(golden, file, files)
  // A file that was exported for one image must give the same for several, whatever shapes it has written down.
  const batch = file.batch === 'static' ? 3 : golden.images.length
  return [
    ...(await networkFigures(namedAs(golden, network), folder, network, { engine, batch })),
    ...(await runtimeFigures(golden, new URL(file.file, files), folder, network, engine)),
  ]
}

function networkOf({ width, height, description }: GoldenOnnx, { file, data }: GoldenFile, folder: URL): Network {
  const read = (name: string): Uint8Array => readFileSync(new URL(name, folder))
  const externalData = data === undefined ? undefined : { file: data, bytes: read(data) }
  const network = loadNetwork(read(file), file, description, undefined, externalData)
  // Found in the file: the description does not say it.
  expect(network.description.input).toMatchObject({ width, height })
  return network
}

/** Exporters call an output as they like: the only one is what its head reads. */
function namedAs(golden: GoldenOnnx, { description }: Network): GoldenNetwork {
  const [{ output } = { output: '' }] = description.heads
  const images = golden.images.map((image) => {
    const [first = [], ...more] = Object.values(image.outputs)
    return more.length > 0 ? image : { ...image, outputs: { [output]: first } }
  })
  return { ...golden, images }
}

/** What ONNX Runtime gives for the file itself, one image at a time, against headlight's outputs. */
async function runtimeFigures(
  golden: GoldenOnnx,
  file: URL,
  folder: URL,
  network: Network,
  engine: string,
): Promise<Figure[]> {
  const session = await InferenceSession.create(fileURLToPath(file), { logSeverityLevel: 3 })
  const objectives = golden.gradients.slice(0, 1).map(({ objective }) => objective)
  const options = { scope: 'none', style: 'origin', gradients: false, batch: 1, intraOpThreads: 1 } as const
  const explainer = await createExplainer({ network, objectives, engine, ...options })
  const figures: Figure[] = []
  for (const [index, picture] of goldenPictures(golden, folder).entries()) {
    const results = await session.run(feedsOf(session, picture, network.description.input))
    const [explanation] = await explainer.explain([picture])
    if (explanation === undefined) throw new Error('no explanation')
    for (const [name, tensor] of Object.entries(results)) {
      if (!(tensor.data instanceof Float32Array)) throw new Error(`${file.href} gives a ${name} of ${tensor.type}`)
      const found = valuesOf(name, explanation, network, golden.softmax)
      const what = `${name} of image ${index}, from ONNX Runtime's`
      figures.push({ what, found: largestDifference(found, tensor.data), tolerance: outputTolerance })
    }
  }
  await explainer.dispose()
  await session.release()
  return figures
}

/** The image as the file takes it, by the description that headlight has of it. */
function feedsOf(
  { inputNames, inputMetadata }: InferenceSession,
  picture: Uint8Array,
  { width, height, channels, range, mean, std }: InputDescription,
): Record<string, Tensor> {
  const [name = ''] = inputNames
  const [metadata] = inputMetadata
  const depth = channels === 'gray' ? 1 : 3
  const last = metadata?.isTensor === true && metadata.shape[1] !== depth
  const values = new Float32Array(picture.length)
  picture.forEach((level, at) => {
    const channel = at % depth
    const value = ((level / 255) * range - (mean[channel] ?? NaN)) / (std[channel] ?? NaN)
    values[last ? at : channel * width * height + Math.floor(at / depth)] = value
  })
  const shape = last ? [1, height, width, depth] : [1, depth, height, width]
  return { [name]: new Tensor('float32', values, shape) }
}

/** headlight's numbers for an output of the file. */
function valuesOf(name: string, { outputs }: Explanation, network: Network, softmax: boolean): readonly number[] {
  const { heads } = network.description
  const head = heads.find(({ output }) => softmax || output === name)
  const values = [...((head && outputs[outputKey(head, heads)]) ?? [])]
  if (!softmax) return values
  const powers = values.map((value) => Math.exp(value - Math.max(...values)))
  const sum = powers.reduce((total, power) => total + power, 0)
  return powers.map((power) => power / sum)
}

/** Relative to the largest that is expected; NaN where the lengths differ, which no tolerance allows. */
function largestDifference(found: readonly number[], expected: Float32Array): number {
  if (found.length !== expected.length) return NaN
  const largest = Math.max(...expected.map(Math.abs))
  return Math.max(...found.map((value, at) => Math.abs(value - (expected[at] ?? NaN)))) / largest
}
