import { randomUUID } from 'node:crypto'
import { isDeepStrictEqual } from 'node:util'
import type { Queue } from 'bullmq'
import { z } from 'zod'
import { InputError } from '../base/errors.ts'
import { OnceSaid } from '../base/onceSaid.ts'
import type { Logger } from '../base/telemetry.ts'
import { checkRedis, type RedisFacts } from '../queue/checkRedis.ts'
import { closeWithin } from '../queue/closing.ts'
import { openClient, openQueue, type RedisClient } from '../queue/connection.ts'
import { cronTimes } from '../queue/cronTimes.ts'
import { runJobOptions, runsQueue, standInName, type RunJob } from '../queue/jobs.ts'
import type { QueueConnection } from '../queue/redisUrl.ts'
import {
  keptOutcomes,
  removedSchedulesKey,
  scheduleOutcomeSchema,
  scheduleOutcomesKey,
  scheduleSchema,
  schedulesKey,
  type Schedule,
  type ScheduleOutcome,
} from '../queue/schedule.ts'

/** A schedule as people ask about it. */
export interface ScheduleStatus {
  readonly schedule: Schedule
  /** None while it is paused. The first may lie in the past: it is due, and waits for a producer. */
  readonly next: readonly Date[]
  /** The newest first. */
  readonly outcomes: readonly ScheduleOutcome[]
}

const nextTimes = 3
const closeTimeoutMs = 2_000
/** A producer is connected again within seconds, and looks every three. */
const youngSeconds = 30

/**
 * Runs at given times, kept in Redis: the definition in a hash of ours, and for each that is not paused a job scheduler
 * of the queue, which keeps exactly one delayed job: the next time. A time that passes while no producer runs thus waits
 * for one, once however many were missed.
 */
export class Schedules {
  readonly #redis: RedisClient
  readonly #queue: Queue<RunJob>
  readonly #log: Logger
  readonly #unreadableSaid = new OnceSaid()

  /** Why there may be none: a young Redis may have lost its data, and a producer is about to put them back. */
  readonly noneText: string

  private constructor(redis: RedisClient, queue: Queue<RunJob>, log: Logger, { uptimeSeconds }: RedisFacts) {
    this.#redis = redis
    this.#queue = queue
    this.#log = log
    this.noneText =
      uptimeSeconds === null || uptimeSeconds > youngSeconds
        ? 'there is none yet'
        : `there is none yet; Redis was started ${uptimeSeconds} s ago: what it lost, a headlight producer puts back in a moment`
  }

  /** InputError `no-redis`. The caller closes it. */
  static async open(connection: QueueConnection, log: Logger): Promise<Schedules> {
    const facts = await checkRedis(connection)
    const queue = openQueue<RunJob, unknown>(connection, runsQueue, log)
    await queue.waitUntilReady()
    return new Schedules(openClient(connection, log), queue, log, facts)
  }

  async close(): Promise<void> {
    this.#redis.disconnect()
    await closeWithin(this.#queue, closeTimeoutMs)
  }

  /**
   * Adds a schedule, or changes the one of this name (which stays paused if it was). InputError `bad-option` for a cron
   * line or a time zone that cannot be read.
   */
  async put(wanted: Omit<Schedule, 'schema' | 'paused'>): Promise<'added' | 'changed' | 'unchanged'> {
    cronTimes(wanted.cron, wanted.timeZone, new Date(), 1)
    const { readable, unreadable } = await this.#all()
    const before = readable.find(({ name }) => name === wanted.name)
    const schedule = scheduleSchema.parse({ schema: 1, ...wanted, paused: before?.paused ?? false })
    await this.#redis.hdel(removedSchedulesKey, wanted.name)
    await this.#save(schedule)
    if (unreadable.includes(wanted.name)) return 'changed'
    return before === undefined ? 'added' : isDeepStrictEqual(before, schedule) ? 'unchanged' : 'changed'
  }

  /** Whether that changed anything. */
  async pause(name: string): Promise<boolean> {
    return this.#setPaused(name, true)
  }

  /** Times that passed while it was paused are not made up for. Whether that changed anything. */
  async resume(name: string): Promise<boolean> {
    return this.#setPaused(name, false)
  }

  async #setPaused(name: string, paused: boolean): Promise<boolean> {
    const before = await this.#get(name)
    // Also when nothing changes: a crash may have left the scheduler otherwise.
    await this.#save({ ...before, paused })
    return before.paused !== paused
  }

  /** A run of it that is at work goes on. */
  async remove(name: string): Promise<void> {
    if (!(await this.unreadable()).includes(name)) await this.#get(name)
    // First: a producer that misses it and does not find it here puts it back.
    await this.#redis.hset(removedSchedulesKey, name, new Date().toISOString())
    await this.#queue.removeJobScheduler(name)
    await this.#redis.hdel(schedulesKey, name)
    await this.#redis.del(scheduleOutcomesKey(name))
  }

  /** Adds a run of it now, also of a paused one. */
  async runNow(name: string): Promise<void> {
    await this.#queue.add('run', jobOf(await this.#get(name)), { ...runJobOptions, jobId: randomUUID() })
  }

  /** In order of name; those that can be read. */
  async statuses(): Promise<ScheduleStatus[]> {
    return Promise.all(
      (await this.#all()).readable.map(async (schedule) => ({
        schedule,
        next: await this.#next(schedule),
        outcomes: await this.#outcomes(schedule.name),
      })),
    )
  }

  /** Names of those that another version has written, or that are damaged. */
  async unreadable(): Promise<readonly string[]> {
    return (await this.#all()).unreadable
  }

  /** Which schedules have a run that a producer serves, or that waits for one. */
  async underway(): Promise<ReadonlyMap<string, 'active' | 'waiting'>> {
    const underway = new Map<string, 'active' | 'waiting'>()
    for (const state of ['delayed', 'waiting', 'active'] as const) {
      for (const { name, data } of await this.#queue.getJobs([state])) {
        // Where a stand-in is, its run is at work.
        const seen = name === standInName ? 'active' : state
        if (data.schedule !== undefined && seen !== 'delayed') underway.set(data.schedule, seen)
      }
    }
    return underway
  }

  /** Notes how a time ended; of a schedule that was removed meanwhile nothing is noted. */
  async record(name: string, { set, ...outcome }: ScheduleOutcome): Promise<void> {
    const text = await this.#redis.hget(schedulesKey, name)
    if (text === null) return
    const noted = parsedWith(scheduleSchema, text).data?.job.set === set ? outcome : { ...outcome, set }
    await this.#redis.lpush(scheduleOutcomesKey(name), JSON.stringify(noted))
    await this.#redis.ltrim(scheduleOutcomesKey(name), 0, keptOutcomes - 1)
  }

  /** Names of schedules that were removed and not added again. */
  async removed(): Promise<string[]> {
    return Object.keys(await this.#redis.hgetall(removedSchedulesKey))
  }

  /**
   * Adds one that Redis lost, unless it is there again. A time that has passed since runs now. The definition last: until
   * it is there all of this can be done again, by others at the same time too.
   */
  async putBack({ schedule, next, outcomes }: ScheduleStatus): Promise<void> {
    const { name } = schedule
    if ((await this.#redis.hget(schedulesKey, name)) !== null) return
    if (outcomes.length > 0) {
      const key = scheduleOutcomesKey(name)
      const texts = outcomes.map((outcome) => JSON.stringify(outcome))
      await this.#redis
        .multi()
        .del(key)
        .rpush(key, ...texts)
        .exec()
    }
    const [due] = next
    if (due !== undefined && due.getTime() <= Date.now()) {
      const jobId = `again-${due.getTime()}-${name}`
      await this.#queue.add('run', jobOf(schedule), { ...runJobOptions, jobId })
    }
    await this.#apply(schedule)
    await this.#redis.hset(schedulesKey, name, JSON.stringify(schedule))
  }

  /** Makes the queue's schedulers what the definitions say, whatever a crash left half done. */
  async reconcile(): Promise<void> {
    const { readable, unreadable } = await this.#all()
    for (const schedule of readable) await this.#apply(schedule)
    const known = new Set([...readable.map(({ name }) => name), ...unreadable])
    for (const { key } of await this.#queue.getJobSchedulers()) {
      if (!known.has(key)) await this.#queue.removeJobScheduler(key)
    }
  }

  /** The definition first: the scheduler can be made from it again, the reverse cannot. */
  async #save(schedule: Schedule): Promise<void> {
    await this.#redis.hset(schedulesKey, schedule.name, JSON.stringify(schedule))
    await this.#apply(schedule)
  }

  async #apply(schedule: Schedule): Promise<void> {
    const { name, cron, timeZone, paused } = schedule
    if (paused) {
      await this.#queue.removeJobScheduler(name)
      return
    }
    const data = jobOf(schedule)
    const present = await this.#queue.getJobScheduler(name)
    const isSame =
      present?.pattern === cron && present.tz === timeZone && isDeepStrictEqual(present.template?.data, data)
    // Putting an equal scheduler again would not be nothing: it replaces a job that is overdue by that of the next time.
    if (isSame && !(await this.#passesOver(schedule, present.next))) return
    await this.#queue.upsertJobScheduler(
      name,
      { pattern: cron, tz: timeZone },
      { name: 'run', data, opts: { ...runJobOptions } },
    )
  }

  /**
   * Whether a scheduler waits for a later time than its next one, as those of older versions do: they pass over a day
   * whose midnight a change of the clock leaves out. One that waits for an earlier time is left alone, since the time that
   * this stands for may have passed already, and would be lost.
   */
  async #passesOver({ name, cron, timeZone }: Schedule, next: number | undefined): Promise<boolean> {
    const now = new Date()
    const [due] = cronTimes(cron, timeZone, now, 1)
    if (due === undefined || next === undefined || next <= now.getTime() || next <= due.getTime()) return false
    // By the clock of another host it may have come already.
    return (await this.#queue.getJob(`repeat:${name}:${due.getTime()}`)) === undefined
  }

  async #next({ name, cron, timeZone, paused }: Schedule): Promise<Date[]> {
    if (paused) return []
    const first = (await this.#queue.getJobScheduler(name))?.next
    const from = new Date(first ?? Date.now())
    const next = cronTimes(cron, timeZone, new Date(Math.max(from.getTime(), Date.now())), nextTimes)
    return first === undefined ? next : [from, ...next].slice(0, nextTimes)
  }

  async #outcomes(name: string): Promise<ScheduleOutcome[]> {
    const texts = await this.#redis.lrange(scheduleOutcomesKey(name), 0, keptOutcomes - 1)
    return texts.flatMap((text) => parsedWith(scheduleOutcomeSchema, text).data ?? [])
  }

  /**
   * A definition that cannot be read is left as it is, with its scheduler, for the version that can. Only this one
   * schedule: none may keep a producer from starting.
   */
  async #all(): Promise<{ readable: Schedule[]; unreadable: string[] }> {
    const readable: Schedule[] = []
    const unreadable: string[] = []
    for (const [name, text] of Object.entries(await this.#redis.hgetall(schedulesKey))) {
      const { data, why } = parsedWith(scheduleSchema, text)
      if (data !== undefined) {
        readable.push(data)
        continue
      }
      unreadable.push(name)
      if (!this.#unreadableSaid.isNew(`${name} ${text}`)) continue
      this.#log.warn({ schedule: name, why }, `schedule ${name} ${ofAnother}; it is left alone, and the others run`)
    }
    return { readable: readable.sort((a, b) => (a.name < b.name ? -1 : 1)), unreadable }
  }

  async #get(name: string): Promise<Schedule> {
    const { readable, unreadable } = await this.#all()
    const found = readable.find((schedule) => schedule.name === name)
    if (found !== undefined) return found
    if (unreadable.includes(name)) {
      const advice = 'use that version, or remove it and add it again'
      throw new InputError('bad-option', `schedule ${name} ${ofAnother}; ${advice}`)
    }
    const known = readable.length === 0 ? this.noneText : `there are ${readable.map((one) => one.name).join(', ')}`
    throw new InputError('bad-option', `there is no schedule ${name}; ${known}`)
  }
}

const ofAnother = 'cannot be read: another version of headlight wrote it, or it is damaged'

function parsedWith<T>(schema: z.ZodType<T>, text: string): { data?: T; why?: string } {
  try {
    const { data, error } = schema.safeParse(JSON.parse(text))
    return error === undefined ? { data } : { why: z.prettifyError(error) }
  } catch (error) {
    return { why: String(error) }
  }
}

function jobOf({ name, job }: Schedule): RunJob {
  return { ...job, schedule: name }
}
