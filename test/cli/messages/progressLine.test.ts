import { describe, expect, it } from 'vitest'
import { progressLine, RateMeter } from '../../../src/cli/messages/progressLine.ts'
import { duration, number, rateText } from '../../../src/cli/messages/quantities.ts'

const computing = {
  phase: 'computing',
  listed: 2000,
  toCompute: 2000,
  computed: 500,
  failed: 3,
  unchanged: 0,
} as const

describe('the progress line', () => {
  it('shows images done, time left, speed and failures', () => {
    expect(progressLine(computing, 21.3, 80)).toBe('500/2,000 images (25 %) · 1:11 left · 21 images/s · 3 failed')
  })

  it('says neither speed nor time left before it knows them', () => {
    expect(progressLine(computing, null, 80)).toBe('500/2,000 images (25 %) · 3 failed')
  })

  it('shows the listing while the total is unknown', () => {
    const listing = { ...computing, phase: 'listing', toCompute: null, listed: 12_345 } as const
    expect(progressLine(listing, 5.04, 80)).toBe('listing, 12,345 images so far · 500 done · 5.0 images/s · 3 failed')
    expect(progressLine({ ...listing, message: 'the store is away' }, null, 80)).toBe(
      'listing, 12,345 images so far · the store is away · 500 done · 3 failed',
    )
  })

  it('shows why it waits', () => {
    const waiting = { ...computing, phase: 'waiting', message: 'waiting for process 7 on night' } as const
    expect(progressLine(waiting, null, 80)).toBe('waiting for process 7 on night')
  })

  it('has nothing left to divide by when nothing is to compute', () => {
    expect(progressLine({ ...computing, toCompute: 0, computed: 0, unchanged: 9 }, null, 80)).toBe(
      '0/0 images (100 %) · 3 failed · 9 unchanged',
    )
  })

  it('leaves out the least important parts whole and is never wider than the terminal', () => {
    expect(progressLine(computing, 21.3, 40)).toBe('500/2,000 images (25 %) · 1:11 left')
    expect(progressLine(computing, 21.3, 12)).toBe('500/2,000 i…')
    for (let columns = 0; columns < 100; columns++) {
      expect(progressLine(computing, 21.3, columns).length).toBeLessThanOrEqual(columns)
    }
  })
})

it('writes durations and large numbers for people', () => {
  expect([0, 75, 3599.2, 7322, 180_000, Infinity].map(duration)).toEqual([
    '0:00',
    '1:15',
    '1:00:00',
    '2:02:02',
    '2 d 2 h',
    '?',
  ])
  expect([0, 999, 1000, 1234567].map(number)).toEqual(['0', '999', '1,000', '1,234,567'])
})

it('writes rates in the unit in which there is something to see', () => {
  expect([0, 0.00001, 0.004, 0.04, 0.06, 1.24, 9.97, 21.4, 1234].map(rateText)).toEqual([
    '0 images/s',
    '0 images/s',
    '0.2 images/min',
    '2.4 images/min',
    '0.1 images/s',
    '1.2 images/s',
    '10 images/s',
    '21 images/s',
    '1,234 images/s',
  ])
})

describe('the measured speed', () => {
  it('is that of the last half minute, not of the whole run', () => {
    const meter = new RateMeter(30_000)
    for (let second = 0; second <= 60; second++) meter.add(second * 1000, second * 100)
    for (let second = 61; second <= 100; second++) meter.add(second * 1000, 6000 + (second - 60) * 10)
    expect(meter.perSecond()).toBeCloseTo(10, 6)
  })

  it('does not count the time until the first image', () => {
    const meter = new RateMeter()
    for (let second = 0; second < 20; second++) meter.add(second * 1000, 0)
    meter.add(20_000, 3)
    expect(meter.perSecond()).toBeNull()
    meter.add(21_000, 8)
    expect(meter.perSecond()).toBeCloseTo(5, 6)
  })

  it('does not count what an earlier attempt had done', () => {
    const meter = new RateMeter()
    meter.add(0, 4_000)
    meter.add(5_000, 4_000)
    meter.add(6_000, 4_010)
    meter.add(7_000, 4_030)
    expect(meter.perSecond()).toBeCloseTo(20, 6)
  })

  it('is unknown at first, and again when shards were handed back', () => {
    const meter = new RateMeter()
    expect(meter.perSecond()).toBeNull()
    meter.add(0, 0)
    meter.add(1000, 50)
    meter.add(2000, 100)
    expect(meter.perSecond()).toBeCloseTo(50, 6)
    meter.add(3000, 20)
    expect(meter.perSecond()).toBeNull()
    meter.add(4000, 30)
    meter.add(5000, 50)
    expect(meter.perSecond()).toBeCloseTo(20, 6)
  })

  it('falls while nothing is done', () => {
    const meter = new RateMeter()
    meter.add(0, 0)
    meter.add(1000, 10)
    meter.add(2000, 60)
    meter.add(6000, 60)
    expect(meter.perSecond()).toBeCloseTo(10, 6)
  })
})
