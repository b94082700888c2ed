import { promisify } from 'node:util'
import { gunzip, gzip } from 'node:zlib'
import { z } from 'zod'
import { aheadOf } from '../base/aheadOf.ts'
import type { Truth } from '../dataset/adapter.ts'
import type { Store } from '../storage/store.ts'
import { anothers, getJson, parseLine, printJson, putOnce } from './jsonObject.ts'
import { layout } from './layout.ts'
import { leftOutFileSchema, type LeftOutParts } from './leftOut.ts'
import { digest, resultVersion } from './resultSet.ts'

const box = z.strictObject({ x0: z.number(), y0: z.number(), x1: z.number(), y1: z.number() })
const pose = z.strictObject({ yaw: z.number(), pitch: z.number(), roll: z.number() })

const truthSchema = z.strictObject({
  pose: pose.nullable(),
  box: box.nullable(),
  subject: z.string().nullable(),
  sequence: z.string().nullable(),
  frame: z.string().nullable(),
  face: z.string().optional(),
  class: z.union([z.int().nonnegative(), z.string()]).optional(),
  fault: z.string().optional(),
  faultOf: z.enum(['box', 'rows']).optional(),
})

/** One sample to compute, as a line of a manifest part. `refused` is the code of a sample that cannot be laid out. */
const manifestEntrySchema = z.strictObject({
  key: z.string(),
  etag: z.string(),
  sizeBytes: z.int().nonnegative(),
  fingerprint: z.string(),
  companions: z.array(z.strictObject({ key: z.string(), etag: z.string() })),
  truth: truthSchema.optional(),
  refused: z.enum(['bad-key', 'key-collision']).optional(),
})
export type ManifestEntry = z.infer<typeof manifestEntrySchema>

/**
 * The first line of a part. A part is PUT once and never rewritten; its shards are the slices
 * `[0, shardSize), [shardSize, 2·shardSize) …` of its entries.
 */
const manifestHeaderSchema = z.strictObject({
  schema: z.literal(1),
  part: z.int().nonnegative(),
  /** The last key of the listing that this part accounts for (also when that key itself needs no work). */
  through: z.string(),
  count: z.int().nonnegative(),
  shardSize: z.int().positive(),
  /** Samples met while this part was listed that need no work. */
  unchanged: z.int().nonnegative(),
  /** Keys of the state before this run that the dataset no longer holds. */
  gone: z.array(z.string()),
  /** Listed keys that later ones may start with: what a producer needs to see collisions when it lists on. */
  prefixes: z.array(z.string()).optional(),
})
export type ManifestHeader = z.infer<typeof manifestHeaderSchema>

/** `manifest/done`: the listing is complete. */
const manifestDoneSchema = z.strictObject({
  parts: z.int().nonnegative(),
  toCompute: z.int().nonnegative(),
  unchanged: z.int().nonnegative(),
  gone: z.int().nonnegative(),
})
export type ManifestDone = z.infer<typeof manifestDoneSchema>

/** Digest of all that decides a sample's record, besides the result set's own options. 16 hex digits. */
export function fingerprint(sample: {
  etag: string
  companions: readonly { key: string; etag: string }[]
  truth?: Truth | undefined
}): string {
  // The sentence of the fault says as much, and was there before: with this, too, every such sample would be another.
  const truth = sample.truth && { ...sample.truth, faultOf: undefined }
  return digest([resultVersion, sample.etag, sample.companions, truth ?? null]).slice(0, 16)
}

const compress = promisify(gzip)
const decompress = promisify(gunzip)

/** Entries of a full part: some 4 MB of JSON, 64 shards of 256. */
export const partEntries = 16_384

/** What is said about a part without its entries. */
export type PartOutline = Pick<ManifestHeader, 'part' | 'count' | 'shardSize'>

/** A slice of a part. */
export interface Shard {
  readonly part: number
  /** Of its first entry. */
  readonly offset: number
  readonly count: number
}

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

/** A part as it was read. */
export interface ManifestPart {
  readonly header: ManifestHeader
  /** Entries that are there; as many as the header says, unless the part was cut off. */
  readonly entryCount: number
  /**
   * Parses those of a slice, or all: a part holds up to some 16,000, and to resume, or for one shard, few of them are
   * wanted. InputError `bad-layout` when one is none.
   */
  readonly entries: (start?: number, end?: number) => ManifestEntry[]
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

  /** What the listing has left out, by part. Before the part itself, so that no part is there without it. */
  async putLeftOut(parts: LeftOutParts): Promise<void> {
    await this.#store.put(layout.leftOut(this.#set, this.#run), printJson({ schema: 1, parts }))
  }

  /** Empty when nothing was left out. */
  async leftOut(): Promise<LeftOutParts> {
    return (await getJson(this.#store, layout.leftOut(this.#set, this.#run), leftOutFileSchema))?.value.parts ?? []
  }

  /** Undefined when the part is not there. InputError `bad-layout` when it is another's. */
  async part(part: number): Promise<ManifestPart | undefined> {
    const key = layout.manifestPart(this.#set, this.#run, part)
    const object = await this.#store.get(key)
    if (object === undefined) return undefined
    const place = `${this.#store.uri}${key}`
    const unzipped = await decompress(object.bytes).catch((error: unknown) => {
      throw anothers(place, error)
    })
    const lines = unzipped.toString('utf8').split('\n')
    const line = <Schema extends z.ZodType>(at: number, schema: Schema): z.output<Schema> =>
      parseLine(lines[at], schema, () => `line ${at + 1} of ${place}`)
    const header = line(0, manifestHeaderSchema)
    return {
      header,
      entryCount: lines.length - (lines.at(-1) === '' ? 2 : 1),
      entries: (start = 0, end = header.count) =>
        Array.from({ length: Math.min(end, lines.length - 1) - start }, (_, i) =>
          line(1 + start + i, manifestEntrySchema),
        ),
    }
  }

  /** The parts so far, one after the other, the next one always on its way. Raises what `part` raises. */
  async *parts(): AsyncGenerator<ManifestPart> {
    const all = {
      *[Symbol.iterator]() {
        for (let number = 0; ; number++) yield number
      },
    }
    for await (const part of aheadOf(1, all, (number) => this.part(number))) {
      if (part === undefined) return
      yield part
    }
  }
}
