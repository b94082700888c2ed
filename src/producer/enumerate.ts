import type { Adapter, Sample } from '../dataset/adapter.ts'
import { refuseKey } from '../output/layout.ts'
import type { LeftOutParts } from '../output/leftOut.ts'
import {
  automaticShardSize,
  fingerprint,
  partEntries,
  type Manifest,
  type ManifestDone,
  type ManifestEntry,
  type ManifestHeader,
} from '../output/manifest.ts'
import { retriedCodes } from '../output/record.ts'
import type { Retry } from '../output/runs.ts'
import type { TableRow } from '../output/table.ts'
import { compareKeys } from '../storage/keyOrder.ts'
import type { Store } from '../storage/store.ts'
import { ListedLeftOut } from './listedLeftOut.ts'
import { MapCollisions } from './mapCollisions.ts'

/** What a listing must know about a sample's former record. */
export type StateRow = Pick<TableRow, 'key' | 'fingerprint' | 'status' | 'code'>

export interface EnumerateOptions {
  readonly dataset: Store
  readonly adapter: Adapter
  readonly manifest: Manifest
  /** The state before this run, sorted by key. */
  readonly state: AsyncIterable<StateRow>
  /** The run was only just opened: there is no earlier attempt to go on from. */
  readonly isNew?: boolean
  /** Compute everything anew. */
  readonly full: boolean
  /** Only failed samples of the state (of one code, or any); nothing else is computed, and nothing else goes. */
  readonly retry?: Retry | undefined
  /** Null: chosen by the size of each part. */
  readonly shardSize: number | null
  /** Entries of a full part. */
  readonly partEntries?: number
  readonly signal: AbortSignal
  /** A part has been PUT, or was there already: its shards may be enqueued. */
  readonly onPart: (header: ManifestHeader) => Promise<void>
  /** The first sample of a part has been found that is to be computed; the part itself comes later. */
  readonly onEntry?: () => void
  /** Now and then, and at the end. */
  readonly onListed: (listed: Listed) => void
}

export interface Listed {
  readonly listed: number
  readonly toCompute: number
  readonly unchanged: number
  readonly gone: number
  /** Of those to compute: unchanged but that more of an index's row is read than earlier versions read. */
  readonly readAnew: number
}

/** How many samples pass between two calls of `onListed`. */
const reportEvery = 5_000

/**
 * Lists the dataset into the run's manifest: what is new or changed since the state, and what is gone. Both sides are
 * sorted by key, so one merge pass in constant memory finds it. Goes on after the last part of an earlier attempt.
 */
export async function enumerate(options: EnumerateOptions): Promise<ManifestDone> {
  const { manifest, onPart, onListed, signal } = options
  const listing = new Listing(options)
  if (options.isNew !== true) {
    for await (const { header } of manifest.parts()) {
      signal.throwIfAborted()
      listing.skip(header)
      await onPart(header)
    }
    onListed(listing.listed())
    const present = await manifest.done()
    if (present !== undefined) return present
    listing.resume(await manifest.leftOut())
  }

  const state = options.state[Symbol.asyncIterator]()
  try {
    let former = await nextAfter(state, listing.through)
    let last: string | undefined
    for await (const sample of options.adapter.samples(options.dataset, listing.through, listing.leftOut)) {
      signal.throwIfAborted()
      if (last !== undefined && compareKeys(last, sample.key) >= 0) {
        throw new Error(`The listing is not sorted by UTF-8 bytes: ${sample.key} comes after ${last}.`)
      }
      last = sample.key
      while (former !== undefined && compareKeys(former.key, sample.key) < 0) {
        await listing.gone(former)
        former = await next(state)
      }
      const same = former?.key === sample.key ? former : undefined
      await listing.sample(sample, same)
      if (same !== undefined) former = await next(state)
      if (listing.listed().listed % reportEvery === 0) onListed(listing.listed())
    }
    for (; former !== undefined; former = await next(state)) await listing.gone(former)
    const done = await listing.finish()
    onListed(listing.listed())
    return done
  } finally {
    await state.return?.()
  }
}

/** Whether a run is about a sample at all; a retry is only about some that failed. */
export function isAsked(former: Pick<StateRow, 'status' | 'code'> | undefined, retry: Retry | undefined): boolean {
  if (retry === undefined) return true
  return former?.status === 'failed' && (retry.code === null || retry.code === former.code)
}

/** The part being filled, and the counts of all parts. */
class Listing {
  readonly #options: EnumerateOptions
  readonly #partEntries: number
  readonly #total = { parts: 0, toCompute: 0, unchanged: 0, gone: 0 }
  #collisions = new MapCollisions()
  #entries: ManifestEntry[] = []
  #gone: string[] = []
  #unchanged = 0
  #readAnew = 0
  /** The last key that the parts so far account for. */
  through: string | undefined
  readonly leftOut = new ListedLeftOut()
  #reached: string | undefined

  constructor(options: EnumerateOptions) {
    this.#options = options
    this.#partEntries = options.partEntries ?? partEntries
  }

  listed(): Listed {
    const toCompute = this.#total.toCompute + this.#entries.length
    const unchanged = this.#total.unchanged + this.#unchanged
    const gone = this.#total.gone + this.#gone.length
    return { listed: toCompute + unchanged, toCompute, unchanged, gone, readAnew: this.#readAnew }
  }

  /** Accounts for a part of an earlier attempt. */
  skip(header: ManifestHeader): void {
    this.#count(header)
    this.#collisions = new MapCollisions(header.prefixes)
  }

  /** Goes on with what earlier parts have left out. */
  resume(leftOut: LeftOutParts): void {
    this.leftOut.resume(leftOut, this.#total.parts, this.through)
  }

  async gone(former: StateRow): Promise<void> {
    this.#reached = former.key
    const mayBeThere = this.leftOut.mayHide(former.key)
    this.leftOut.reached(former.key)
    if (mayBeThere || !isAsked(former, this.#options.retry)) {
      // A retry does not list it, but its map is there: a neighbour that is tried again must not take its place.
      this.#collision(former.key)
      this.#unchanged++
      return
    }
    this.#gone.push(former.key)
    if (this.#gone.length >= this.#partEntries) await this.#put()
  }

  async sample(sample: Sample, former: StateRow | undefined): Promise<void> {
    const refused = refuseKey(sample.key) ?? (sample.isGarbled === true ? 'bad-key' : this.#collision(sample.key))
    this.#reached = sample.key
    this.leftOut.reached(sample.key)
    if (!isAsked(former, this.#options.retry)) {
      // What is new in the dataset is no part of a retry, nor of the state that it leaves.
      if (former !== undefined) this.#unchanged++
      return
    }
    const print = fingerprint(sample)
    const { full, retry } = this.#options
    if (!full && retry === undefined && former !== undefined && stands(former, sample, print, refused)) {
      this.#unchanged++
      return
    }
    if (!full && retry === undefined && former !== undefined && isFormerReading(former, sample)) this.#readAnew++
    const { key, etag, sizeBytes, truth } = sample
    const companions = sample.companions.map((companion) => ({ key: companion.key, etag: companion.etag }))
    const extra = { ...(truth === undefined ? {} : { truth }), ...(refused === undefined ? {} : { refused }) }
    this.#entries.push({ key, etag, sizeBytes, fingerprint: print, companions, ...extra })
    if (this.#entries.length === 1) this.#options.onEntry?.()
    if (this.#entries.length >= this.#partEntries) await this.#put()
  }

  #collision(key: string): 'key-collision' | undefined {
    return this.#collisions.collides(key) ? 'key-collision' : undefined
  }

  async finish(): Promise<ManifestDone> {
    if (this.#reached !== undefined) await this.#put()
    // What comes after the last sample.
    await this.#putLeftOut(undefined)
    await this.#options.manifest.putDone(this.#total)
    return this.#total
  }

  async #put(): Promise<void> {
    const count = this.#entries.length
    const header: ManifestHeader = {
      schema: 1,
      part: this.#total.parts,
      through: this.#reached ?? '',
      count,
      shardSize: this.#options.shardSize ?? automaticShardSize(count),
      unchanged: this.#unchanged,
      gone: this.#gone,
      prefixes: [...this.#collisions.prefixes],
    }
    await this.#putLeftOut(header.through)
    await this.#options.manifest.putPart(header, this.#entries)
    this.#count(header)
    this.#entries = []
    this.#gone = []
    this.#unchanged = 0
    this.#reached = undefined
    // Only now: a shard must never be in the queue before its manifest is in the store.
    await this.#options.onPart(header)
  }

  async #putLeftOut(through: string | undefined): Promise<void> {
    // A retry lists a few places only, whose counts would say nothing.
    if (!this.leftOut.close(this.#total.parts, through) || this.#options.retry !== undefined) return
    await this.#options.manifest.putLeftOut(this.leftOut.parts)
  }

  #count(header: ManifestHeader): void {
    this.#total.parts++
    this.#total.toCompute += header.count
    this.#total.unchanged += header.unchanged
    this.#total.gone += header.gone.length
    this.through = header.through
  }
}

/**
 * Whether a sample's former record still holds. A fingerprint knows nothing of the neighbours, so a collision that came
 * or went is seen by the code. Nor does it know whose fault a row's is: a worker that took a manifest of an earlier
 * version, which did not say, may have computed the whole image in place of a box.
 */
function stands(former: StateRow, sample: Sample, print: string, refused: string | undefined): boolean {
  if (former.status === 'ok' && sample.truth?.faultOf !== undefined) return false
  const wasRefused = former.code === 'bad-key' || former.code === 'key-collision' ? former.code : undefined
  if (former.fingerprint !== print || wasRefused !== refused) return false
  return former.status === 'ok' || former.code === null || !retriedCodes.has(former.code)
}

/** Whether the record was made from the same image and row by a version that read less of the row. */
function isFormerReading(former: StateRow, sample: Sample): boolean {
  const { formerTruth } = sample
  return formerTruth !== undefined && former.fingerprint === fingerprint({ ...sample, truth: formerTruth })
}

async function next(state: AsyncIterator<StateRow>): Promise<StateRow | undefined> {
  const result = await state.next()
  return result.done === true ? undefined : result.value
}

async function nextAfter(state: AsyncIterator<StateRow>, through: string | undefined): Promise<StateRow | undefined> {
  let row = await next(state)
  while (row !== undefined && through !== undefined && compareKeys(row.key, through) <= 0) row = await next(state)
  return row
}
