import { float16Values } from '../base/float16.ts'
import type { Logger } from '../base/telemetry.ts'
import { layout, shardName } from '../output/layout.ts'
import { shardsOf, type Manifest, type ManifestEntry, type ManifestHeader, type Shard } from '../output/manifest.ts'
import { magnitudeBytes, recordSchema, type Record as SampleRecord } from '../output/record.ts'
import { tableRow, type TableRow } from '../output/table.ts'
import { magnitudeSide } from '../saliency/picture.ts'
import { compareKeys } from '../storage/keyOrder.ts'
import type { Store } from '../storage/store.ts'

export interface MergeOptions {
  readonly output: Store
  readonly set: string
  readonly run: string
  readonly manifest: Manifest
  /** The state that the run started from, sorted by key. */
  readonly state: AsyncIterable<TableRow>
  /** A cancelled run lacks record files; any other must not. */
  readonly mayLack: boolean
  /** Objectives of the result set in order; their magnitude maps are read when there are at least two to compare. */
  readonly objectives: readonly string[]
  readonly onMagnitudes: (maps: ReadonlyMap<string, Float32Array>) => void
  readonly log: Logger
}

/** Sources of a row: the state before the run, or the run's own records. */
export interface MergedRow {
  readonly row: TableRow
  readonly isComputed: boolean
}

/** Record files fetched ahead of the one that is merged. */
const ahead = 8

/**
 * The final state, sorted by key: the state before, less what is gone, with the run's records put in. One pass over
 * sorted streams in constant memory. Checks that every record stands exactly where the manifest wants it, once.
 */
export async function* mergeState(options: MergeOptions): AsyncGenerator<MergedRow> {
  const state = options.state[Symbol.asyncIterator]()
  let former = await next(state)
  let last: string | undefined
  try {
    for await (const { header, entries } of options.manifest.parts()) {
      const gone = new Set(header.gone)
      const samples = entries()
      for await (const { shard, object } of fetchAhead(options, header)) {
        if (object === undefined) {
          if (options.mayLack) continue
          throw new Error(`${fileOf(options, shard)} is missing, so the run is not complete; start it again.`)
        }
        const expected = samples.slice(shard.offset, shard.offset + shard.count)
        const records = checkedRecords(object.records, expected, fileOf(options, shard))
        for (const record of records) {
          if (last !== undefined && compareKeys(last, record.key) >= 0) {
            throw new Error(
              `${fileOf(options, shard)} holds ${record.key}, which is not after ${last}: a record is double.`,
            )
          }
          last = record.key
          for (; former !== undefined && compareKeys(former.key, record.key) < 0; former = await next(state)) {
            if (!gone.has(former.key)) yield { row: former, isComputed: false }
          }
          if (former?.key === record.key) former = await next(state)
          yield { row: tableRow(record), isComputed: true }
        }
        if (object.magnitudes !== undefined) {
          const ok = records.filter(({ status }) => status === 'ok').length
          if (object.magnitudes.byteLength === ok * options.objectives.length * magnitudeBytes)
            passMagnitudes(object.magnitudes, options)
          // Two workers that met different faults wrote one file each: which map is whose cannot be told any more.
          else
            options.log.warn(
              `the magnitude maps beside ${fileOf(options, shard)} are not those of its ${ok} results; the summary leaves them out`,
            )
        }
      }
      // Up to its `through` this part says what is gone; the next part speaks of later keys only.
      for (; former !== undefined && compareKeys(former.key, header.through) <= 0; former = await next(state)) {
        if (!gone.has(former.key)) yield { row: former, isComputed: false }
      }
    }
    for (; former !== undefined; former = await next(state)) yield { row: former, isComputed: false }
  } finally {
    await state.return?.(undefined)
  }
}

interface ShardFiles {
  readonly records: string
  readonly magnitudes: Uint8Array | undefined
}

async function* fetchAhead(
  options: MergeOptions,
  header: ManifestHeader,
): AsyncGenerator<{ shard: Shard; object: ShardFiles | undefined }> {
  const waiting: { shard: Shard; object: Promise<ShardFiles | undefined> }[] = []
  for (const shard of shardsOf(header)) {
    const object = fetchShard(options, shard)
    // Awaited below, maybe after another has failed: that one is the error to tell.
    object.catch(() => undefined)
    waiting.push({ shard, object })
    const first = waiting.length > ahead ? waiting.shift() : undefined
    if (first !== undefined) yield { shard: first.shard, object: await first.object }
  }
  for (const { shard, object } of waiting) yield { shard, object: await object }
}

async function fetchShard(options: MergeOptions, { part, offset }: Shard): Promise<ShardFiles | undefined> {
  const { output, set, run, objectives } = options
  const records = await output.get(layout.recordFile(set, run, part, offset))
  if (records === undefined) return undefined
  const magnitudes = objectives.length < 2 ? undefined : await output.get(layout.magnitudeFile(set, run, part, offset))
  return { records: Buffer.from(records.bytes).toString('utf8'), magnitudes: magnitudes?.bytes }
}

function checkedRecords(text: string, expected: readonly ManifestEntry[], file: string): SampleRecord[] {
  const lines = text.split('\n').filter((line) => line !== '')
  if (lines.length !== expected.length) {
    throw new Error(
      `${file} holds ${lines.length} records, the manifest ${expected.length} samples; remove that file and start the run again.`,
    )
  }
  return lines.map((line, i) => {
    const record = recordSchema.parse(JSON.parse(line))
    const entry = expected[i]
    if (record.key !== entry?.key || record.fingerprint !== entry.fingerprint) {
      throw new Error(
        `${file} holds ${record.key} where the manifest has ${entry?.key}; remove that file and start the run again.`,
      )
    }
    return record
  })
}

/** See `magnitudeBytes` in output/record.ts: samples in order, objectives in order, 28 × 28 float16 each. */
function passMagnitudes(bytes: Uint8Array, { objectives, onMagnitudes }: MergeOptions): void {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const values = float16Values()
  const sampleBytes = magnitudeBytes * objectives.length
  for (let start = 0; start + sampleBytes <= bytes.byteLength; start += sampleBytes) {
    const maps = new Map<string, Float32Array>()
    for (const [i, objective] of objectives.entries()) {
      const map = new Float32Array(magnitudeSide * magnitudeSide)
      for (let j = 0; j < map.length; j++) {
        map[j] = values[view.getUint16(start + i * magnitudeBytes + 2 * j, true)] ?? 0
      }
      maps.set(objective, map)
    }
    onMagnitudes(maps)
  }
}

function fileOf({ output, set, run }: MergeOptions, { part, offset }: Shard): string {
  return `${output.uri}${layout.records(set, run)}${shardName(part, offset)}.jsonl`
}

async function next(state: AsyncIterator<TableRow>): Promise<TableRow | undefined> {
  const result = await state.next()
  return result.done === true ? undefined : result.value
}
