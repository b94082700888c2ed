import { aheadOf } from '../base/aheadOf.ts'
import { layout } from '../output/layout.ts'
import { magnitudeBytes } from '../output/magnitudeFile.ts'
import type { MapPlace, ShardMaps } from '../output/mapPlaces.ts'
import { mapPixels } from '../output/poseMaps.ts'
import { readRecordFile } from '../output/recordFile.ts'
import { readRun, runIds } from '../output/runs.ts'
import { samplesMark } from '../output/shardSamples.ts'
import { stateRows } from '../output/stateRows.ts'
import { compareKeys } from '../storage/keyOrder.ts'
import type { Store } from '../storage/store.ts'

export interface RecordedPlacesOptions {
  readonly output: Store
  readonly set: string
  /** The run whose table is the state. */
  readonly run: string
  /** How many the result set has. */
  readonly objectives: number
}

/** A record of a sample that did not fail, whose small maps are there. */
interface Recorded {
  readonly key: string
  readonly fingerprint: string
  readonly place: MapPlace
}

/**
 * Where the small maps of each row of a state lie, found in the records of all runs up to it, which are sorted by key as
 * its table is: those of the newest run that has computed the sample as the row has it. For states of earlier versions,
 * which did not write it down. Holds a few shards of each run.
 */
export async function* recordedPlaces(options: RecordedPlacesOptions): AsyncGenerator<MapPlace | null> {
  const { output, set, run } = options
  const heads = new Heads()
  for (const [age, name] of (await runsWithRecords(options)).entries()) {
    await heads.add(new RunRecords(age, shardsOfRun(options, name)))
  }
  for await (const row of stateRows(output, set, run, ['key', 'fingerprint', 'status'])) {
    let place: MapPlace | null = null
    for (let head = heads.first(); head !== undefined; head = heads.first()) {
      if (compareKeys(head.key, row.key) > 0) break
      // Of equal keys the newest comes last. A row that failed may have an older record that did not: it has no maps now.
      if (head.key === row.key && head.fingerprint === row.fingerprint && row.status === 'ok') place = head.place
      await heads.advance()
    }
    yield place
  }
}

/** Oldest first. */
async function runsWithRecords({ output, set, run }: RecordedPlacesOptions): Promise<string[]> {
  const wanted: string[] = []
  for (const name of await runIds(output, set)) {
    if (name > run) continue
    const found = await readRun(output, set, name)
    // Of an open run nothing is in the state, unless it is the one that published it and then died.
    if (found !== undefined && (found.state !== 'open' || name === run) && found.counts?.computed !== 0)
      wanted.push(name)
  }
  return wanted
}

/** Shards of a run that are read ahead. */
const ahead = 2

async function* shardsOfRun(options: RecordedPlacesOptions, run: string): AsyncGenerator<readonly Recorded[]> {
  yield* aheadOf(ahead, listedShards(options, run), (shard) => readShard(options, run, shard))
}

/** The files of a shard: size by name. */
interface ListedShard {
  readonly part: number
  readonly offset: number
  readonly sizes: ReadonlyMap<string, number>
}

async function* listedShards({ output, set }: RecordedPlacesOptions, run: string): AsyncGenerator<ListedShard> {
  const prefix = layout.records(set, run)
  let shard: { part: number; offset: number; sizes: Map<string, number> } | undefined
  for await (const { key, sizeBytes } of output.list({ prefix })) {
    const [part = NaN, offset = NaN] = /^(\d+)-(\d+)\./.exec(key.slice(prefix.length))?.slice(1).map(Number) ?? []
    if (Number.isNaN(part)) continue
    if (shard?.part !== part || shard.offset !== offset) {
      if (shard !== undefined) yield shard
      shard = { part, offset, sizes: new Map() }
    }
    shard.sizes.set(key, sizeBytes)
  }
  if (shard !== undefined) yield shard
}

async function readShard(
  { output, set, objectives }: RecordedPlacesOptions,
  run: string,
  { part, offset, sizes }: ListedShard,
): Promise<readonly Recorded[]> {
  const found = await readRecordFile(output, set, run, { part, offset })
  if (found === undefined) return []
  const records = Array.from(found.records(), ({ key, fingerprint, status }) => ({
    key,
    fingerprint,
    isOk: status === 'ok',
  }))
  const isOk = records.map((record) => record.isOk)
  const count = isOk.filter((ok) => ok).length
  const samples = [samplesMark(isOk), ''].find(
    (mark) => sizes.get(layout.magnitudeFile(set, run, part, offset, mark)) === count * objectives * magnitudeBytes,
  )
  if (samples === undefined) return []
  const hasInputs = sizes.get(layout.inputFile(set, run, part, offset, samples)) === count * mapPixels
  const file: ShardMaps = { run, part, offset, samples, count, hasInputs }
  return records
    .filter((record) => record.isOk)
    .map(({ key, fingerprint }, slot) => ({ key, fingerprint, place: { file, slot } }))
}

/** The records of one run, one after the other. */
class RunRecords {
  readonly age: number
  readonly #shards: AsyncIterator<readonly Recorded[]>
  #records: readonly Recorded[] = []
  #at = 0

  /** @param age 0 for the oldest run */
  constructor(age: number, shards: AsyncIterator<readonly Recorded[]>) {
    this.age = age
    this.#shards = shards
  }

  /** Undefined after the last, and before `advance`. */
  get record(): Recorded | undefined {
    return this.#records[this.#at]
  }

  async advance(): Promise<void> {
    this.#at++
    while (this.#at >= this.#records.length) {
      const shard = await this.#shards.next()
      if (shard.done === true) return
      this.#records = shard.value
      this.#at = 0
    }
  }
}

/** The records of several runs by key; of equal keys that of the oldest run first. A binary heap: there may be many runs. */
class Heads {
  readonly #runs: RunRecords[] = []

  first(): Recorded | undefined {
    return this.#runs[0]?.record
  }

  async add(run: RunRecords): Promise<void> {
    await run.advance()
    if (run.record === undefined) return
    let at = this.#runs.push(run) - 1
    while (at > 0) {
      const parent = (at - 1) >> 1
      if (!this.#isBefore(at, parent)) return
      this.#swap(at, parent)
      at = parent
    }
  }

  /** Leaves the first record behind. */
  async advance(): Promise<void> {
    const [run] = this.#runs
    await run?.advance()
    if (run?.record === undefined) {
      const last = this.#runs.pop()
      if (last !== undefined && last !== run) this.#runs[0] = last
    }
    let at = 0
    for (;;) {
      let least = at
      for (const child of [2 * at + 1, 2 * at + 2]) if (this.#isBefore(child, least)) least = child
      if (least === at) return
      this.#swap(at, least)
      at = least
    }
  }

  #isBefore(at: number, other: number): boolean {
    const [a, b] = [this.#runs[at], this.#runs[other]]
    if (a?.record === undefined || b?.record === undefined) return false
    return (compareKeys(a.record.key, b.record.key) || a.age - b.age) < 0
  }

  #swap(at: number, other: number): void {
    const [a, b] = [this.#runs[at], this.#runs[other]]
    if (a === undefined || b === undefined) return
    this.#runs[at] = b
    this.#runs[other] = a
  }
}
