// What maps of a network say on heads whose mask and pose are known:
//   node --import tsx examples/heads/judgement.ts examples/models/heads.pkl [--heads N] [--map-heads N]
import { readFileSync } from 'node:fs'
import { basename } from 'node:path'
import { pathToFileURL } from 'node:url'
import { parseArgs } from 'node:util'
import { angleNames, type Pose } from '../../src/pose/euler.ts'
import { createExplainer, type Explainer } from '../../src/saliency/explainer.ts'
import { parseDescription } from '../../src/saliency/networks/descriptionFile.ts'
import { loadNetwork } from '../../src/saliency/networks/load.ts'
import type { Network } from '../../src/saliency/networks/network.ts'
import { baselineMaps } from './baselineMaps.ts'
import { closeUps, type PosedPicture } from './heads.ts'
import { Random } from './random.ts'
import { withRandomWeights } from './randomWeights.ts'

/** Heads that the training never saw, smaller than its own and as far from the middle as the picture lets them. */
const offCentre = { share: [0.5, 0.6], stray: 1 } as const
const heldOutSeed = 20_000

/** How much of a map lies on the head, over the head's share of the area: 1 says nothing, more says it prefers heads. */
type MaskRatios = Readonly<Record<string, number>>

/** Degrees that the angles move by, averaged over yaw, pitch, roll and heads, when head pixels are replaced. */
interface Causes {
  /** By the map that chose the pixels. */
  readonly chosen: Readonly<Record<string, number>>
  /** As many head pixels chosen by lot. */
  readonly lot: number
  /** One patch of as many head pixels around a place chosen by lot. */
  readonly patch: number
}

interface Judgement {
  readonly ratios: MaskRatios
  readonly causes: Causes
}

export function readDemoNetwork(path: string): Network {
  const override: unknown = parseDescription(readFileSync(`${path}.yaml`, 'utf8'), `${basename(path)}.yaml`)
  return loadNetwork(readFileSync(path), basename(path), override)
}

/** Share of the head's pixels that are replaced. */
const replacedShare = 0.1

/** Mean absolute error on close-ups of people and poses that the training never saw. */
export async function measureErrors(network: Network, count: number): Promise<Pose> {
  const explainer = await open(network, 'none', [])
  const sums = { yaw: 0, pitch: 0, roll: 0 }
  for (const { picture, pose } of closeUps({ seed: heldOutSeed + 1, count, side: network.description.input.width })) {
    const estimate = await anglesOf(explainer, picture.pixels)
    for (const name of angleNames) sums[name] += Math.abs(estimate[name] - pose[name]) / count
  }
  await explainer.dispose()
  return sums
}

export async function judge(network: Network, count: number): Promise<Judgement> {
  const explainers = {
    guided: await open(network, 'all', ['sum']),
    plain: await open(network, 'none', ['sum']),
    'random weights': await open(withRandomWeights(network, new Random(1)), 'all', ['sum']),
  }
  // Without an objective there is no backward pass, and angles are most of what is asked for.
  const angles = await open(network, 'none', [])
  const side = network.description.input.width
  const heads = [...closeUps({ seed: heldOutSeed, count, side, framing: offCentre })]
  const ratios: Record<string, number> = {}
  const chosen: Record<string, number> = {}
  const random = new Random(2)
  let [lot, patch] = [0, 0]
  for (const head of heads) {
    const maps: Record<string, Float32Array> = {}
    for (const [name, explainer] of Object.entries(explainers)) {
      maps[name] = await magnitudeOf(explainer, head.picture.pixels)
    }
    Object.assign(maps, baselineMaps(head.picture))
    const untouched = await anglesOf(angles, head.picture.pixels)
    const moved = async (pixels: readonly number[]) => {
      const now = await anglesOf(angles, replaced(head, pixels))
      return angleNames.reduce((sum, name) => sum + Math.abs(now[name] - untouched[name]) / 3, 0) / count
    }
    const inside = headPixels(head)
    const few = Math.round(replacedShare * inside.length)
    for (const [name, map] of Object.entries(maps)) {
      ratios[name] = (ratios[name] ?? 0) + maskRatio(map, head.picture.mask) / count
      chosen[name] = (chosen[name] ?? 0) + (await moved(inside.toSorted((a, b) => map[b]! - map[a]!).slice(0, few)))
    }
    for (let draw = 0; draw < 3; draw++) {
      const lots = new Map(inside.map((pixel) => [pixel, random.next()]))
      lot += (await moved(inside.toSorted((a, b) => lots.get(a)! - lots.get(b)!).slice(0, few))) / 3
      const middle = random.pick(inside)
      const away = (pixel: number) => Math.hypot((pixel % side) - (middle % side), Math.floor(pixel / side) - Math.floor(middle / side)) // prettier-ignore
      patch += (await moved(inside.toSorted((a, b) => away(a) - away(b)).slice(0, few))) / 3
    }
  }
  for (const explainer of [...Object.values(explainers), angles]) await explainer.dispose()
  return { ratios, causes: { chosen, lot, patch } }
}

function open(network: Network, scope: 'all' | 'none', objectives: string[]): Promise<Explainer> {
  const rest = { style: 'origin', batch: 1, engine: 'auto', intraOpThreads: 1 } as const
  return createExplainer({ network, objectives, scope, gradients: true, ...rest })
}

async function anglesOf(explainer: Explainer, pixels: Uint8Array): Promise<Pose> {
  const [explanation] = await explainer.explain([pixels])
  const { yaw, pitch, roll } = explanation?.angles ?? {}
  if (typeof yaw !== 'number' || typeof pitch !== 'number' || typeof roll !== 'number') {
    throw new Error('the network gives no three angles')
  }
  return { yaw, pitch, roll }
}

/** Per pixel, the largest |g| of the three channels. */
async function magnitudeOf(explainer: Explainer, pixels: Uint8Array): Promise<Float32Array> {
  const [explanation] = await explainer.explain([pixels])
  const gradient = explanation?.objectives['sum']?.gradient
  if (!gradient) throw new Error('the explainer gave no gradient')
  const area = gradient.length / 3
  return Float32Array.from({ length: area }, (_, pixel) =>
    Math.max(Math.abs(gradient[pixel]!), Math.abs(gradient[area + pixel]!), Math.abs(gradient[2 * area + pixel]!)),
  )
}

function maskRatio(map: Float32Array, mask: Uint8Array): number {
  let [inside, all, area] = [0, 0, 0]
  for (let pixel = 0; pixel < mask.length; pixel++) {
    all += map[pixel]!
    if (mask[pixel] === 0) continue
    inside += map[pixel]!
    area++
  }
  return inside / all / (area / mask.length)
}

function headPixels({ picture: { mask } }: PosedPicture): number[] {
  return [...mask.keys()].filter((pixel) => mask[pixel] !== 0)
}

/** The picture with some pixels in the head's mean colour. */
function replaced({ picture: { pixels, mask } }: PosedPicture, places: readonly number[]): Uint8Array {
  const inside = [...mask.keys()].filter((pixel) => mask[pixel] !== 0)
  const mean = [0, 1, 2].map((channel) => inside.reduce((sum, pixel) => sum + pixels[3 * pixel + channel]!, 0) / inside.length) // prettier-ignore
  const changed = pixels.slice()
  for (const pixel of places) changed.set(mean.map(Math.round), 3 * pixel)
  return changed
}

if (process.argv[1] !== undefined && import.meta.url === pathToFileURL(process.argv[1]).href) {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: { heads: { type: 'string', default: '600' }, 'map-heads': { type: 'string', default: '40' } },
  })
  const [path] = positionals
  if (path === undefined) throw new Error('name the network’s file')
  const network = readDemoNetwork(path)
  const errors = await measureErrors(network, Number(values.heads))
  console.log(JSON.stringify({ errors, ...(await judge(network, Number(values['map-heads']))) }, null, 2))
}
