import { aheadOf } from '../base/aheadOf.ts'
import type { Logger } from '../base/telemetry.ts'
import { layout } from '../output/layout.ts'
import { shardsOf, type ManifestEntry, type ManifestHeader, type Shard } from '../output/manifest.ts'
import { checksumsOf } from '../output/mapChecksums.ts'
import type { ShardMaps } from '../output/mapPlaces.ts'
import type { Record as SampleRecord } from '../output/record.ts'
import { readRecordFile, type RecordFile } from '../output/recordFile.ts'
import { samplesMark } from '../output/shardSamples.ts'
import { readSmallMaps, type SmallMaps } from '../output/smallMaps.ts'
import type { Store } from '../storage/store.ts'

export interface ShardFilesOptions {
  readonly output: Store
  readonly set: string
  readonly run: string
  readonly objectives: readonly string[]
  readonly log: Logger
}

/** What a worker left of a shard. */
export interface ShardFiles {
  readonly shard: Shard
  /** Those that the manifest wants, in its order. */
  readonly records: readonly SampleRecord[]
  /** Small maps of the `ok` ones, in their order; undefined where none is, or their file cannot be used. */
  readonly maps: { readonly file: ShardMaps; readonly small: SmallMaps } | undefined
}

/** Shards fetched ahead of the one that is asked for. */
const ahead = 8

/**
 * The files of a part's shards, one after the other; undefined for a shard without a record file. Checks that records are
 * what the manifest wants: otherwise an Error says which file to remove.
 *
 * @param samples the part's entries
 */
export async function* fetchAhead(
  options: ShardFilesOptions,
  header: ManifestHeader,
  samples: readonly ManifestEntry[],
): AsyncGenerator<{ readonly shard: Shard; readonly files: ShardFiles | undefined }> {
  yield* aheadOf(ahead, shardsOf(header), async (shard) => ({
    shard,
    files: await fetchShard(options, shard, samples.slice(shard.offset, shard.offset + shard.count)),
  }))
}

export function recordFileOf({ output, set, run }: ShardFilesOptions, { part, offset }: Shard): string {
  return `${output.uri}${layout.recordFile(set, run, part, offset)}`
}

async function fetchShard(
  options: ShardFilesOptions,
  shard: Shard,
  expected: readonly ManifestEntry[],
): Promise<ShardFiles | undefined> {
  const found = await readRecordFile(options.output, options.set, options.run, shard)
  if (found === undefined) return undefined
  const records = checkedRecords(found, expected, recordFileOf(options, shard))
  return { shard, records, maps: await fetchMaps(options, shard, records) }
}

async function fetchMaps(
  options: ShardFilesOptions,
  { part, offset }: Shard,
  records: readonly SampleRecord[],
): Promise<ShardFiles['maps']> {
  const { output, set, run, objectives } = options
  const isOk = records.map(({ status }) => status === 'ok')
  const count = isOk.filter((ok) => ok).length
  if (count === 0) return undefined
  // Workers of earlier versions called the file the same whatever was in it; where two met different faults, its size may
  // tell that it is the other's.
  for (const samples of new Set([samplesMark(isOk), ''])) {
    const file = { run, part, offset, samples, count, hasInputs: true }
    const small = await readSmallMaps(output, set, objectives.length, file)
    if (small === undefined) continue
    return { file: { ...file, hasInputs: small.hasInputs, checksums: checksumsOf(small, count) }, small }
  }
  options.log.warn(
    `the magnitude maps beside ${recordFileOf(options, { part, offset, count })} are gone, or are not those of its ` +
      `${count} results; the atlas and what is said of the likeness of maps leave them out`,
  )
  return undefined
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
