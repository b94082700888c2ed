import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import sharp from 'sharp'
import { putAggregates } from '../../src/output/aggregates.ts'
import { layout } from '../../src/output/layout.ts'
import { encodePoseMaps, unplaced, type CellMaps } from '../../src/output/poseMaps.ts'
import type { Record as SampleRecord } from '../../src/output/record.ts'
import type { ResultSet } from '../../src/output/resultSet.ts'
import { rowPose } from '../../src/output/rowPose.ts'
import type { Summary } from '../../src/output/summary.ts'
import { tableColumns, tableRow, type TableRow } from '../../src/output/table.ts'
import { TableWriter } from '../../src/output/tableWriter.ts'
import { angleError } from '../../src/pose/euler.ts'
import { poseCellCorner } from '../../src/pose/poseCell.ts'
import { Aggregator } from '../../src/report/aggregates/aggregator.ts'
import { SummaryAccumulator } from '../../src/report/summary.ts'
import { openStore } from '../../src/storage/open.ts'
import type { Store } from '../../src/storage/store.ts'
import { addCell, cellOf, poseMaps, spotAt } from './poseMaps.ts'

export type Triple = readonly [number, number, number]

/** One sample of a made-up result set. `message` makes it a failed one. */
export interface FixtureSample {
  readonly key: string
  readonly estimate?: Triple
  readonly label?: Triple | null
  /** Why the label cannot be used. */
  readonly labelFault?: string
  readonly subject?: string
  readonly sequence?: string
  /** Probability of the likeliest bin of each angle. */
  readonly confidence?: number
  /** The index of its class. */
  readonly class?: number
  /** The likeliest class and its probability. */
  readonly top?: readonly [index: number, probability: number]
  readonly failed?: { code: string; message: string }
}

export interface Fixture {
  readonly dataset: Store
  readonly output: Store
  readonly set: ResultSet
  readonly summary: Summary
  remove(): Promise<void>
}

/** Writes images, maps and the table of a result set as a run leaves them, in a temporary folder. */
export async function makeResultSet(options: {
  samples: readonly FixtureSample[]
  objectives?: readonly string[]
  style?: 'origin' | 'magnitude'
  scope?: 'all' | 'stem' | 'none'
  /** Bytes of the image and map of sample i; null leaves the object out. */
  image?: (i: number) => Promise<Uint8Array | null>
  map?: (i: number, objective: string) => Promise<Uint8Array | null>
  imageSize?: readonly [number, number]
  networkFile?: string
  mapCorrelations?: Readonly<Record<string, number>>
  activations?: Summary['activations']
  /** What a run of this version puts beside its table: aggregates, and atlases of made-up maps. */
  aggregated?: boolean
}): Promise<Fixture> {
  const folder = await mkdtemp(join(tmpdir(), 'headlight-report-'))
  const dataset = openStore(join(folder, 'dataset'))
  const output = openStore(join(folder, 'output'))
  const objectives = [...(options.objectives ?? ['sum'])]
  const set = resultSet(dataset.uri, objectives, options)
  const image = options.image ?? (() => solidPng(64, 48, [200, 120, 40]))
  const map = options.map ?? (() => solidPng(32, 32, [128, 160, 128]))
  await Promise.all([dataset.check('write'), output.check('write')])

  for (const [i, { key, failed }] of options.samples.entries()) {
    if (failed !== undefined) continue
    await putIfAny(dataset, key, await image(i))
    for (const objective of objectives) {
      await putIfAny(output, `${set.id}/${layout.map(objective, key)}`, await map(i, objective))
    }
  }
  const summary = await putNight(output, set, runId, options)
  return { dataset, output, set, summary, remove: () => rm(folder, { recursive: true, force: true }) }
}

/** Puts the table of a run and, where asked, what stands beside it; gives the summary, which is not put. */
export async function putNight(
  output: Store,
  set: ResultSet,
  run: string,
  options: {
    readonly samples: readonly FixtureSample[]
    readonly imageSize?: readonly [number, number]
    readonly mapCorrelations?: Readonly<Record<string, number>>
    readonly activations?: Summary['activations']
    readonly aggregated?: boolean
  },
): Promise<Summary> {
  const { objectives } = set.options
  const accumulator = new SummaryAccumulator()
  const rows = options.samples.map((sample) => tableRow(recordOf(sample, objectives, options.imageSize ?? [64, 48])))
  for (const row of rows) accumulator.addRow(row)
  const object = output.write(layout.runTable(set.id, run))
  const table = new TableWriter(tableColumns(set.options), [object])
  for (const row of rows) await table.add(row)
  await table.finish()
  await object.commit()

  if (options.aggregated === true) await putStateFacts(output, set, run, rows)

  const total = rows.length
  const failed = rows.filter((row) => row.status === 'failed').length
  return {
    run,
    output: `${output.uri}${set.id}/`,
    state: 'completed',
    counts: { total, computed: total, unchanged: 0, failed, gone: 0 },
    ...accumulator.finish(),
    mapCorrelations: { ...options.mapCorrelations },
    imagesPerSecond: total === 0 ? null : 31.4,
    engine: ['onnxruntime:cpu'],
    ...(options.activations === undefined ? {} : { activations: options.activations }),
    startedAt: '2026-11-24T17:00:00.000Z',
    closedAt: '2026-11-24T17:09:00.000Z',
    headlightVersion: '0.1.0',
  }
}

/** Maps are spots that move with the pose; a tenth of the images have no input. */
async function putStateFacts(
  output: Store,
  { id, options }: ResultSet,
  run: string,
  rows: readonly TableRow[],
): Promise<void> {
  const aggregator = new Aggregator()
  const cells = new Map<number, CellMaps>()
  const inputs = new Map<number, CellMaps>()
  for (const [i, row] of rows.entries()) {
    aggregator.addRow(row)
    if (row.status === 'failed') continue
    const cell = rowPose(row)?.cell ?? unplaced
    const { yaw, pitch } = cell === unplaced ? { yaw: 0, pitch: 0 } : poseCellCorner(cell)
    const spots = options.objectives.map((_, at) => spotAt(14 - yaw / 10, 14 - pitch / 10 + at))
    addCell(cells, cell, cellOf(1, ...spots))
    if (i % 10 !== 0)
      addCell(
        inputs,
        cell,
        cellOf(1, (pixel) => 40 + 5 * (pixel % 28)),
      )
  }
  await putAggregates(output, id, run, aggregator.finish())
  await output.put(layout.atlas(id, run), encodePoseMaps(poseMaps(options.objectives, [...cells])))
  await output.put(layout.inputAtlas(id, run), encodePoseMaps(poseMaps(['input'], [...inputs])))
}

export const runId = '20261124T170000Z-4f9a1c'

export async function solidPng(width: number, height: number, [r, g, b]: Triple): Promise<Uint8Array> {
  return await sharp({ create: { width, height, channels: 3, background: { r, g, b } } })
    .png()
    .toBuffer()
}

async function putIfAny(store: Store, key: string, bytes: Uint8Array | null): Promise<void> {
  if (bytes !== null) await store.put(key, bytes)
}

function recordOf(
  sample: FixtureSample,
  objectives: readonly string[],
  [width, height]: readonly [number, number],
): SampleRecord {
  const { key, failed, estimate = [1, 2, 3], label = null, labelFault } = sample
  const fingerprint = '0123456789abcdef'
  if (failed !== undefined) return { key, fingerprint, status: 'failed', ...failed }
  const error = label === null ? null : estimate.map((value, i) => angleError(value, label[i] ?? 0))
  const top = sample.confidence
  const bins = top === undefined ? null : { topBin: 30, topProbability: top, binsStd: 4, binsEntropy: 1.2 }
  const side = Math.min(width, height)
  const x0 = (width - side) / 2
  return {
    key,
    fingerprint,
    status: 'ok',
    angles: { yaw: estimate[0], pitch: estimate[1], roll: estimate[2] },
    label: label === null ? null : { yaw: label[0], pitch: label[1], roll: label[2] },
    error: error === null ? null : { yaw: error[0] ?? 0, pitch: error[1] ?? 0, roll: error[2] ?? 0 },
    bins: { yaw: bins, pitch: bins, roll: bins },
    imageWidth: width,
    imageHeight: height,
    crop: [x0, 0, x0 + side, side],
    subject: sample.subject ?? null,
    sequence: sample.sequence ?? null,
    frame: null,
    ...(sample.class === undefined ? {} : { class: sample.class }),
    ...(sample.top === undefined ? {} : { topClass: sample.top[0], topClassProbability: sample.top[1] }),
    ...(labelFault === undefined ? {} : { labelFault }),
    objectives: Object.fromEntries(
      objectives.map((objective) => [
        objective,
        { map: layout.map(objective, key), gradient: null, gradientMean: 0, gradientStd: 1, gradientMaxAbs: 5 },
      ]),
    ),
  }
}

function resultSet(
  uri: string,
  objectives: string[],
  options: { style?: 'origin' | 'magnitude'; scope?: 'all' | 'stem' | 'none'; networkFile?: string },
): ResultSet {
  const head = (angle: 'yaw' | 'pitch' | 'roll') => ({
    kind: 'binned',
    output: `fc_${angle}`,
    angle,
    bins: 61,
    step: 3,
    offset: -90,
    sign: 1,
  })
  return {
    schema: 1,
    id: 'densenet121_hp-all-0a1b2c3d',
    resultVersion: 1,
    dataset: { uri, endpoint: null },
    network: {
      file: options.networkFile ?? 'densenet121_hp.pkl',
      digest: '9f'.repeat(32),
      description: {
        input: {
          width: 224,
          height: 224,
          resize: 'shorter-side',
          channels: 'rgb',
          range: 1,
          mean: [0.485, 0.456, 0.406],
          std: [0.229, 0.224, 0.225],
        },
        heads: [head('yaw'), head('pitch'), head('roll')],
      },
    },
    options: {
      objectives,
      scope: options.scope ?? 'all',
      style: options.style ?? 'origin',
      gradients: 'none',
      logits: false,
      adapter: { name: 'filename', filenameAngles: ['yaw', 'pitch', 'roll'], applyExifOrientation: false },
      maxPixels: 100_000_000,
    },
    headlightVersion: '0.1.0',
    createdAt: '2026-11-24T17:00:00.000Z',
  }
}
