import fc from 'fast-check'
import { expect, test } from 'vitest'
import { cronTimes } from '../../src/queue/cronTimes.ts'

// Over ten years of each zone of the tz database. Here a sample that is the same each time; all of it, with
// HEADLIGHT_TEST_ZONES=all, is `npm run test:zones`.
const isAll = process.env['HEADLIGHT_TEST_ZONES'] === 'all'
const zones = ['UTC', ...Intl.supportedValuesOf('timeZone')]
const [begin, end] = [Date.UTC(2026, 0, 1), Date.UTC(2036, 0, 1)]
const minute = 60_000
const hour = 60 * minute
const day = 24 * hour

type Wall = (instant: number) => number

/** What a zone's clock shows at an instant, as if it were UTC: read from the name of the offset, unlike in WallClock. */
function wallOf(timeZone: string): Wall {
  const format = new Intl.DateTimeFormat('en', { timeZone, timeZoneName: 'longOffset' })
  return (instant) => {
    const [, sign = '+', hours = 0, minutes = 0] = /GMT(?:([+-])(\d+):(\d+))?/.exec(format.format(instant)) ?? []
    return instant + Number(`${sign}1`) * (Number(hours) * hour + Number(minutes) * minute)
  }
}

/** The instants within the ten years at which a zone's clock is put forward or back, looked for in steps. */
function changesOf(wall: Wall, step: number): number[] {
  const ahead = (instant: number) => wall(instant) - instant
  const changes: number[] = []
  for (let from = begin; from < end; from += step) {
    let [before, after] = [from, from + step]
    if (ahead(before) === ahead(after)) continue
    while (after - before > minute) {
      const middle = before + Math.floor((after - before) / 2 / minute) * minute
      if (ahead(middle) === ahead(before)) before = middle
      else after = middle
    }
    changes.push(after)
  }
  return changes
}

interface Line {
  readonly minutes: readonly number[]
  /** Null: every hour. */
  readonly hours: readonly number[] | null
  /** Of the year; null: every day. The day of the change, or one before or after. */
  readonly date: number | null
}

const some = (values: readonly number[], maxLength: number) => fc.subarray([...values], { minLength: 1, maxLength })
const fives = Array.from({ length: 12 }, (_, i) => i * 5)
const fixedLine = fc.record({
  minutes: some(fives, 3),
  hours: some(
    Array.from({ length: 24 }, (_, i) => i),
    4,
  ),
  date: fc.option(fc.integer({ min: -1, max: 1 })),
})
const everyHour = fc.record({ minutes: some(fives, 3), hours: fc.constant(null), date: fc.constant(null) })

function cronOf({ minutes, hours, date }: Line, around: number): string {
  const on = new Date(around + (date ?? 0) * day)
  const dates = date === null ? '* *' : `${on.getUTCDate()} ${on.getUTCMonth() + 1}`
  return `${minutes.join(',')} ${hours?.join(',') ?? '*'} ${dates} *`
}

function isNamed({ minutes, hours, date }: Line, time: number, around: number): boolean {
  const at = new Date(time)
  if (date !== null && at.toISOString().slice(5, 10) !== new Date(around + date * day).toISOString().slice(5, 10)) {
    return false
  }
  return minutes.includes(at.getUTCMinutes()) && (hours?.includes(at.getUTCHours()) ?? true)
}

/** All times of a line within a day of an instant. */
function timesAround(cron: string, zone: string, instant: number): number[] {
  const times: number[] = []
  for (let last = instant - day; ;) {
    const [next] = cronTimes(cron, zone, new Date(last), 1)
    if (next === undefined || next.getTime() > instant + day) return times
    expect(next.getTime()).toBeGreaterThan(last)
    times.push((last = next.getTime()))
  }
}

/** What the line should do around a change, by looking at the clock every five minutes. */
function expectedAround(line: Line, wall: Wall, change: number): number[] {
  // Where the wall's date is another than that of UTC, it is the wall's that counts.
  const around = wall(change)
  const expected = new Set<number>()
  let latest = wall(change - day)
  for (let instant = change - day + 5 * minute; instant <= change + day; instant += 5 * minute) {
    const shown = wall(instant)
    if (line.hours === null) {
      if (isNamed(line, shown, around)) expected.add(instant)
      continue
    }
    // A time is met when the clock first shows it, or passes it over. One that it shows again has been met.
    for (let time = latest + 5 * minute; time <= shown; time += 5 * minute) {
      if (isNamed(line, time, around)) expected.add(instant)
    }
    latest = Math.max(latest, shown)
  }
  return [...expected]
}

function check(zone: string, wall: Wall, change: number, line: Line): void {
  const cron = cronOf(line, wall(change))
  const said = { zone, cron, change: new Date(change).toISOString() }
  const times = (instants: readonly number[]) => instants.map((instant) => new Date(instant).toISOString())
  expect({ ...said, times: times(timesAround(cron, zone, change)) }).toEqual({
    ...said,
    times: times(expectedAround(line, wall, change)),
  })
}

test('a sample of zones, changes and lines: fixed hours come once each, every hour follows the clock', () => {
  const changing = new Map<string, { wall: Wall; changes: number[] }>()
  const sample = fc.record({
    zone: fc.constantFrom(...zones),
    change: fc.nat(),
    line: fc.oneof(fixedLine, fixedLine, everyHour),
  })
  const property = fc.property(sample, ({ zone, change, line }) => {
    const known = changing.get(zone)
    const wall = known?.wall ?? wallOf(zone)
    const changes = known?.changes ?? changesOf(wall, 7 * day)
    changing.set(zone, { wall, changes })
    // One whose clock is never changed must come out right at any time.
    const at = changes[change % changes.length] ?? begin + Math.floor((change % (end - begin)) / hour) * hour
    check(zone, wall, at, line)
  })
  fc.assert(property, { seed: 2026, numRuns: 120 })
})

test.runIf(isAll)('every change of every zone, with several lines each', { timeout: 3_600_000 }, () => {
  let checked = 0
  for (const [i, zone] of zones.entries()) {
    const wall = wallOf(zone)
    for (const change of changesOf(wall, 6 * hour)) {
      for (const line of [
        ...fc.sample(fixedLine, { seed: i, numRuns: 3 }),
        ...fc.sample(everyHour, { seed: i, numRuns: 1 }),
      ]) {
        check(zone, wall, change, line)
        checked++
      }
      // The ones that hurt: midnight, and what lies within the change itself.
      const skipped = new Date(Math.min(wall(change - minute), wall(change)))
      for (const hours of [[0], [skipped.getUTCHours()], [(skipped.getUTCHours() + 1) % 24]]) {
        for (const date of [null, 0]) check(zone, wall, change, { minutes: [0, 30], hours, date })
        checked += 2
      }
    }
  }
  console.log(`${checked} lines around the changes of ${zones.length} zones`)
})

test.runIf(isAll)('every day of ten years has its one time in every zone', { timeout: 3_600_000 }, () => {
  const seen = new Set<string>()
  for (const zone of zones) {
    const wall = wallOf(zone)
    // Many zones have the same clock.
    const clock = [begin, ...changesOf(wall, 7 * day)].map((change) => `${change} ${wall(change)}`).join()
    if (seen.has(clock)) continue
    seen.add(clock)
    const times = cronTimes('0 0 * * *', zone, new Date(begin), 3_650).map(Number)
    const days = times.map((time) => Math.floor(wall(time) / day))
    // Each on the day after that of the one before: none is left out, none comes twice.
    expect({ zone, days }).toEqual({ zone, days: days.map((_, i) => (days[0] ?? 0) + i) })
  }
})
