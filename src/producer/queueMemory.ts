import { randomUUID } from 'node:crypto'
import type { Job, Queue } from 'bullmq'
import type { Logger } from '../base/telemetry.ts'
import { closeWithin } from '../queue/closing.ts'
import { openQueue } from '../queue/connection.ts'
import { runInLog, runJobOptions, runsQueue, standInName, type RunJob } from '../queue/jobs.ts'
import type { QueueConnection } from '../queue/redisUrl.ts'
import type { Schedules, ScheduleStatus } from './schedules.ts'

const closeTimeoutMs = 2_000
/** Until a stand-in first looks whether its run is still served. */
const standInDelayMs = 60_000

type RunOfQueue = Job<RunJob>

/**
 * What a standing producer remembers of Redis, to put it back when Redis comes up without its data, or with older data:
 * the schedules, the runs that wait, and those it serves itself. All else is in the output, and the producer that serves
 * a run adds its shards again by itself. Lost is what is neither there nor known to be ended: a schedule leaves its name
 * behind when it is removed, and jobs that have ended are kept for long.
 *
 * A run that is being served goes on without its job; a stand-in is added, which goes on with the run should this
 * producer end before it. Not the job itself: a worker of BullMQ confuses two jobs of one id.
 *
 * Not done: a copy on a disk. When Redis and every producer go at once, what was not in Redis' own file is lost. And a
 * definition that was changed is not told from the older one that a dump brings back.
 */
export class QueueMemory {
  readonly #schedules: Schedules
  readonly #queue: Queue<RunJob>
  readonly #log: Logger
  #known: readonly ScheduleStatus[] = []
  #waiting: readonly RunOfQueue[] = []
  /** Served by this producer, by id. */
  readonly #atWork = new Map<string, RunOfQueue>()
  /** Ids of the stand-ins, by the ids of what they stand in for. */
  readonly #standIns = new Map<string, string>()
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
    // Changed by another version since it was remembered: it is there.
    const unreadable = await this.#schedules.unreadable()
    // In this order: who removes a schedule leaves its name before it is gone.
    const removed = new Set(await this.#schedules.removed())
    const jobs = await this.#queue.getJobs(['waiting', 'delayed'])
    const waiting = jobs.filter((job) => isOnlyHere(job) && !this.#atWork.has(idOf(job)))
    const schedules = await this.#putBackSchedules(present, new Set([...removed, ...unreadable]))
    const runs = await this.#addAgain(waiting)
    await this.#addStandIns()
    this.#known = [...present, ...schedules]
    this.#waiting = [...waiting, ...runs]
    for (const change of this.#changes) change()
  }

  async #putBackSchedules(
    present: readonly ScheduleStatus[],
    notLost: ReadonlySet<string>,
  ): Promise<readonly ScheduleStatus[]> {
    const names = new Set(present.map(({ schedule }) => schedule.name))
    const lost = this.#known.filter(({ schedule: { name } }) => !names.has(name) && !notLost.has(name))
    for (const status of lost) {
      await this.#schedules.putBack(status)
      const { name } = status.schedule
      this.#log.warn({ schedule: name }, `Redis has lost schedule ${name}; it is put back`)
    }
    return lost
  }

  async #addAgain(waiting: readonly RunOfQueue[]): Promise<readonly RunOfQueue[]> {
    const ids = new Set(waiting.map(idOf))
    const added: RunOfQueue[] = []
    for (const job of this.#waiting.filter((one) => !ids.has(idOf(one)))) {
      const { id = '', name, data, timestamp } = job
      // A schedule that was put back gives the id of its next time again.
      if ((await this.#queue.getJob(id))?.timestamp === timestamp) continue
      // The same id whoever adds it: it is added once.
      const jobId = id.replaceAll(':', '-')
      added.push(await this.#queue.add(name, data, { ...runJobOptions, jobId, timestamp }))
      this.#log.warn(
        runInLog(data),
        `Redis has lost a run of ${data.set} that waited for a producer; it is added again`,
      )
    }
    // What was given back is there itself now.
    for (const id of this.#standIns.keys()) if (!this.#atWork.has(id)) await this.#dismissStandIn(id)
    return added
  }

  async #addStandIns(): Promise<void> {
    for (const [id, { data }] of this.#atWork) {
      const jobId = this.#standIns.get(id) ?? randomUUID()
      if ((await this.#isThere(id)) || (await this.#isThere(jobId)) || !this.#atWork.has(id)) continue
      // Before, since an answer may be lost; and after, since the run may end meanwhile: then the next look removes it.
      this.#standIns.set(id, jobId)
      await this.#queue.add(standInName, data, { ...runJobOptions, jobId, delay: standInDelayMs })
      this.#standIns.set(id, jobId)
      this.#log.warn(
        runInLog(data),
        `Redis has lost the run of ${data.set} that is being served; it goes on, and is noted again`,
      )
    }
  }

  async #dismissStandIn(id: string): Promise<void> {
    const standIn = this.#standIns.get(id)
    if (standIn === undefined) return
    // 0: it is just looking. Until it is gone, each look tries again.
    if ((await this.#queue.remove(standIn)) !== 0) this.#standIns.delete(id)
  }

  async #isThere(id: string): Promise<boolean> {
    return (await this.#queue.getJob(id)) !== undefined
  }

  /** This producer serves it now: it needs no other to come back, unless this one ends. */
  taken(job: RunOfQueue): void {
    this.#change(() => this.#forget(job))
    this.#atWork.set(idOf(job), job)
  }

  /** This producer serves it no more, and it is to wait again, unless Redis has lost it meanwhile. */
  givenBack(job: RunOfQueue): void {
    const id = idOf(job)
    this.#atWork.delete(id)
    // A stand-in is remembered by the producer that serves its run, which may be removing it right now. Where it served
    // the run itself and was lost, its own stand-in stays.
    if (job.name === standInName) this.#standIns.delete(id)
    else this.#change(() => (this.#waiting = [...this.#waiting, job]))
  }

  /** It has ended. */
  async ended(job: RunOfQueue): Promise<void> {
    const id = idOf(job)
    this.#atWork.delete(id)
    try {
      await this.#dismissStandIn(id)
      // Nothing happens while its lock is ours. One that was taken for stalled, or put back by another, waits for nothing.
      await this.#queue.remove(id)
    } catch (error) {
      this.#log.debug({ err: error }, 'what stands for a run that has ended could not be removed')
    }
  }

  #change(change: () => void): void {
    this.#changes.push(change)
    change()
  }

  /** A run that begins now stands for all times of its schedule that have passed. */
  #forget(job: RunOfQueue): void {
    this.#waiting = this.#waiting.filter((one) => idOf(one) !== idOf(job))
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

/**
 * A schedule's next time comes back with the schedule; a time that was begun, and is to be tried again, does not. A
 * stand-in is remembered by the producer that serves its run, and removed when that has ended.
 */
const isOnlyHere = (job: Job): boolean =>
  job.name !== standInName && (job.repeatJobKey === undefined || job.attemptsStarted > 0)

/** Unlike BullMQ's numbers, which begin anew in an empty Redis, the ids of runs are never another's. */
const idOf = ({ id = '' }: Job): string => id
