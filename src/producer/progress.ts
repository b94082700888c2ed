import { shardName } from '../output/layout.ts'
import type { Shard } from '../output/manifest.ts'
import type { ReportProgress } from '../report/writeReport.ts'
import type { Shards } from './shards.ts'

/** How far a run is. Counts are of samples. */
export interface RunProgress {
  /** Undefined until the run is opened. */
  readonly run?: string
  readonly phase: 'waiting' | 'listing' | 'computing' | 'finalizing'
  readonly listed: number
  /** Null while the listing goes on. */
  readonly toCompute: number | null
  /** Computed by this run, failed ones and shards at work included. */
  readonly computed: number
  /** As far as this producer has heard: what was committed before it came is counted at the end. */
  readonly failed: number
  readonly unchanged: number
  /** While the report is drawn; null when none will be. */
  readonly report?: ReportProgress | null | undefined
  /** What is out of the ordinary right now; undefined when nothing is. */
  readonly message?: string | undefined
  /** Whether the log tells the message already. */
  readonly isLogged?: boolean | undefined
}

/** Progress goes out at most this often: a hundred workers report every second. */
const reportMs = 200

type ShardName = Pick<Shard, 'part' | 'offset'>

/** Adds up what is known of a run and tells it to one listener, not too often, the last state always. */
export class ProgressReport {
  readonly #tell: (progress: RunProgress) => void
  #progress: RunProgress = { phase: 'waiting', listed: 0, toCompute: null, computed: 0, failed: 0, unchanged: 0 }
  readonly #atWork = new Map<string, { shard: ShardName; computed: number; failed: number }>()
  #committed = 0
  #failed = 0
  #timer: NodeJS.Timeout | undefined
  #toldAt = -Infinity

  constructor(tell: (progress: RunProgress) => void) {
    this.#tell = tell
  }

  get current(): RunProgress {
    return this.#progress
  }

  update(change: Partial<RunProgress>): void {
    const isUrgent = 'message' in change || (change.phase !== undefined && change.phase !== this.#progress.phase)
    // Belongs to the message it came with.
    const said = 'message' in change ? { isLogged: change.isLogged ?? false } : {}
    this.#progress = { ...this.#progress, ...change, ...said }
    const wait = isUrgent ? 0 : this.#toldAt + reportMs - performance.now()
    if (wait <= 0) this.#tellNow()
    else this.#timer ??= setTimeout(() => this.#tellNow(), wait)
  }

  /** A worker reports from within a shard. */
  shardAdvanced(shard: ShardName, counts: { computed: number; failed: number }): void {
    this.#atWork.set(shardName(shard.part, shard.offset), { shard, ...counts })
    this.#add()
  }

  /** A shard's job ended with a result. */
  shardEnded(shard: ShardName, counts: { computed: number; failed: number }): void {
    this.#atWork.delete(shardName(shard.part, shard.offset))
    this.#failed += counts.failed
    this.#add()
  }

  /** A shard's job ended without a result. */
  shardLeft(shard: ShardName): void {
    this.#atWork.delete(shardName(shard.part, shard.offset))
    this.#add()
  }

  /** Which shards have their record file: that a job ended may not have been heard. */
  committed(shards: Pick<Shards, 'samplesDone' | 'isDone'>): void {
    this.#committed = shards.samplesDone
    for (const [name, { shard }] of this.#atWork) if (shards.isDone(shard)) this.#atWork.delete(name)
    this.#add()
  }

  /** Tells what has not been told yet; nothing comes afterwards. */
  stop(): void {
    if (this.#timer !== undefined) this.#tellNow()
  }

  #add(): void {
    let computed = this.#committed
    let failed = this.#failed
    for (const shard of this.#atWork.values()) {
      computed += shard.computed
      failed += shard.failed
    }
    this.update({ computed, failed })
  }

  #tellNow(): void {
    clearTimeout(this.#timer)
    this.#timer = undefined
    this.#toldAt = performance.now()
    this.#tell(this.#progress)
  }
}
