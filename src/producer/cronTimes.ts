import { getNextMillis } from 'bullmq'
import { InputError } from '../base/errors.ts'

/**
 * The next times of a cron line after an instant, by the parser that the queue's schedulers use. Across a change of the
 * zone's clock every line fires once a day that fires once a day: a time that is left out comes as much later as the
 * clock jumps, one that comes twice fires the first time. InputError `bad-option` for a line or a zone that is none.
 */
export function cronTimes(cron: string, timeZone: string, after: Date, wanted: number): Date[] {
  // The parser fills missing fields with defaults: `0 2 * *` would run on another clock than its author thinks.
  const fields = fieldsOf(cron)
  if (!/^@(yearly|monthly|weekly|daily|hourly)$/.test(cron) && fields.length !== 5 && fields.length !== 6) {
    throw wrongCount(cron)
  }
  if (!isTimeZone(timeZone)) {
    throw new InputError('bad-option', `${timeZone} is no time zone; give one like Europe/Berlin or UTC`)
  }
  const times: Date[] = []
  let last = after.getTime()
  try {
    while (times.length < wanted) {
      const next = getNextMillis(last, { pattern: cron, tz: timeZone })
      if (next === undefined) break
      times.push(new Date(next))
      last = next
    }
  } catch (error) {
    throw new InputError('bad-option', unreadable(cron, fields), { cause: error })
  }
  if (times.length === 0) throw new InputError('bad-option', noTime(cron))
  return times
}

/**
 * The parser takes a sixth field for seconds, and `* * * * * *` for every second, which nobody means of a dataset. Raises
 * InputError `bad-option`.
 */
export function refuseSeconds(cron: string): void {
  if (fieldsOf(cron).length === 6) throw wrongCount(cron)
}

const fieldsOf = (cron: string): string[] => cron.trim().split(/\s+/)

function wrongCount(cron: string): InputError {
  const fields = fieldsOf(cron)
  const count = cron.trim() === '' ? 'no fields' : fields.length === 1 ? 'one field' : `${fields.length} fields`
  const message = `the cron line "${cron}" has ${count}; give five: minute, hour, day of month, month, day of week`
  return new InputError('bad-option', message)
}

const noTime = (cron: string): string => `the cron line "${cron}" names no time that ever comes`

const parts = [
  ['second', '0 to 59'],
  ['minute', '0 to 59'],
  ['hour', '0 to 23'],
  ['day of month', '1 to 31'],
  ['month', '1 to 12 or JAN to DEC'],
  ['day of week', '0 to 7 (0 and 7 are Sunday) or SUN to SAT'],
] as const

/** The parser's own words name neither the field nor what it may hold, so each is tried alone. */
function unreadable(cron: string, fields: readonly string[]): string {
  const first = parts.length - fields.length
  for (const [i, field] of fields.entries()) {
    try {
      getNextMillis(0, { pattern: fields.map((_, other) => (other === i ? field : '*')).join(' ') })
    } catch {
      const [name = '', range = ''] = parts[first + i] ?? []
      return `the cron line "${cron}" has the ${name} "${field}"; it goes from ${range}, as in *, 2, 1-5, 1,3 or */2`
    }
  }
  return noTime(cron)
}

function isTimeZone(name: string): boolean {
  try {
    new Intl.DateTimeFormat('en', { timeZone: name })
    return true
  } catch {
    return false
  }
}
