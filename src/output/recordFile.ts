import type { Store } from '../storage/store.ts'
import { parseLine } from './jsonObject.ts'
import { layout } from './layout.ts'
import type { Shard } from './manifest.ts'
import { recordSchema, type Record as SampleRecord } from './record.ts'

/** The place of a shard in its run's manifest, after which its files are named. */
type ShardPlace = Pick<Shard, 'part' | 'offset'>

/** A shard's record file as it was read. */
export interface RecordFile {
  /** How many records it holds. */
  readonly count: number
  /** Parses one record after the other. InputError `bad-layout` at the first line that is none. */
  readonly records: () => Generator<SampleRecord>
}

/** The record file of a shard: one JSON object a line, each line ended. */
export function recordLines(records: readonly SampleRecord[]): string {
  return records.map((record) => `${JSON.stringify(record)}\n`).join('')
}

/** Undefined while the shard is not committed. */
export async function readRecordFile(
  output: Store,
  set: string,
  run: string,
  { part, offset }: ShardPlace,
): Promise<RecordFile | undefined> {
  const key = layout.recordFile(set, run, part, offset)
  const object = await output.get(key)
  if (object === undefined) return undefined
  const text = Buffer.from(object.bytes).toString('utf8')
  const lines = text.split('\n').filter((line) => line !== '')
  return {
    count: lines.length,
    *records() {
      for (const [at, line] of lines.entries())
        yield parseLine(line, recordSchema, () => `line ${at + 1} of ${output.uri}${key}`)
    },
  }
}

/**
 * The shards of a run whose record file is there, in the order of the manifest.
 *
 * @param after only those behind this one
 */
export async function* committedShards(
  output: Store,
  set: string,
  run: string,
  after?: ShardPlace,
): AsyncGenerator<ShardPlace> {
  const prefix = layout.records(set, run)
  const start = after === undefined ? {} : { after: layout.recordFile(set, run, after.part, after.offset) }
  for await (const { key } of output.list({ prefix, ...start })) {
    const match = /^(\d+)-(\d+)\.jsonl$/.exec(key.slice(prefix.length))
    if (match !== null) yield { part: Number(match[1]), offset: Number(match[2]) }
  }
}
