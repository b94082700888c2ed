import type { Box } from '../../dataset/adapter.ts'
import { shardName } from '../../output/layout.ts'
import { Manifest, shardsOf, type Shard } from '../../output/manifest.ts'
import { committedShards, readRecordFile } from '../../output/recordFile.ts'
import type { Store } from '../../storage/store.ts'

/** Images that are shown as the last ones. */
const latestShown = 24
/** Record files that are read in one look: parsing more would keep other requests waiting. Those beyond are only counted. */
const filesRead = 12
/** So many before anybody looked. */
const firstFilesRead = 2
/** Parts of the manifest that are read in one look. */
const partsRead = 8
/**
 * Shards land nearly in order. So far behind the last one is looked each time; what lands further back, as after a failed
 * attempt, is found by the look from the first missing one, each fifteenth time.
 */
const stragglersWithin = 128
const looksBetween = 15
/** Over so long is the rate; of a shorter time it would be noise. */
const rateMs = { most: 60_000, least: 8_000 }

/** One of the last images with maps. */
export interface LatestImage {
  readonly key: string
  readonly crop: Box
}

/** One run at work, as its store tells it. A look costs a listing of the new record files, and reading the newest. */
export class RunWatch {
  readonly #output: Store
  readonly #set: string
  readonly #run: string
  readonly #manifest: Manifest
  /** Of the manifest's parts read so far, in order. */
  readonly #shards: Shard[] = []
  readonly #landed = new Set<string>()
  #parts = 0
  /** Index of the first shard that has not landed, and of the last that has. */
  #firstMissing = 0
  #lastLanded = -1
  #looks = 0
  #isBehind = false
  #done = 0
  #total: number | null = null
  #read = 0
  #latest: LatestImage[] = []
  readonly #failures = new Map<string, number>()
  #course: { readonly atMs: number; readonly done: number }[] = []

  constructor(output: Store, set: string, run: string) {
    this.#output = output
    this.#set = set
    this.#run = run
    this.#manifest = new Manifest(output, set, run)
  }

  get done(): number {
    return this.#done
  }

  /** Null while the listing goes on. */
  get total(): number | null {
    return this.#total
  }

  /** Images whose records were read. */
  get read(): number {
    return this.#read
  }

  get failuresByCode(): Readonly<Record<string, number>> {
    return Object.fromEntries([...this.#failures].toSorted(([, a], [, b]) => b - a))
  }

  /** Newest first. */
  get latest(): readonly LatestImage[] {
    return this.#latest
  }

  /** Null until it has been looked at for a while. */
  get imagesPerSecond(): number | null {
    const [first, last] = [this.#course[0], this.#course.at(-1)]
    if (first === undefined || last === undefined || last.atMs - first.atMs < rateMs.least) return null
    return ((last.done - first.done) * 1000) / (last.atMs - first.atMs)
  }

  /** Looks what has landed. Raises what the store raises. */
  async look(nowMs: number): Promise<void> {
    // What was done for hours before anybody looked says nothing of the rate, and is too much to read.
    const isCatchingUp = this.#looks === 0 || this.#isBehind
    this.#isBehind = await this.#readManifest()
    const landed = await this.#landedNow()
    this.#looks++
    for (const shard of landed.slice(isCatchingUp ? -firstFilesRead : -filesRead)) await this.#readRecords(shard)
    if (isCatchingUp) this.#course = []
    this.#course = [
      ...this.#course.filter(({ atMs }) => nowMs - atMs <= rateMs.most),
      { atMs: nowMs, done: this.#done },
    ]
  }

  /** Whether there may be more parts than were read. */
  async #readManifest(): Promise<boolean> {
    if (this.#total !== null) return false
    const done = await this.#manifest.done()
    for (let read = 0; read < partsRead; read++) {
      const part = await this.#manifest.part(this.#parts)
      if (part === undefined) {
        // All parts are there before the listing is closed.
        this.#total = done?.toCompute ?? null
        return false
      }
      this.#parts++
      this.#shards.push(...shardsOf(part.header))
    }
    return true
  }

  /** The shards that have landed since the last look, in the order of the manifest. */
  async #landedNow(): Promise<Shard[]> {
    const from = this.#looks % looksBetween === 0 ? 0 : this.#lastLanded - stragglersWithin
    const after = this.#shards[Math.max(this.#firstMissing, from) - 1]
    const there = new Set<string>()
    for await (const { part, offset } of committedShards(this.#output, this.#set, this.#run, after)) {
      const name = shardName(part, offset)
      if (!this.#landed.has(name)) there.add(name)
    }
    const landed: Shard[] = []
    // Those of parts that were not read yet are found again once they are.
    for (let at = this.#firstMissing; at < this.#shards.length && there.size > 0; at++) {
      const shard = this.#shards[at]
      if (shard === undefined || !there.delete(shardName(shard.part, shard.offset))) continue
      this.#landed.add(shardName(shard.part, shard.offset))
      this.#lastLanded = Math.max(this.#lastLanded, at)
      this.#done += shard.count
      landed.push(shard)
    }
    while (this.#isLanded(this.#firstMissing)) this.#firstMissing++
    return landed
  }

  #isLanded(at: number): boolean {
    const shard = this.#shards[at]
    return shard !== undefined && this.#landed.has(shardName(shard.part, shard.offset))
  }

  async #readRecords(shard: Shard): Promise<void> {
    const file = await readRecordFile(this.#output, this.#set, this.#run, shard)
    for (const record of file?.records() ?? []) {
      this.#read++
      if (record.status === 'failed') {
        this.#failures.set(record.code, (this.#failures.get(record.code) ?? 0) + 1)
        continue
      }
      const [x0, y0, x1, y1] = record.crop
      this.#latest.unshift({ key: record.key, crop: { x0, y0, x1, y1 } })
      this.#latest.length = Math.min(this.#latest.length, latestShown)
    }
  }
}
