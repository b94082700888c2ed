import { getNextMillis } from 'bullmq'
import { InputError } from '../errors.ts'

/**
 * The next times of a cron line after an instant, by the parser that the queue's schedulers use. Across a change of the
 * zone's clock every line fires once a day that fires once a day: a time that is left out comes as much later as the
 * clock jumps, one that comes twice fires the first time. InputError `bad-option` for a line or a zone that is none.
 */
export function cronTimes(cron: string, timeZone: string, after: Date, count: number): Date[] {
  // The parser fills missing fields with defaults: `0 2 * *` would run on another clock than its author thinks.
  const fields = cron.trim().split(/\s+/)
  if (!/^@(yearly|monthly|weekly|daily|hourly)$/.test(cron) && fields.length !== 5 && fields.length !== 6) {
    const message = `the cron line "${cron}" has ${cron.trim() === '' ? 'no' : fields.length} fields; give five: minute, hour, day of month, month, day of week`
    throw new InputError('bad-option', message)
  }
  if (!isTimeZone(timeZone)) {
    throw new InputError('bad-option', `${timeZone} is no time zone; give one like Europe/Berlin or UTC`)
  }
  const times: Date[] = []
  let last = after.getTime()
  try {
    while (times.length < count) {
      const next = getNextMillis(last, { pattern: cron, tz: timeZone })
      if (next === undefined) break
      times.push(new Date(next))
      last = next
    }
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error)
    throw new InputError('bad-option', `the cron line "${cron}" cannot be read (${reason})`, { cause: error })
  }
  if (times.length === 0) throw new InputError('bad-option', `the cron line "${cron}" names no time that ever comes`)
  return times
}

function isTimeZone(name: string): boolean {
  try {
    new Intl.DateTimeFormat('en', { timeZone: name })
    return true
  } catch {
    return false
  }
}
