import { getNextMillis, type RepeatStrategy } from 'bullmq'
import { InputError } from '../base/errors.ts'
import { WallClock } from './wallClock.ts'

/**
 * The next times of a cron line after an instant. InputError `bad-option` for a line or a zone that is none.
 *
 * Across a change of the zone's clock: a line with fixed hours fires once for each time that it names, at the time's first
 * coming, or at the change that leaves it out. A line that names every hour (`*`, `0-23`) follows the clock: it fires
 * whenever the clock shows one of its times, and at no other.
 */
export function cronTimes(cron: string, timeZone: string, after: Date, wanted: number): Date[] {
  // The parser fills missing fields with defaults: `0 2 * *` would run on another clock than its author thinks.
  const fields = fieldsOf(cron)
  if (!/^@(yearly|monthly|weekly|daily|hourly)$/.test(cron) && fields.length !== 5 && fields.length !== 6) {
    throw wrongCount(cron)
  }
  const clock = clockOf(timeZone)
  const times: Date[] = []
  let last = after.getTime()
  try {
    while (times.length < wanted) {
      const next = nextTime(cron, clock, last)
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
 * For BullMQ, which asks it for the next time of a scheduler when it is put and whenever one of its jobs is taken. Its own
 * gives the times of the parser, which loses a day where the clock changes at midnight.
 */
export const repeatStrategy: RepeatStrategy = (afterMs, { pattern, tz = 'UTC' }) =>
  pattern === undefined ? undefined : nextTime(pattern, clockOf(tz), afterMs)

function nextTime(cron: string, clock: WallClock, afterMs: number): number | undefined {
  return hasFixedHours(cron) ? nextNamed(cron, clock, afterMs) : nextShown(cron, clock, afterMs)
}

/** The next instant at which a time that the line names comes first, or is left out. */
function nextNamed(cron: string, clock: WallClock, afterMs: number): number | undefined {
  let wall: number | undefined = clock.at(afterMs)
  while ((wall = nextOnWall(cron, wall)) !== undefined) {
    const instant = clock.first(wall)
    // Not so while the clock shows an hour for the second time.
    if (instant > afterMs) return instant
  }
  return undefined
}

/** The next instant at which the clock shows a time that the line names. */
function nextShown(cron: string, clock: WallClock, afterMs: number): number | undefined {
  let from = afterMs
  let wall: number | undefined = clock.at(from)
  while ((wall = nextOnWall(cron, wall)) !== undefined) {
    const instant = wall - (clock.at(from) - from)
    const change = clock.changeAfter(from, instant)
    if (change === undefined) return instant
    // From the change on, with what the clock shows at that very moment.
    from = change
    wall = clock.at(from) - 1
  }
  return undefined
}

/** The parser itself knows clocks that change, but not all: it is asked on a wall in UTC. */
function nextOnWall(cron: string, afterMs: number): number | undefined {
  // What it draws by lot for an `H` would be another time whenever it is asked.
  const drawn = { hashSeed: cron }
  return getNextMillis(afterMs, { pattern: cron, tz: 'UTC', ...drawn })
}

/** Whether there is an hour of the day that it leaves out, whatever its other fields say. */
function hasFixedHours(cron: string): boolean {
  const hours = cron.startsWith('@') ? (cron === '@hourly' ? '*' : '0') : fieldsOf(cron).at(-4)
  if (hours === '*') return false
  for (let hour = 0; hour < 24; hour++) {
    const start = hour * 3_600_000
    if (nextOnWall(`0 ${hours} * * *`, start - 1) !== start) return true
  }
  return false
}

const clocks = new Map<string, WallClock>()

/** InputError `bad-option` for a zone that is none. */
function clockOf(timeZone: string): WallClock {
  try {
    // Kept: to make one takes a hundred times as long as to look at it.
    const clock = clocks.get(timeZone) ?? new WallClock(timeZone)
    clocks.set(timeZone, clock)
    return clock
  } catch (error) {
    const message = `${timeZone} is no time zone; give one like Europe/Berlin or UTC`
    throw new InputError('bad-option', message, { cause: error })
  }
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
