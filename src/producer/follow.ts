import { backoffMs, type Backoff } from '../base/backoff.ts'
import { TransientError } from '../base/errors.ts'
import { readFlags } from '../output/flags.ts'
import { shardName } from '../output/layout.ts'
import type { Shard } from '../output/manifest.ts'
import type { Store } from '../storage/store.ts'
import type { ShardQueue } from './shardQueue.ts'
import type { Shards } from './shards.ts'

export interface FollowOptions {
  readonly output: Store
  readonly set: string
  readonly run: string
  readonly shards: Shards
  readonly queue: Pick<ShardQueue, 'add' | 'promote' | 'reclaim' | 'unknown' | 'workers'>
  /** Whether all parts are listed. */
  readonly isListed: () => boolean
  readonly signal: AbortSignal
  /** `isLogged`: the log tells it already. */
  readonly onMessage: (message: string | undefined, isLogged?: boolean) => void
  /** Said when shards wait and nobody takes any; null where a worker comes with the run. */
  readonly lonelyMessage: string | null
  readonly onRecordsListed: () => void
  readonly times?: FollowTimes
}

export interface FollowTimes {
  readonly pollMs: number
  /** Before a shard whose attempts are exhausted is enqueued again. */
  readonly retrying: Backoff
  /** How long no worker may be there before it is said: workers come up in seconds. */
  readonly lonelyMs?: number
}

const defaultTimes = { pollMs: 2_000, retrying: { firstMs: 10_000, longestMs: 600_000 }, lonelyMs: 5_000 }

/** Listing `records/` may take this share of the time. */
const listingShare = 0.05
/**
 * How long after a resumption jobs are fetched back that workers put aside: a worker whose last look at the flags is
 * seconds old puts them aside once more. Longer than workers wait between two looks (5 s).
 */
const promotionMs = 8_000
/**
 * How long after a resumption, or a start, jobs that workers put aside are given their places again when they have come
 * back by themselves. Longer than workers put them aside for (30 s, give or take a quarter).
 */
const reclaimingMs = 45_000
/** How many missing shards of either end are looked up in the queue. Redis loses all, or what came last. */
const probes = 8

/**
 * Waits until every shard has its record file, or the run's flags say `cancelled`. While they say `paused` nothing is
 * enqueued: workers hand the jobs back and leave them alone for a while. The queue is only today's work: shards
 * that it has lost are enqueued again, and so are those whose attempts are exhausted, at growing intervals. Redis or the
 * store being away for a while is said and waited out.
 */
export class Following {
  readonly #options: FollowOptions
  readonly #times: Required<FollowTimes>
  readonly #failed = new Map<string, { shard: Shard; times: number; notBefore: number }>()
  #nextListing = 0
  #wake: () => void = () => undefined
  #isWoken = false
  /** A message about failed or lost shards still stands. */
  #hasComplained = false
  #isPaused = false
  /** Since when shards wait and no worker is there. */
  #lonelySince: number | undefined
  #isLonely = false
  #promoteUntil = -Infinity
  /** A producer before this one may have ended while the run was paused. */
  #reclaimUntil = performance.now() + reclaimingMs
  #hasReclaimed = false

  constructor(options: FollowOptions) {
    this.#options = options
    this.#times = { ...defaultTimes, ...options.times }
  }

  /** Whether the run's flags said `paused` when they were last read. */
  get isPaused(): boolean {
    return this.#isPaused
  }

  /** Looks at once: something may have ended. */
  wake(): void {
    this.#isWoken = true
    this.#wake()
  }

  /** A job's attempts are exhausted. */
  failed(shard: Pick<Shard, 'part' | 'offset'>, reason: string): void {
    const name = shardName(shard.part, shard.offset)
    const known = this.#options.shards.missingShard(shard)
    if (known === undefined) return
    const times = (this.#failed.get(name)?.times ?? 0) + 1
    const delayMs = backoffMs(this.#times.retrying, times)
    this.#failed.set(name, { shard: known, times, notBefore: performance.now() + delayMs })
    this.#complain(
      `shard ${name} failed ${times === 1 ? '' : `${times} times `}(${reason}); tried again in ${Math.round(delayMs / 1000)} s`,
    )
  }

  async end(): Promise<'completed' | 'cancelled'> {
    const { output, set, run, signal, shards, queue, isListed, onMessage } = this.#options
    let complaint: string | undefined
    for (;;) {
      signal.throwIfAborted()
      this.#isWoken = false
      try {
        const flags = await readFlags(output, set, run)
        if (flags.cancelled) return 'cancelled'
        await this.#listRecords()
        if (isListed() && shards.missingCount === 0) return 'completed'
        await this.#followPause(flags.paused)
        if (!flags.paused) await this.#enqueueAgain()
        await this.#lookForWorkers(flags.paused)
        if (!flags.paused && performance.now() < this.#promoteUntil) await queue.promote()
        if (!flags.paused && performance.now() < this.#reclaimUntil) await this.#reclaim()
        if (complaint !== undefined) onMessage(this.#standing())
        complaint = undefined
      } catch (error) {
        if (!(error instanceof TransientError)) throw error
        if (complaint !== error.message) onMessage(error.message, error.code === 'queue-lost')
        complaint = error.message
      }
      await this.#pause()
    }
  }

  async #followPause(paused: boolean): Promise<void> {
    if (paused === this.#isPaused) return
    this.#isPaused = paused
    const { shards, queue, onMessage } = this.#options
    onMessage(paused ? this.#pausedMessage() : undefined)
    if (paused) return
    try {
      // Those that are in the queue stay as they are; those that were listed meanwhile, or lost, are not in it.
      await queue.add(shards.missing, { anew: true })
      this.#promoteUntil = performance.now() + promotionMs
      this.#reclaimUntil = performance.now() + reclaimingMs
    } catch (error) {
      this.#isPaused = true
      throw error
    }
  }

  async #reclaim(): Promise<void> {
    // Once is enough: what workers put aside later comes back by itself in time. Without workers nothing does.
    await this.#options.queue.reclaim({ delayed: !this.#hasReclaimed })
    this.#hasReclaimed = true
  }

  /** What stays to be said when something else is over. */
  #standing(): string | undefined {
    if (this.#isPaused) return this.#pausedMessage()
    return (this.#isLonely ? this.#options.lonelyMessage : null) ?? undefined
  }

  async #lookForWorkers(paused: boolean): Promise<void> {
    const { shards, queue, lonelyMessage, onMessage } = this.#options
    if (lonelyMessage === null) return
    const isLonely = !paused && shards.missingCount > 0 && (await queue.workers()) === 0
    const now = performance.now()
    this.#lonelySince = isLonely ? (this.#lonelySince ?? now) : undefined
    const isLong = this.#lonelySince !== undefined && now - this.#lonelySince >= this.#times.lonelyMs
    if (isLong === this.#isLonely) return
    this.#isLonely = isLong
    onMessage(this.#standing())
  }

  #pausedMessage(): string {
    return `paused; headlight resume ${this.#options.run} lets it go on`
  }

  async #listRecords(): Promise<void> {
    const { shards, isListed } = this.#options
    // When all seem done nothing is waited for: only the listing can close the run.
    const seemsDone = isListed() && shards.missingCount === 0
    if (!seemsDone && performance.now() < this.#nextListing) return
    const began = performance.now()
    await shards.refresh()
    const took = performance.now() - began
    this.#options.onRecordsListed()
    this.#nextListing = performance.now() + Math.max(this.#times.pollMs, took / listingShare)
  }

  async #enqueueAgain(): Promise<void> {
    const { shards, queue } = this.#options
    const now = performance.now()
    for (const [name, { shard }] of this.#failed) if (!shards.isMissing(shard)) this.#failed.delete(name)
    const due = [...this.#failed.values()].filter(({ notBefore }) => notBefore <= now)
    if (due.length > 0) {
      await queue.add(due.map(({ shard }) => shard))
      // Stays noted, so that the next failure waits longer.
      for (const { shard, times } of due) {
        this.#failed.set(shardName(shard.part, shard.offset), { shard, times, notBefore: Infinity })
      }
    }

    const expected = () => shards.missing.filter((shard) => this.#isExpectedInQueue(shard))
    const candidates = expected()
    const probed =
      candidates.length <= 2 * probes ? candidates : [...candidates.slice(0, probes), ...candidates.slice(-probes)]
    const unknown = probed.length === 0 ? [] : await queue.unknown(probed)
    if (unknown.length === 0) {
      if (this.#failed.size === 0) this.#calm()
      return
    }
    // A job leaves the queue when it is done: only what is still missing after a fresh look is lost.
    await shards.refresh()
    if (!unknown.some((shard) => this.#isExpectedInQueue(shard) && shards.isMissing(shard))) return
    const lost = expected()
    this.#complain(`the queue has lost shards; ${lost.length} without a record file are enqueued again`)
    await queue.add(lost, { anew: true })
  }

  /** Not while a failed shard waits for its next time: it is rightly not in the queue. */
  #isExpectedInQueue(shard: Shard): boolean {
    const failed = this.#failed.get(shardName(shard.part, shard.offset))
    return failed === undefined || failed.notBefore === Infinity
  }

  #complain(message: string): void {
    this.#hasComplained = true
    this.#options.onMessage(message)
  }

  #calm(): void {
    if (this.#hasComplained) this.#options.onMessage(this.#standing())
    this.#hasComplained = false
  }

  async #pause(): Promise<void> {
    const { signal } = this.#options
    if (this.#isWoken || signal.aborted) return
    await new Promise<void>((resolve) => {
      const timer = setTimeout(() => done(), this.#times.pollMs)
      const done = () => {
        clearTimeout(timer)
        signal.removeEventListener('abort', done)
        resolve()
      }
      this.#wake = done
      signal.addEventListener('abort', done, { once: true })
    })
  }
}
