import type { Logger } from '../base/telemetry.ts'
import { layout } from '../output/layout.ts'
import { magnitudeBytes, magnitudeMaps } from '../output/magnitudeFile.ts'
import { shardsOf, type Manifest, type ManifestEntry, type ManifestHeader, type Shard } from '../output/manifest.ts'
import type { Record as SampleRecord } from '../output/record.ts'
import { readRecordFile, type RecordFile } from '../output/recordFile.ts'
import { samplesMark } from '../output/shardSamples.ts'
import { tableRow, type TableRow } from '../output/table.ts'
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
          if (object.magnitudes.byteLength === ok * options.objectives.length * magnitudeBytes) {
            for (const maps of magnitudeMaps(object.magnitudes, options.objectives)) options.onMagnitudes(maps)
          } else {
            // Workers of earlier versions that met different faults wrote one file under one name: which map is whose
            // cannot be told any more.
            options.log.warn(
              `the magnitude maps beside ${fileOf(options, shard)} are not those of its ${ok} results; the summary leaves them out`,
            )
          }
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
  readonly records: RecordFile
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

async function fetchShard(options: MergeOptions, shard: Shard): Promise<ShardFiles | undefined> {
  const { output, set, run, objectives } = options
  const records = await readRecordFile(output, set, run, shard)
  if (records === undefined) return undefined
  if (objectives.length < 2) return { records, magnitudes: undefined }
  const samples = samplesMark(Array.from(records.records(), ({ status }) => status === 'ok'))
  const { part, offset } = shard
  const magnitudes =
    (await output.get(layout.magnitudeFile(set, run, part, offset, samples))) ??
    (await output.get(layout.magnitudeFile(set, run, part, offset)))
  return { records, magnitudes: magnitudes?.bytes }
}

function checkedRecords(found: RecordFile, expected: readonly ManifestEntry[], file: string): SampleRecord[] {
  if (found.count !== expected.length) {
    throw new Error(
      `${file} holds ${found.count} records, the manifest ${expected.length} samples; remove that file and start the run again.`,
    )
  }
  return Array.from(found.records(), (record, i) => {
    const entry = expected[i]
    if (record.key !== entry?.key || record.fingerprint !== entry.fingerprint) {
      throw new Error(
        `${file} holds ${record.key} where the manifest has ${entry?.key}; remove that file and start the run again.`,
      )
    }
    return record
  })
}

function fileOf({ output, set, run }: MergeOptions, { part, offset }: Shard): string {
  return `${output.uri}${layout.recordFile(set, run, part, offset)}`
}

async function next(state: AsyncIterator<TableRow>): Promise<TableRow | undefined> {
  const result = await state.next()
  return result.done === true ? undefined : result.value
}
