import type { Job, Queue } from 'bullmq'
import { runJobOptions, runsQueue } from '../contract/job.ts'
import type { RunJob } from '../contract/job.ts'
import { closeWithin } from '../queue/closing.ts'
import { openQueue } from '../queue/connection.ts'
import type { QueueConnection } from '../queue/redisUrl.ts'
import type { Logger } from '../telemetry.ts'
import type { Schedules, ScheduleStatus } from './schedules.ts'

const closeTimeoutMs = 2_000

/**
 * What a standing producer remembers of Redis, to put it back when Redis comes up without its data, or with older data:
 * the schedules and the runs that wait. All else is in the output, and the producer that serves a run adds its shards
 * again by itself. Lost is what is neither there nor known to be ended: a schedule leaves its name behind when it is
 * removed, and jobs that have ended are kept for long.
 *
 * Not done: a copy on a disk. When Redis and every producer go at once, what was not in Redis' own file is lost. And a
 * definition that was changed is not told from the older one that a dump brings back.
 */
export class QueueMemory {
  readonly #schedules: Schedules
  readonly #queue: Queue<RunJob>
  readonly #log: Logger
  #known: readonly ScheduleStatus[] = []
  #waiting: readonly Job<RunJob>[] = []

  /** The caller closes the schedules. */
  constructor(connection: QueueConnection, schedules: Schedules, log: Logger) {
    this.#schedules = schedules
    this.#queue = openQueue<RunJob, unknown>(connection, runsQueue, log)
    this.#log = log
  }

  /** Puts back what is lost, and remembers what is there now. Raises while Redis is away; then nothing is forgotten. */
  async look(): Promise<void> {
    // In this order: who removes a schedule leaves its name before it is gone.
    const present = await this.#schedules.statuses()
    const removed = new Set(await this.#schedules.removed())
    const names = new Set(present.map(({ schedule }) => schedule.name))
    for (const status of this.#known) {
      const { name } = status.schedule
      if (names.has(name) || removed.has(name)) continue
      await this.#schedules.putBack(status)
      this.#log.warn({ schedule: name }, `Redis has lost schedule ${name}; it is put back`)
    }
    for (const job of this.#waiting) {
      if (await this.#isThere(job)) continue
      // The same id whoever adds it: it is added once.
      await this.#queue.add(job.name, job.data, { ...runJobOptions, jobId: `again-${job.id}` })
      const { set, run } = job.data
      this.#log.warn({ set, run }, `Redis has lost a run of ${set} that waited for a producer; it is added again`)
    }
    this.#known = await this.#schedules.statuses()
    const waiting = await this.#queue.getJobs(['waiting', 'delayed'])
    this.#waiting = waiting.filter((job) => job.repeatJobKey === undefined)
  }

  /** Ids are numbered from 1 again after a loss, so another may bear this one's. */
  async #isThere({ id = '', timestamp }: Job<RunJob>): Promise<boolean> {
    return (await this.#queue.getJob(id))?.timestamp === timestamp
  }

  /** This producer serves it now: it needs no other to come back. */
  taken({ id, data }: Job<RunJob>): void {
    this.#waiting = this.#waiting.filter((job) => job.id !== id)
    this.#known = this.#known.map((status) =>
      status.schedule.name === data.schedule ? { ...status, next: status.next.slice(1) } : status,
    )
  }

  async close(): Promise<void> {
    await closeWithin(this.#queue, closeTimeoutMs)
  }
}
