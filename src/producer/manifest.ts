import { promisify } from 'node:util'
import { gunzip, gzip } from 'node:zlib'
import type { ShardJob } from '../contract/job.ts'
import { layout } from '../contract/layout.ts'
import { manifestDoneSchema, manifestEntrySchema, manifestHeaderSchema } from '../contract/manifest.ts'
import type { ManifestDone, ManifestEntry, ManifestHeader } from '../contract/manifest.ts'
import type { Store } from '../storage/store.ts'
import { getJson, printJson, putOnce } from '../storage/jsonObject.ts'

const compress = promisify(gzip)
const decompress = promisify(gunzip)

/** Entries of a full part: some 4 MB of JSON, 64 shards of 256. */
export const partEntries = 16_384

/** What is said about a part without its entries. */
export type PartOutline = Pick<ManifestHeader, 'part' | 'count' | 'shardSize'>

/** A slice of a part. */
export type Shard = Pick<ShardJob, 'part' | 'offset' | 'count'>

/**
 * 256 for a full part, so that ten million images make 40,000 jobs; less for a small one, so that a handful of units
 * share even eight images. From 64 images on a multiple of 8: an engine's batch never reaches into the next shard.
 * Depends on the part alone: the same listing is always cut alike.
 */
export function automaticShardSize(count: number): number {
  return count < 64 ? Math.max(1, Math.ceil(count / 8)) : Math.min(256, 8 * Math.ceil(count / (64 * 8)))
}

/** The slices `[0, shardSize), [shardSize, 2·shardSize) …` of a part. */
export function shardsOf({ part, count, shardSize }: PartOutline): Shard[] {
  return Array.from({ length: Math.ceil(count / shardSize) }, (_, i) => ({
    part,
    offset: i * shardSize,
    count: Math.min(shardSize, count - i * shardSize),
  }))
}

/** The manifest of one run in the output store. */
export class Manifest {
  readonly #store: Store
  readonly #set: string
  readonly #run: string

  constructor(store: Store, set: string, run: string) {
    this.#store = store
    this.#set = set
    this.#run = run
  }

  /** PUTs a part; never a second time with other content. */
  async putPart(header: ManifestHeader, entries: readonly ManifestEntry[]): Promise<void> {
    const lines = [header, ...entries].map((line) => `${JSON.stringify(line)}\n`)
    const bytes = await compress(Buffer.from(lines.join('')))
    await putOnce(this.#store, layout.manifestPart(this.#set, this.#run, header.part), bytes)
  }

  /** Closes the listing. */
  async putDone(done: ManifestDone): Promise<void> {
    await putOnce(this.#store, layout.manifestDone(this.#set, this.#run), printJson(done))
  }

  /** Undefined while the listing goes on, or was left off. */
  async done(): Promise<ManifestDone | undefined> {
    return (await getJson(this.#store, layout.manifestDone(this.#set, this.#run), manifestDoneSchema))?.value
  }

  /** The parts so far, one after the other. */
  async *parts(): AsyncGenerator<{ header: ManifestHeader; entries: () => ManifestEntry[] }> {
    for (let part = 0; ; part++) {
      const object = await this.#store.get(layout.manifestPart(this.#set, this.#run, part))
      if (object === undefined) return
      const lines = (await decompress(object.bytes)).toString('utf8').split('\n')
      const header = manifestHeaderSchema.parse(JSON.parse(lines[0] ?? ''))
      yield {
        header,
        // Parsed only when asked for: to resume, headers are enough.
        entries: () => lines.slice(1, 1 + header.count).map((line) => manifestEntrySchema.parse(JSON.parse(line))),
      }
    }
  }
}
