import { describe, expect, it } from 'vitest'
import { InputError } from '../../src/base/errors.ts'
import { cronTimes } from '../../src/producer/cronTimes.ts'

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

  it('come once, an hour later, in the night that has no 02:30', () => {
    expect(times('30 2 * * *', '2026-03-28T12:00:00Z', 2)).toEqual(['2026-03-29T01:30', '2026-03-30T00:30'])
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
