import { z } from 'zod'
import { queuePrefix, runJobSchema } from './jobs.ts'

/** Names that are fit for a scheduler's id in the queue (no `:`), a shell and a log line. */
export const scheduleNamePattern = /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/

/** A field of the hash `schedulesKey`, under the schedule's name: what runs when. The result set is prepared. */
export const scheduleSchema = z.strictObject({
  schema: z.literal(1),
  name: z.string().regex(scheduleNamePattern),
  /** Five fields as in crontab(5), or six with seconds first. */
  cron: z.string(),
  /** IANA name, e.g. `Europe/Berlin`; the clock that `cron` is read by. */
  timeZone: z.string(),
  job: runJobSchema,
  /** Kept, but nothing runs until it is resumed. */
  paused: z.boolean(),
})
export type Schedule = z.infer<typeof scheduleSchema>

/** How one time of a schedule ended. */
export const scheduleOutcomeSchema = z.strictObject({
  at: z.iso.datetime(),
  /** `skipped`: another run of the result set, mostly the one of the time before, was still going. */
  outcome: z.enum(['completed', 'cancelled', 'skipped', 'failed']),
  run: z.string().nullable(),
  /** The result set of the network that the time found, where that is not the schedule's own. */
  set: z.string().optional(),
  /** Why it was skipped or failed. */
  message: z.string().nullable(),
})
export type ScheduleOutcome = z.infer<typeof scheduleOutcomeSchema>

export const schedulesKey = `${queuePrefix}:schedules`
/** A hash: when a schedule was removed, under its name. One that is in neither hash is lost, see producer/queueMemory.ts. */
export const removedSchedulesKey = `${queuePrefix}:schedules-removed`

/** A list of the last outcomes, the newest first. */
export const scheduleOutcomesKey = (name: string) => `${queuePrefix}:schedule-outcomes:${name}`
export const keptOutcomes = 20
