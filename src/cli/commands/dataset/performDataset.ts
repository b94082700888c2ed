import { availableParallelism } from 'node:os'
import { SampleError } from '../../../base/errors.ts'
import { imageKeyOf, type Adapter, type Sample, type Truth } from '../../../dataset/adapter.ts'
import { adapterDefinition, openAdapter, type AdapterOptions } from '../../../dataset/adapters.ts'
import { emptyDataset } from '../../../dataset/requireImages.ts'
import { readTruth } from '../../../dataset/unusableLabel.ts'
import { decodeImage, type DecodedImage } from '../../../image/codec.ts'
import { drawContactSheet, type Tile } from '../../../image/contactSheet.ts'
import { cropToInput } from '../../../image/crop.ts'
import { angleNames, type AngleName, type Pose } from '../../../pose/euler.ts'
import { isBeyondLabelLimit } from '../../../pose/labelLimit.ts'
import { RadianHint } from '../../../pose/radianHint.ts'
import { rankReadings, type Ranking } from '../../../pose/readings.ts'
import { createExplainer } from '../../../saliency/explainer.ts'
import { openStore } from '../../../storage/open.ts'
import type { Store } from '../../../storage/store.ts'
import type { Call } from '../../command.ts'
import { adapterOptions, idleSetting } from '../../settings/adapterSettings.ts'
import type { Settings } from '../../settings/optionSchema.ts'
import { refuseAbsentEngine } from '../../shared/computing.ts'
import { filesOf, givenNetwork } from '../../shared/networkFile.ts'
import { requireSuffix, writeOutputFile } from '../../shared/outputFile.ts'
import type { DatasetCheck, Range } from './checkResult.ts'
import { checkText, readingText } from './checkText.ts'
import { tileOf, tileSide } from './checkTile.ts'
import { Findings, survey } from './survey.ts'

const lookedAt = 100

/** A sample that could be read, with what is kept of it: its pixels are too many to keep a hundred of. */
interface Seen {
  readonly key: string
  readonly truth: Truth
  readonly tile: Tile
  readonly estimate: Readonly<Record<AngleName, number | null>> | null
}

export async function checkDataset(call: Call): Promise<number> {
  const { settings, surroundings, operands, log } = call
  const options = adapterOptions(settings)
  if (settings.network !== undefined) await refuseAbsentEngine(call)
  const sheetPath = typeof call.flags['sheet'] === 'string' ? call.flags['sheet'] : 'dataset-check.png'
  requireSuffix(sheetPath, '.png', '--sheet')
  const file = settings.network === undefined ? undefined : await givenNetwork(call, settings.network)
  const dataset = openStore(operands[0] ?? '', { endpoint: settings.s3Endpoint, logger: log })
  try {
    await dataset.check('read')
    const adapter = openAdapter(options)
    const surveyed = await survey(adapter, dataset, lookedAt)
    const { samples, chosen, findings: listingFindings, leftOut } = surveyed
    if (samples === 0) {
      throw emptyDataset(adapter, dataset, leftOut)
    }
    const estimator = file && (await openEstimator(file.network, settings, call.folders.engines))
    const findings = new Findings()
    const seen: Seen[] = []
    try {
      for (const sample of chosen) {
        const one = await look({ adapter, dataset, sample, settings, findings, estimator })
        if (one) seen.push(one)
      }
    } finally {
      await estimator?.dispose()
    }
    if (seen.length > 0) await writeSheet(sheetPath, seen)
    const ranking = file === undefined ? null : rank(seen)
    const result: DatasetCheck = {
      dataset: dataset.uri,
      adapter: options,
      samples,
      lookedAt: chosen.length,
      read: seen.length,
      listingFindings,
      leftOut,
      findings: findings.list(),
      ...(surveyed.unusableLabels && { listingUnusableLabels: surveyed.unusableLabels }),
      ...(findings.unusableLabels && { unusableLabels: findings.unusableLabels }),
      labels: labelRanges(seen),
      boxes: boxRange(seen),
      sheet: seen.length > 0 ? sheetPath : null,
      tiles: seen.map(({ key }) => key),
      network: file === undefined ? null : { ...filesOf(file.network), ranking },
      warnings: [...hintsOf(adapter, seen), ...warningsOf(settings, options, seen, file !== undefined, ranking)],
    }
    surroundings.results.write(settings.json ? `${JSON.stringify(result)}\n` : checkText(result))
    // Nothing at all can be read: that is no dataset of this layout.
    return seen.length > 0 ? 0 : 2
  } finally {
    dataset.close()
  }
}

interface Estimator {
  estimate(image: DecodedImage, box: Truth['box']): Promise<Seen['estimate']>
  dispose(): Promise<void>
}

async function openEstimator(
  network: Awaited<ReturnType<typeof givenNetwork>>['network'],
  settings: Settings,
  enginesFolder: string,
): Promise<Estimator> {
  const explainer = await createExplainer({
    network,
    objectives: [],
    scope: 'none',
    style: 'origin',
    gradients: false,
    batch: 1,
    engine: settings.engine,
    enginesFolder,
    intraOpThreads: availableParallelism(),
  })
  return {
    estimate: async (image, box) => {
      const { pixels } = cropToInput(image, box, network.description.input)
      const [explanation] = await explainer.explain([pixels])
      return explanation?.angles ?? null
    },
    dispose: () => explainer.dispose(),
  }
}

/** What a worker would do with the sample, up to the engine. Its faults are findings, those of the store are raised. */
async function look(o: {
  adapter: Adapter
  dataset: Store
  sample: Sample
  settings: Settings
  findings: Findings
  estimator: Estimator | undefined
}): Promise<Seen | undefined> {
  const { adapter, dataset, sample, settings, findings, estimator } = o
  const { key } = sample
  try {
    const imageKey = imageKeyOf(adapter, key)
    const found = await dataset.get(imageKey)
    if (!found) throw new SampleError('vanished', `${dataset.uri}${imageKey} was gone when it was read`)
    const { truth, labelFault } = await readTruth(adapter, dataset, sample)
    if (labelFault !== undefined && sample.truth?.fault === undefined) findings.addUnusableLabel(key, labelFault)
    const { maxPixels, exifOrientation } = settings
    const image = await decodeImage(found.bytes, { maxPixels, applyExifOrientation: exifOrientation })
    const tile = tileOf(image, truth)
    return { key, truth, tile, estimate: (await estimator?.estimate(image, truth.box)) ?? null }
  } catch (error) {
    if (!(error instanceof SampleError)) throw error
    findings.add(error.code, key, error.message)
    return undefined
  }
}

async function writeSheet(path: string, seen: readonly Seen[]): Promise<void> {
  const png = await drawContactSheet(
    seen.map(({ tile }) => tile),
    tileSide,
  )
  await writeOutputFile(path, png, '--sheet')
}

function posesOf(seen: readonly Seen[]): Pose[] {
  return seen.flatMap(({ truth }) => truth.pose ?? [])
}

function labelRanges(seen: readonly Seen[]): DatasetCheck['labels'] {
  const poses = posesOf(seen)
  if (poses.length === 0) return null
  const range = (name: AngleName) => rangeOf(poses.map((pose) => pose[name]))
  return { n: poses.length, yaw: range('yaw'), pitch: range('pitch'), roll: range('roll') }
}

function boxRange(seen: readonly Seen[]): DatasetCheck['boxes'] {
  const sides = seen.flatMap(({ truth: { box } }) => (box ? [Math.max(box.x1 - box.x0, box.y1 - box.y0)] : []))
  return sides.length === 0 ? null : { n: sides.length, side: rangeOf(sides) }
}

function rangeOf(values: readonly number[]): Range {
  return { min: Math.min(...values), max: Math.max(...values) }
}

/** Over the samples that the summary of a run counts, or its mean error would be another than a run's. */
function rank(seen: readonly Seen[]): Ranking | null {
  const pairs = seen.flatMap(({ truth: { pose }, estimate }) => {
    const { yaw = null, pitch = null, roll = null } = estimate ?? {}
    return pose === null || isBeyondLabelLimit(Object.values(pose)) || yaw === null || pitch === null || roll === null
      ? []
      : [{ estimate: { yaw, pitch, roll }, label: pose }]
  })
  return pairs.length === 0 ? null : rankReadings(pairs)
}

/** What the index shows as a whole; where there is none, what the labels looked at do. */
function hintsOf(adapter: Adapter, seen: readonly Seen[]): readonly string[] {
  if (adapter.overview !== undefined) return adapter.overview().warnings
  const radians = new RadianHint()
  for (const pose of posesOf(seen)) radians.add(pose)
  return [radians.hint() ?? []].flat()
}

function warningsOf(
  settings: Settings,
  options: AdapterOptions,
  seen: readonly Seen[],
  withNetwork: boolean,
  ranking: Ranking | null,
): string[] {
  const warnings: string[] = []
  const idle = idleSetting(settings)
  if (idle !== undefined) warnings.push(idle)
  const beyond = posesOf(seen).filter((pose) => isBeyondLabelLimit(Object.values(pose))).length
  if (beyond > 0) warnings.push(`${beyond} of the labels lie beyond ±99° and are left out of errors by convention`)
  const unposed = adapterDefinition(options.name).withoutPoses
  if (unposed !== undefined && seen.length > 0 && posesOf(seen).length === 0) warnings.push(unposed)
  if (!withNetwork || seen.length === 0) return warnings
  if (ranking === null) {
    const within = beyond > 0 ? 'label within ±99°' : 'label'
    warnings.push(`no sample has a ${within} and an estimate of all three angles, so that no reading can be ranked`)
  } else if (!ranking.telling) {
    warnings.push(
      `in no reading do the estimates fit the labels much better than a constant would (${ranking.constant.toFixed(2)}° on average), so the ranking says nothing: is the network trained for such images and crops?`,
    )
  } else if (ranking.better !== null) {
    const { order, signs, mae } = ranking.better
    const advice = betterOption(options, ranking.better)
    warnings.push(
      `the labels fit clearly better when read as ${readingText(order, signs)}: mean error ${mae.mean.toFixed(2)}° instead of ${ranking.given.mae.mean.toFixed(2)}°${advice}`,
    )
  }
  return warnings
}

/** How to ask for another order, where an option does. Signs are the network's business: its description has them. */
function betterOption(options: AdapterOptions, { order, signs }: Ranking['given']): string {
  const parts: string[] = []
  const flag = adapterDefinition(options.name).flagForOrder?.(options, order)
  if (typeof flag === 'string') parts.push(flag)
  const turned = angleNames.filter((_, index) => signs[index] === -1)
  if (turned.length > 0) parts.push(`sign: -1 for ${turned.join(' and ')} in the network's description`)
  return parts.length > 0 ? ` (${parts.join(', and ')})` : ''
}
