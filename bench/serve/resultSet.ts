import { link, mkdir, readFile, rm, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import sharp from 'sharp'
import { putAggregates } from '../../src/output/aggregates.ts'
import { publish } from '../../src/output/current.ts'
import { layout } from '../../src/output/layout.ts'
import { encodePoseMaps } from '../../src/output/poseMaps.ts'
import type { Record as SampleRecord } from '../../src/output/record.ts'
import { putResultSet, type ResultSet } from '../../src/output/resultSet.ts'
import { putSummary } from '../../src/output/summary.ts'
import { tableColumns, tableRow } from '../../src/output/table.ts'
import { TableWriter } from '../../src/output/tableWriter.ts'
import { angleError } from '../../src/pose/euler.ts'
import { poseCell } from '../../src/pose/poseCell.ts'
import { Aggregator } from '../../src/report/aggregates/aggregator.ts'
import { SummaryAccumulator } from '../../src/report/summary.ts'
import { openStore } from '../../src/storage/open.ts'
import type { Store } from '../../src/storage/store.ts'
import { putRunFile } from '../../test/support/comparedOutput.ts'
import { cellOf, poseMaps, spotAt } from '../../test/support/poseMaps.ts'
import { syntheticSet } from '../syntheticRun.ts'

export const setId = 'synthetic-all-0a1b2c3d'
export const run = '20261124T170000Z-4f9a1c'
/** The only one whose images and maps are there: files for a million would take an hour to make and tell nothing more. */
export const picturedSubject = '007'

const subjects = 400
/** Different images, each of them under many keys. */
const images = 64

export interface SyntheticOutput {
  readonly output: string
  readonly dataset: string
}

/**
 * A published result set of so many rows in `folder`, as a run with three objectives leaves it: made there once, a minute
 * for each million rows. The rows are the same every time.
 */
export async function syntheticResultSet(rows: number, folder: string): Promise<SyntheticOutput> {
  const made = { output: join(folder, 'output'), dataset: join(folder, 'dataset') }
  const output = openStore(made.output)
  await output.check('write')
  // It names the run whose table is the state, and is written last.
  if ((await output.head(layout.current(setId))) === undefined) await make(rows, output, made)
  output.close()
  return made
}

/** The set of an output, of whose images the URI is `dataset`. */
export function setOver(dataset: string, endpoint: string | null = null): ResultSet {
  const head = (angle: string) => ({
    kind: 'binned',
    output: `fc_${angle}`,
    angle,
    bins: 61,
    step: 3,
    offset: -90,
    sign: 1,
  })
  const input = { width: 224, height: 224, resize: 'shorter-side', channels: 'rgb', range: 1 }
  return {
    ...syntheticSet,
    id: setId,
    dataset: { uri: dataset, endpoint },
    network: {
      ...syntheticSet.network,
      description: {
        input: { ...input, mean: [0.485, 0.456, 0.406], std: [0.229, 0.224, 0.225] },
        heads: ['yaw', 'pitch', 'roll'].map(head),
      },
    },
  }
}

async function make(rows: number, output: Store, folders: SyntheticOutput): Promise<void> {
  const set = setOver(openStore(folders.dataset).uri)
  const [aggregator, accumulator] = [new Aggregator(), new SummaryAccumulator()]
  const object = output.write(layout.runTable(setId, run))
  const table = new TableWriter(tableColumns(set.options), [object])
  const pictured: string[] = []
  let failed = 0
  for (let i = 0; i < rows; i++) {
    const record = recordAt(i, rows)
    const row = tableRow(record)
    if (record.status === 'failed') failed++
    else if (record.subject === picturedSubject) pictured.push(record.key)
    aggregator.addRow(row)
    accumulator.addRow(row)
    await table.add(row)
    if (i % 1_000_000 === 999_999) console.error(`made ${i + 1} rows of ${rows}`)
  }
  await table.finish()
  await object.commit()
  await putPictures(pictured, folders)
  const aggregates = aggregator.finish()
  await putAggregates(output, setId, run, aggregates)
  const spots = (yaw: number, pitch: number) =>
    set.options.objectives.map((_, at) => spotAt(14 - yaw / 10, 14 - pitch / 10 + at))
  const cells = aggregates.cells.map(
    ({ yaw, pitch, n }) => [poseCell(yaw + 1, pitch + 1), cellOf(n, ...spots(yaw, pitch))] as const,
  )
  await output.put(layout.atlas(setId, run), encodePoseMaps(poseMaps(set.options.objectives, cells)))
  const counts = { total: rows, computed: rows, unchanged: 0, failed, gone: 0 }
  await putRunFile(output, set, { run, base: null, counts })
  await putSummary(output, setId, {
    run,
    output: `${output.uri}${setId}/`,
    state: 'completed',
    counts,
    ...accumulator.finish(),
    mapCorrelations: {},
    imagesPerSecond: 31.4,
    engine: ['onnxruntime:cpu'],
    startedAt: '2026-11-24T17:00:00.000Z',
    closedAt: '2026-11-24T17:09:00.000Z',
    headlightVersion: '0.0.0',
  })
  await putResultSet(output, set)
  await publish(output, setId, run)
}

/** The record of row `i`. Labels are those of heads that look about; errors grow with the yaw, and a few are large. */
function recordAt(i: number, rows: number): SampleRecord {
  const perSubject = Math.ceil(rows / subjects)
  const subject = digits(Math.floor(i / perSubject), 3)
  const sequence = digits(Math.floor(((i % perSubject) * 10) / perSubject), 2)
  const frame = digits(i, 8)
  const key = `${subject}/${sequence}/frame_${frame}.png`
  const fingerprint = i.toString(16).padStart(16, '0')
  const noise = seededNoise(i)
  if (noise() < 0.002) return { key, fingerprint, status: 'failed', code: 'corrupt-image', message: 'ends early' }
  // As in BIWI: most look ahead, and none further than a camera in front can follow.
  const within = (limit: number, angle: number) => Math.max(-limit, Math.min(limit, angle))
  const label = {
    yaw: within(75, 35 * normal(noise)),
    pitch: within(60, 20 * normal(noise)),
    roll: within(50, 12 * normal(noise)),
  }
  const size = (2 + Math.abs(label.yaw) / 15) * (noise() < 0.01 ? 6 : 1)
  const off = (angle: number) => degrees(angle + size * normal(noise))
  const angles = { yaw: off(label.yaw), pitch: off(label.pitch), roll: off(label.roll) }
  const labelled = noise() < 0.98
  const given = { yaw: degrees(label.yaw), pitch: degrees(label.pitch), roll: degrees(label.roll) }
  const bins = () => ({
    topBin: Math.floor(noise() * 61),
    topProbability: Number((1 - noise() ** 2).toFixed(6)),
    binsStd: degrees(noise() * 20),
    binsEntropy: degrees(noise() * 4),
  })
  const left = (objective: string) => ({
    map: layout.map(objective, key),
    gradient: null,
    gradientMean: Math.fround(noise()),
    gradientStd: Math.fround(noise()),
    gradientMaxAbs: Math.fround(noise()),
  })
  return {
    key,
    fingerprint,
    status: 'ok',
    angles,
    label: labelled ? given : null,
    error: labelled
      ? {
          yaw: angleError(angles.yaw, given.yaw),
          pitch: angleError(angles.pitch, given.pitch),
          roll: angleError(angles.roll, given.roll),
        }
      : null,
    bins: { yaw: bins(), pitch: bins(), roll: bins() },
    imageWidth: 640,
    imageHeight: 480,
    crop: [80 + degrees(noise() * 60), 0, 560, 480],
    subject,
    sequence,
    frame,
    objectives: Object.fromEntries(syntheticSet.options.objectives.map((objective) => [objective, left(objective)])),
  }
}

/** Images of 640×480 as datasets of heads have them, and maps as noisy as those of networks; hard links share their bytes. */
async function putPictures(keys: readonly string[], { output, dataset }: SyntheticOutput): Promise<void> {
  const { objectives } = syntheticSet.options
  const kept = join(dataset, '..', 'pictures')
  await mkdir(kept, { recursive: true })
  const photograph = await readFile(new URL('../../test/images/BIWI00000001_-17_+1_+17.png', import.meta.url))
  for (let n = 0; n < images; n++) {
    const image = sharp(photograph).modulate({ hue: n * 5, brightness: 0.8 + n / 160 })
    await writeFile(join(kept, `image${n}.png`), await image.png({ adaptiveFiltering: true }).toBuffer())
    await writeFile(join(kept, `map${n}.png`), await mapPng(n))
  }
  for (const [i, key] of keys.entries()) {
    await linkTo(join(kept, `image${i % images}.png`), join(dataset, key))
    for (const [at, objective] of objectives.entries()) {
      await linkTo(join(kept, `map${(i + at) % images}.png`), join(output, setId, layout.map(objective, key)))
    }
  }
}

async function mapPng(seed: number): Promise<Uint8Array> {
  const [side, noise] = [224, seededNoise(seed)]
  const weight = spotAt(8 + (seed % 12), 10 + (seed % 8))
  const peak = Math.max(...Array.from({ length: 28 * 28 }, (_, pixel) => weight(pixel)))
  const pixels = Buffer.alloc(side * side * 3)
  for (let at = 0; at < pixels.length; at++) {
    const [x, y] = [Math.floor(at / 3) % side, Math.floor(at / 3 / side)]
    const strength = weight((y >> 3) * 28 + (x >> 3)) / peak
    pixels[at] = Math.max(0, Math.min(255, 128 + 60 * strength * normal(noise)))
  }
  return sharp(pixels, { raw: { width: side, height: side, channels: 3 } })
    .png()
    .toBuffer()
}

/** `to` may be left by a making that was broken off. */
async function linkTo(from: string, to: string): Promise<void> {
  await mkdir(dirname(to), { recursive: true })
  await rm(to, { force: true })
  await link(from, to)
}

/** From 0 to 1; the same for a seed every time (mulberry32). */
function seededNoise(seed: number): () => number {
  let state = Math.imul(seed + 1, 0x9e3779b1)
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}

function normal(noise: () => number): number {
  return Math.sqrt(-2 * Math.log(1 - noise())) * Math.cos(2 * Math.PI * noise())
}

/** To four decimals, as records have angles. */
function degrees(value: number): number {
  return Number(value.toFixed(4))
}

function digits(value: number, count: number): string {
  return String(value).padStart(count, '0')
}
