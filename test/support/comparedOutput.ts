import { toFloat16 } from '../../src/base/float16.ts'
import { publish } from '../../src/output/current.ts'
import { printJson } from '../../src/output/jsonObject.ts'
import { layout } from '../../src/output/layout.ts'
import { MapPlacesWriter, type MapPlace, type ShardMaps } from '../../src/output/mapPlaces.ts'
import { mapPixels } from '../../src/output/poseMaps.ts'
import { putResultSet, type ResultSet } from '../../src/output/resultSet.ts'
import type { Run } from '../../src/output/runs.ts'
import { tableColumns, tableRow, type TableRow } from '../../src/output/table.ts'
import { TableWriter } from '../../src/output/tableWriter.ts'
import { angleError, angleNames, type AngleName } from '../../src/pose/euler.ts'
import type { Store } from '../../src/storage/store.ts'

export type Triple = readonly [yaw: number, pitch: number, roll: number]

/** One image of a made-up table. */
export interface ComparedSample {
  readonly key: string
  readonly fingerprint?: string
  readonly estimate?: Triple
  readonly label?: Triple | null
  readonly subject?: string
  readonly sequence?: string
  /** Failed with this code. */
  readonly failed?: string
  readonly crop?: readonly [number, number, number, number]
  /** Its small maps, one for each objective; the same number in each cell but the first, which holds this. */
  readonly maps?: readonly number[]
  /** In place of maps of its own: those of an earlier run. */
  readonly place?: MapPlace
}

export const runIds = ['20261128T010000Z-aaaaaa', '20261129T010000Z-bbbbbb', '20261130T010000Z-cccccc'] as const

/** A result set of which nothing but its options and network are made up. */
export function resultSetOf(changes: {
  readonly id?: string
  readonly network?: string
  readonly objectives?: readonly string[]
  readonly scope?: 'all' | 'none'
  readonly dataset?: string
  readonly angles?: readonly AngleName[]
}): ResultSet {
  const { id = 'model-all-0a1b2c3d', network = 'model.pkl', scope = 'all', angles = angleNames } = changes
  const head = (angle: AngleName) => ({ kind: 'value', output: `fc_${angle}`, angle, sign: 1 })
  return {
    schema: 1,
    id,
    resultVersion: 1,
    dataset: { uri: changes.dataset ?? 'file:///heads/', endpoint: null },
    network: {
      file: network,
      digest: Buffer.from(network.padEnd(32, '.')).toString('hex'),
      description: {
        input: {
          width: 32,
          height: 32,
          resize: 'shorter-side',
          channels: 'rgb',
          range: 1,
          mean: [0, 0, 0],
          std: [1, 1, 1],
        },
        heads: angles.map(head),
      },
    },
    options: {
      objectives: [...(changes.objectives ?? ['yaw'])],
      scope,
      style: 'magnitude',
      gradients: 'none',
      logits: false,
      adapter: { name: 'images', filenameAngles: ['yaw', 'pitch', 'roll'], applyExifOrientation: false },
      maxPixels: 1_000_000,
    },
    headlightVersion: '0.1.0',
    createdAt: '2026-11-24T17:00:00.000Z',
  }
}

/** Puts `set.json` and one run with its table as a run leaves them, and makes it the state. */
export async function putComparedRun(
  output: Store,
  set: ResultSet,
  samples: readonly ComparedSample[],
  options: { readonly run?: string; readonly base?: string | null; readonly hasPlaces?: boolean } = {},
): Promise<void> {
  const { run = runIds[0], base = null, hasPlaces = true } = options
  await putResultSet(output, set)
  const rows = samples.map((sample) => rowOf(sample, set))
  const table = output.write(layout.runTable(set.id, run))
  const writer = new TableWriter(tableColumns(set.options), [table])
  for (const row of rows) await writer.add(row)
  await writer.finish()
  await table.commit()
  if (hasPlaces) await putMaps(output, set, run, samples)
  const computed = samples.filter(({ place }) => place === undefined).length
  const failed = rows.filter(({ status }) => status === 'failed').length
  const counts = { total: rows.length, computed, unchanged: rows.length - computed, failed, gone: 0 }
  await putRunFile(output, set, { run, base, counts })
  await publish(output, set.id, run)
}

/** Puts `run.json` of a closed run. */
export async function putRunFile(
  output: Store,
  set: ResultSet,
  run: Pick<Run, 'run' | 'base' | 'counts'> & Partial<Run>,
): Promise<void> {
  const file: Run = {
    schema: 1,
    state: 'completed',
    full: false,
    startedAt: '2026-11-24T17:00:00.000Z',
    closedAt: '2026-11-24T17:09:00.000Z',
    ...run,
  }
  await output.put(layout.run(set.id, run.run), printJson(file))
}

/** Where the small maps of the n-th sample with maps of a run lie. */
export function placeIn(run: string, slot: number, count: number): MapPlace {
  return { file: { run, part: 0, offset: 0, samples: '', count, hasInputs: false }, slot }
}

async function putMaps(output: Store, set: ResultSet, run: string, samples: readonly ComparedSample[]): Promise<void> {
  const own = samples.filter(({ maps }) => maps !== undefined)
  const file: ShardMaps = { run, part: 0, offset: 0, samples: '', count: Math.max(1, own.length), hasInputs: false }
  const blocks = own.flatMap(({ maps = [] }) =>
    maps.map((value) => {
      const map = new Float32Array(mapPixels).fill(1 / mapPixels)
      // Two cells, so that maps of different numbers are more or less alike and not just scaled.
      map[0] = value
      map[1] = value * value
      return toFloat16(map)
    }),
  )
  if (own.length > 0) await output.put(layout.magnitudeFile(set.id, run, 0, 0), Buffer.concat(blocks))
  const places = output.write(layout.mapPlaces(set.id, run))
  const writer = new MapPlacesWriter(places)
  for (const sample of samples) {
    await writer.add(sample.place ?? (sample.maps === undefined ? null : { file, slot: own.indexOf(sample) }))
  }
  await writer.finish()
  await places.commit()
}

function rowOf(sample: ComparedSample, set: ResultSet): TableRow {
  const { key, fingerprint = 'f', failed, estimate = [0, 0, 0], label = null, subject = null, sequence = null } = sample
  if (failed !== undefined) {
    return tableRow({ key, fingerprint, status: 'failed', code: failed, message: `${failed} it is` })
  }
  const { heads } = set.network.description as { heads: { angle: AngleName }[] }
  const each = (value: (at: number) => number) => {
    const of = (angle: AngleName, at: number) => (heads.some((head) => head.angle === angle) ? value(at) : null)
    return { yaw: of('yaw', 0), pitch: of('pitch', 1), roll: of('roll', 2) }
  }
  return tableRow({
    key,
    fingerprint,
    status: 'ok',
    angles: each((at) => estimate[at] ?? 0),
    label: label === null ? null : { yaw: label[0], pitch: label[1], roll: label[2] },
    error: label === null ? null : each((at) => angleError(estimate[at] ?? 0, label[at] ?? 0)),
    bins: { yaw: null, pitch: null, roll: null },
    imageWidth: 64,
    imageHeight: 48,
    crop: [...(sample.crop ?? [8, 0, 56, 48])],
    subject,
    sequence,
    frame: null,
    objectives: Object.fromEntries(
      set.options.objectives.map((objective) => [
        objective,
        { map: layout.map(objective, key), gradient: null, gradientMean: 0, gradientStd: 1, gradientMaxAbs: 5 },
      ]),
    ),
  })
}
