import type { Job, Queue, QueueEvents } from 'bullmq'
import { TransientError } from '../base/errors.ts'
import { ordinaryPriority } from '../base/runPriority.ts'
import type { Logger } from '../base/telemetry.ts'
import { shardName } from '../output/layout.ts'
import type { Shard } from '../output/manifest.ts'
import { closeWithin } from '../queue/closing.ts'
import { openQueue, openQueueEvents } from '../queue/connection.ts'
import { consumersOf } from '../queue/consumers.ts'
import {
  shardJobId,
  shardJobOptions,
  shardProgressSchema,
  shardResultSchema,
  type ShardJob,
  type ShardResult,
} from '../queue/jobs.ts'
import { sayOutage } from '../queue/outage.ts'
import type { QueueConnection } from '../queue/redisUrl.ts'
import { asidePriority, placeOf, shardPriority } from '../queue/shardPriority.ts'

export interface ShardQueueOptions {
  readonly connection: QueueConnection
  readonly queueName: string
  /** What the jobs of this run have in common. */
  readonly job: Pick<ShardJob, 'run' | 'output' | 'endpoint' | 'set'>
  /** Of the run, beside other runs of the queue; absent: an ordinary one. */
  readonly priority?: number | undefined
  readonly listeners: {
    readonly onResult: (shard: ShardName, result: ShardResult) => void
    readonly onProgress: (shard: ShardName, progress: { computed: number; failed: number }) => void
    /** All attempts of the job have failed. */
    readonly onFailed: (shard: ShardName, reason: string) => void
  }
  readonly log: Logger
}

type ShardName = Pick<Shard, 'part' | 'offset'>

/** Jobs in one call; more would block Redis for other clients, fewer would wait for the network. */
const bulkJobs = 1_000
/** Redis answers in milliseconds or is away; BullMQ's own calls before the first contact would wait for ever. */
const answerTimeoutMs = 10_000
const closeTimeoutMs = 2_000

/** Enough to tell how far the queue has come: more are hardly at work at once. */
const busyJobs = 100

/**
 * One run's jobs in the shards queue, in which runs take turns: the first shard of a run gets the place that the queue
 * has come to, each further one the next place, and the smallest place is taken first. Raises TransientError `queue-lost` while Redis is away. */
export class ShardQueue {
  readonly #job: ShardQueueOptions['job']
  readonly #queue: Queue<ShardJob>
  readonly #events: QueueEvents
  readonly #runPriority: number
  /** Places given, by shard. */
  readonly #places = new Map<string, number>()
  #lastPlace = 0
  readonly #adding = new Set<Promise<unknown>>()
  readonly #onLost: (error: Error) => void

  constructor(options: ShardQueueOptions) {
    const { connection, queueName, log, listeners } = options
    this.#job = options.job
    this.#runPriority = options.priority ?? ordinaryPriority
    this.#onLost = (error) => sayOutage(connection, log, error)
    this.#queue = openQueue<ShardJob, ShardResult>(connection, queueName, log)
    this.#events = openQueueEvents(connection, queueName, log)
    this.#events.on('completed', ({ jobId, returnvalue }) => {
      const shard = this.#shard(jobId)
      const result = shardResultSchema.safeParse(returnvalue)
      if (shard !== undefined && result.success) listeners.onResult(shard, result.data)
    })
    this.#events.on('progress', ({ jobId, data }) => {
      const shard = this.#shard(jobId)
      const progress = shardProgressSchema.safeParse(data)
      if (shard !== undefined && progress.success) listeners.onProgress(shard, progress.data)
    })
    this.#events.on('failed', ({ jobId, failedReason }) => {
      const shard = this.#shard(jobId)
      if (shard !== undefined) listeners.onFailed(shard, failedReason)
    })
  }

  /**
   * Adds jobs; adding one that is in the queue already changes nothing. `anew`: from the place on to which the queue has
   * come by now, whatever places they were given before.
   */
  async add(shards: readonly Shard[], { anew = false } = {}): Promise<void> {
    if (anew) {
      this.#places.clear()
      this.#lastPlace = 0
    }
    const adding = this.#add(shards)
    this.#adding.add(adding)
    try {
      await adding
    } finally {
      this.#adding.delete(adding)
    }
  }

  async #add(shards: readonly Shard[]): Promise<void> {
    if (shards.length === 0) return
    // A run that lists slowly saves up no turns.
    this.#lastPlace = Math.max(this.#lastPlace, await this.#reached())
    for (let i = 0; i < shards.length; i += bulkJobs) {
      const jobs = shards.slice(i, i + bulkJobs).map((shard) => {
        const data: ShardJob = { ...this.#job, ...shard }
        return {
          name: 'shard',
          data,
          opts: { ...shardJobOptions, jobId: shardJobId(data), priority: this.#priority(shard) },
        }
      })
      await this.#answered(this.#queue.addBulk(jobs))
    }
  }

  #priority(shard: ShardName): number {
    const name = shardName(shard.part, shard.offset)
    const place = this.#places.get(name) ?? ++this.#lastPlace
    this.#places.set(name, place)
    return shardPriority(this.#runPriority, place)
  }

  /** The place that shards of this run priority have come to: those that wait have later ones. */
  async #reached(): Promise<number> {
    // One that waits again, after an attempt that failed, may be the first by far: what is at work tells better.
    const first = placeOf(this.#runPriority, (await this.#firstWaiting())?.priority ?? asidePriority)
    const atWork = await this.#placesOf('active')
    if (first !== undefined || atWork.length > 0) return Math.max(...atWork, (first ?? 1) - 1)
    return Math.max(0, ...(await this.#placesOf('delayed')))
  }

  async #placesOf(state: 'active' | 'delayed'): Promise<number[]> {
    const jobs = await this.#answered(this.#queue.getJobs([state], 0, busyJobs - 1))
    const places = jobs.map(({ priority }) => placeOf(this.#runPriority, priority) ?? 0)
    return places.filter((place) => place > 0)
  }

  /** The first job of this run priority or a lower one, looked for by halves: higher ones may be many. */
  async #firstWaiting(): Promise<Job | undefined> {
    let [from, to] = [0, await this.#answered(this.#queue.getPrioritizedCount())]
    let first: Job | undefined
    for (let probe = 0; from < to; probe = (from + to) >> 1) {
      const [job] = await this.#answered(this.#queue.getPrioritized(probe, probe))
      if (job !== undefined && (placeOf(this.#runPriority, job.priority) ?? 1) < 1) from = probe + 1
      else {
        to = probe
        first = job
      }
    }
    return first
  }

  /** Makes jobs of this run that wait for a later time wait no longer. Which of them still do is the queue's to say. */
  async promote(): Promise<void> {
    for (let from = 0; ;) {
      const delayed = await this.#answered(this.#queue.getDelayed(from, from + bulkJobs - 1))
      if (delayed.length === 0) return
      // One that moved on meanwhile needs no help; a Redis that is away says so at the next page.
      const promoted = await Promise.allSettled(
        this.#ours(delayed).map(async ({ job, shard }) => {
          await job.changePriority({ priority: this.#priority(shard) })
          await job.promote()
        }),
      )
      from += delayed.length - promoted.filter(({ status }) => status === 'fulfilled').length
    }
  }

  /**
   * Gives jobs of this run that workers put aside, and that wait behind all others now, their places again. `delayed`:
   * those, too, that still wait for their time and would come back behind all others.
   */
  async reclaim({ delayed = false } = {}): Promise<void> {
    for (let from = 0; ;) {
      const last = await this.#answered(this.#queue.getJobs(['prioritized'], from, from + bulkJobs - 1, false))
      const reclaimed = await this.#reclaim(last)
      if (last.some(({ priority }) => priority !== asidePriority) || last.length < bulkJobs) break
      from += last.length - reclaimed
    }
    for (let from = 0; delayed; from += bulkJobs) {
      const waiting = await this.#answered(this.#queue.getDelayed(from, from + bulkJobs - 1))
      await this.#reclaim(waiting)
      if (waiting.length < bulkJobs) break
    }
  }

  /** Gives how many it has reclaimed. One that moved on meanwhile is no fault. */
  async #reclaim(jobs: readonly Job[]): Promise<number> {
    const aside = this.#ours(jobs).filter(({ job }) => job.priority === asidePriority)
    const changed = await Promise.allSettled(
      aside.map(({ job, shard }) => job.changePriority({ priority: this.#priority(shard) })),
    )
    return changed.filter(({ status }) => status === 'fulfilled').length
  }

  #ours(jobs: readonly Job[]): { job: Job; shard: ShardName }[] {
    return jobs.flatMap((job) => {
      const shard = this.#shard(job.id ?? '')
      return shard === undefined ? [] : [{ job, shard }]
    })
  }

  /** Those of the shards that the queue knows nothing of, once what is being added is in. */
  async unknown(shards: readonly Shard[]): Promise<Shard[]> {
    await Promise.allSettled(this.#adding)
    const states = await this.#answered(
      Promise.all(shards.map((shard) => this.#queue.getJobState(shardJobId({ ...this.#job, ...shard })))),
    )
    return shards.filter((_, i) => states[i] === 'unknown')
  }

  /** Processes that take jobs from this queue; null where the server does not tell. */
  async workers(): Promise<number | null> {
    return this.#answered(consumersOf(this.#queue))
  }

  /** Rejects with TransientError `queue-lost`, also when the answer does not come in time. */
  async #answered<T>(answer: Promise<T>): Promise<T> {
    let timer: NodeJS.Timeout | undefined
    const late = new Promise<never>((_, reject) => {
      timer = setTimeout(() => reject(new Error('no reply')), answerTimeoutMs)
    })
    try {
      return await Promise.race([answer, late])
    } catch (error) {
      if (error instanceof Error) this.#onLost(error)
      throw new TransientError('queue-lost', 'Redis is away; the run goes on when it is back', { cause: error })
    } finally {
      clearTimeout(timer)
    }
  }

  async close(): Promise<void> {
    for (const client of [this.#events, this.#queue]) await closeWithin(client, closeTimeoutMs)
  }

  /** The shard of a job id of this run; undefined for jobs of other runs in the same queue. */
  #shard(jobId: string): ShardName | undefined {
    if (!jobId.startsWith(`${this.#job.run}-`)) return undefined
    const match = /^(\d+)-(\d+)$/.exec(jobId.slice(this.#job.run.length + 1))
    return match === null ? undefined : { part: Number(match[1]), offset: Number(match[2]) }
  }
}
