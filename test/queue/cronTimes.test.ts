import { describe, expect, it } from 'vitest'
import { InputError } from '../../src/base/errors.ts'
import { cronTimes } from '../../src/queue/cronTimes.ts'

const times = (cron: string, after: string, count: number, zone = 'Europe/Berlin') =>
  cronTimes(cron, zone, new Date(after), count).map((time) => time.toISOString().slice(0, 16))

describe('the times of a cron line in Europe/Berlin', () => {
  it('keep to the clock on the wall when it is put back', () => {
    expect(times('0 2 * * *', '2026-10-23T12:00:00Z', 4)).toEqual([
      '2026-10-24T00:00',
      '2026-10-25T00:00',
      '2026-10-26T01:00',
      '2026-10-27T01:00',
    ])
  })

  it('come once in the night that has 02:30 twice', () => {
    expect(times('30 2 * * *', '2026-10-24T12:00:00Z', 2)).toEqual(['2026-10-25T00:30', '2026-10-26T01:30'])
    // Also for a producer that asks again in between, after the first 02:30 and before the second.
    expect(times('30 2 * * *', '2026-10-25T00:30:00Z', 1)).toEqual(['2026-10-26T01:30'])
  })

  it('come once, right after the gap, in the night that has no 02:30', () => {
    expect(times('30 2 * * *', '2026-03-28T12:00:00Z', 2)).toEqual(['2026-03-29T01:00', '2026-03-30T00:30'])
    // Two that are left out are one, as is one that is left out with one that comes right after the gap.
    expect(times('0,30 2,3 * * *', '2026-03-28T12:00:00Z', 3)).toEqual([
      '2026-03-29T01:00',
      '2026-03-29T01:30',
      '2026-03-30T00:00',
    ])
  })

  it('come every hour that passes, the doubled one included', () => {
    expect(times('0 * * * *', '2026-10-24T23:30:00Z', 4)).toEqual([
      '2026-10-25T00:00',
      '2026-10-25T01:00',
      '2026-10-25T02:00',
      '2026-10-25T03:00',
    ])
  })
})

const nowhere: [zone: string, cron: string, after: string, expected: string[]][] = [
  ['Africa/Cairo', '0 0 30 4 *', '2026-12-01T00:00Z', ['2027-04-30 01:00', '2028-04-30 00:00']],
  ['America/Santiago', '0 0 * * *', '2026-09-04T12:00Z', ['2026-09-05 00:00', '2026-09-06 01:00', '2026-09-07 00:00']],
  ['Asia/Beirut', '0 0 * * *', '2026-03-27T12:00Z', ['2026-03-28 00:00', '2026-03-29 01:00', '2026-03-30 00:00']],
  ['America/Havana', '0 0 * * *', '2026-03-07T00:00Z', ['2026-03-07 00:00', '2026-03-08 01:00', '2026-03-09 00:00']],
  [
    'Australia/Lord_Howe',
    '15 2 * * *',
    '2026-10-02T12:00Z',
    ['2026-10-03 02:15', '2026-10-04 02:30', '2026-10-05 02:15'],
  ],
  ['Pacific/Apia', '0 12 30 12 *', '2011-12-01T00:00Z', ['2011-12-31 00:00', '2012-12-30 12:00']],
  ['Pacific/Apia', '0 2 * * *', '2011-12-29T06:00Z', ['2011-12-29 02:00', '2011-12-31 00:00', '2011-12-31 02:00']],
  ['Pacific/Kwajalein', '0 2 * * *', '1993-08-20T00:00Z', ['1993-08-20 02:00', '1993-08-22 00:00', '1993-08-22 02:00']],
]

describe.each(nowhere)('in %s', (zone, cron, after, expected) => {
  it(`a time that the clock leaves out comes right after, "${cron}" after ${after}`, () => {
    const local = (time: Date) => time.toLocaleString('sv-SE', { timeZone: zone }).slice(0, 16)
    expect(cronTimes(cron, zone, new Date(after), expected.length).map(local)).toEqual(expected)
  })
})

it.each([
  // 24:00 is put back to 23:00, and 02:00 to 01:30.
  ['Africa/Cairo', '30 23 * * *', '2026-10-29T12:00Z', ['2026-10-29T20:30', '2026-10-30T21:30']],
  ['Australia/Lord_Howe', '45 1 * * *', '2026-04-04T12:00Z', ['2026-04-04T14:45', '2026-04-05T15:15']],
])('in %s a time that comes twice is its first coming', (zone, cron, after, expected) => {
  expect(times(cron, after, 2, zone)).toEqual(expected)
})

it.each([
  ['*/30 * * * *', ['2026-10-03T15:00', '2026-10-03T15:30', '2026-10-03T16:00']],
  ['0 * * * *', ['2026-10-03T14:30', '2026-10-03T16:00', '2026-10-03T17:00']],
  ['0 0-23 * * *', ['2026-10-03T14:30', '2026-10-03T16:00', '2026-10-03T17:00']],
  ['@hourly', ['2026-10-03T14:30', '2026-10-03T16:00', '2026-10-03T17:00']],
  ['0 */2 * * *', ['2026-10-03T15:30', '2026-10-03T17:00', '2026-10-03T19:00']],
])(
  '"%s" where 02:00 becomes 02:30: lines with every hour follow the clock, others fire right after',
  (cron, expected) => {
    const after = expected[0] === '2026-10-03T14:30' ? '2026-10-03T14:10Z' : '2026-10-03T14:40Z'
    expect(times(cron, after, 3, 'Australia/Lord_Howe')).toEqual(expected)
  },
)

it('a time drawn by lot is the same whenever it is asked for', () => {
  const drawn = new Set(Array.from({ length: 5 }, () => times('H H * * *', '2026-01-01T00:00Z', 1)[0]))
  expect(drawn.size).toBe(1)
})

it.each([
  ['0 2 * *', 'UTC', 'has 4 fields'],
  ['', 'UTC', 'has no fields'],
  ['@dayly', 'UTC', 'has one field;'],
  ['61 2 * * *', 'UTC', 'has the minute "61"; it goes from 0 to 59'],
  ['0 2 * * mo', 'UTC', 'has the day of week "mo"; it goes from 0 to 7'],
  ['0 0 0 1 13 *', 'UTC', 'has the month "13"; it goes from 1 to 12'],
  ['0 0 30 2 *', 'UTC', 'names no time that ever comes'],
  ['at two', 'UTC', 'fields'],
  ['0 2 * * *', 'Mitteleuropa', 'no time zone'],
])('refuses "%s" in %s', (cron, zone, reason) => {
  const attempt = () => cronTimes(cron, zone, new Date(), 1)
  expect(attempt).toThrow(InputError)
  expect(attempt).toThrow(reason)
})
