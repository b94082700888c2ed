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
  /** What happened since the last look read what is there. */
  #changes: (() => void)[] = []

  /** The caller closes the schedules. */
  constructor(connection: QueueConnection, schedules: Schedules, log: Logger) {
    this.#schedules = schedules
    this.#queue = openQueue<RunJob, unknown>(connection, runsQueue, log)
    this.#log = log
  }

  /**
   * Puts back what is lost, and remembers what is there now. Raises while Redis is away; then nothing is forgotten, and
   * the next look does the same again. One at a time.
   */
  async look(): Promise<void> {
    this.#changes = []
    // All is read once, before: what is lost during a look is remembered by it, and missed by the next one.
    const present = await this.#schedules.statuses()
    // In this order: who removes a schedule leaves its name before it is gone.
    const removed = new Set(await this.#schedules.removed())
    const waiting = (await this.#queue.getJobs(['waiting', 'delayed'])).filter(isOnlyHere)
    const schedules = await this.#putBackSchedules(present, removed)
    const runs = await this.#addAgain(waiting)
    this.#known = [...present, ...schedules]
    this.#waiting = [...waiting, ...runs]
    for (const change of this.#changes) change()
  }

  async #putBackSchedules(
    present: readonly ScheduleStatus[],
    removed: ReadonlySet<string>,
  ): Promise<readonly ScheduleStatus[]> {
    const names = new Set(present.map(({ schedule }) => schedule.name))
    const lost = this.#known.filter(({ schedule: { name } }) => !names.has(name) && !removed.has(name))
    for (const status of lost) {
      await this.#schedules.putBack(status)
      const { name } = status.schedule
      this.#log.warn({ schedule: name }, `Redis has lost schedule ${name}; it is put back`)
    }
    return lost
  }

  async #addAgain(waiting: readonly Job<RunJob>[]): Promise<readonly Job<RunJob>[]> {
    const ids = new Set(waiting.map(identity))
    const added: Job<RunJob>[] = []
    for (const job of this.#waiting.filter((one) => !ids.has(identity(one)))) {
      const found = await this.#queue.getJob(job.id ?? '')
      if (found !== undefined && identity(found) === identity(job)) continue
      // The same job whoever adds it: it is added once.
      const { name, data, timestamp } = job
      added.push(await this.#queue.add(name, data, { ...runJobOptions, jobId: idAgain(job), timestamp }))
      const { set, run } = data
      this.#log.warn({ set, run }, `Redis has lost a run of ${set} that waited for a producer; it is added again`)
    }
    return added
  }

  /** This producer serves it now: it needs no other to come back. */
  taken(job: Job<RunJob>): void {
    this.#change(() => this.#forget(job))
  }

  /** This producer serves it no more, and it is to wait again, unless Redis has lost it meanwhile. */
  givenBack(job: Job<RunJob>): void {
    this.#change(() => (this.#waiting = [...this.#waiting, job]))
  }

  #change(change: () => void): void {
    this.#changes.push(change)
    change()
  }

  /** A run that begins now stands for all times of its schedule that have passed. */
  #forget(job: Job<RunJob>): void {
    this.#waiting = this.#waiting.filter((one) => identity(one) !== identity(job))
    this.#known = this.#known.map((status) =>
      status.schedule.name === job.data.schedule
        ? { ...status, next: status.next.filter((time) => time.getTime() > Date.now()) }
        : status,
    )
  }

  async close(): Promise<void> {
    await closeWithin(this.#queue, closeTimeoutMs)
  }
}

/** A schedule's next time comes back with the schedule; a time that was begun, and is to be tried again, does not. */
const isOnlyHere = (job: Job): boolean => job.repeatJobKey === undefined || job.attemptsStarted > 0

/** Ids are numbered from 1 again after a loss, so another job may bear the same one. */
const identity = ({ id, timestamp }: Job): string => `${timestamp}-${id}`

/** Unlike a number, never another job's, however often Redis loses its data. BullMQ wants no colons in it. */
function idAgain(job: Job): string {
  const { id = '' } = job
  return id.startsWith('again-') ? id : `again-${identity(job).replaceAll(':', '-')}`
}
