import type { Queue, QueueEvents } from 'bullmq'
import { TransientError } from '../base/errors.ts'
import type { Logger } from '../base/telemetry.ts'
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

export interface ShardQueueOptions {
  readonly connection: QueueConnection
  readonly queueName: string
  /** What the jobs of this run have in common. */
  readonly job: Pick<ShardJob, 'run' | 'output' | 'endpoint' | 'set'>
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

/** One run's jobs in the shards queue. Raises TransientError `queue-lost` while Redis is away. */
export class ShardQueue {
  readonly #job: ShardQueueOptions['job']
  readonly #queue: Queue<ShardJob>
  readonly #events: QueueEvents
  readonly #adding = new Set<Promise<unknown>>()
  readonly #onLost: (error: Error) => void

  constructor(options: ShardQueueOptions) {
    const { connection, queueName, log, listeners } = options
    this.#job = options.job
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

  /** Adds jobs; adding one that is in the queue already changes nothing. */
  async add(shards: readonly Shard[]): Promise<void> {
    const adding = this.#add(shards)
    this.#adding.add(adding)
    try {
      await adding
    } finally {
      this.#adding.delete(adding)
    }
  }

  async #add(shards: readonly Shard[]): Promise<void> {
    for (let i = 0; i < shards.length; i += bulkJobs) {
      const jobs = shards.slice(i, i + bulkJobs).map((shard) => {
        const data: ShardJob = { ...this.#job, ...shard }
        return { name: 'shard', data, opts: { ...shardJobOptions, jobId: shardJobId(data) } }
      })
      await this.#answered(this.#queue.addBulk(jobs))
    }
  }

  /** Makes jobs of this run that wait for a later time wait no longer. Which of them still do is the queue's to say. */
  async promote(): Promise<void> {
    for (let from = 0; ;) {
      const delayed = await this.#answered(this.#queue.getDelayed(from, from + bulkJobs - 1))
      if (delayed.length === 0) return
      const ours = delayed.filter((job) => job.id !== undefined && this.#shard(job.id) !== undefined)
      // One that moved on meanwhile needs no help; a Redis that is away says so at the next page.
      const promoted = await Promise.allSettled(ours.map((job) => job.promote()))
      from += delayed.length - promoted.filter(({ status }) => status === 'fulfilled').length
    }
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
