import { Queue, type Worker } from 'bullmq'
import { afterAll, afterEach, beforeAll, beforeEach, expect, onTestFinished, test, vi } from 'vitest'
import { Schedules } from '../../src/producer/schedules.ts'
import { openQueue, openWorker } from '../../src/queue/connection.ts'
import { runJobOptions, runJobSchema, runsQueue, type RunJob } from '../../src/queue/jobs.ts'
import { silent, startTestRedis } from '../support/redis.ts'

// In Cairo the clock goes from 24:00 to 01:00 in the night to the last Friday of April: that day has no midnight.
const zone = 'Africa/Cairo'
const job = runJobSchema.parse({ output: 'file:///out/', set: 'set', full: false, shardSize: null })

let redis: Awaited<ReturnType<typeof startTestRedis>>
let schedules: Schedules
let queue: Queue<RunJob, unknown>

beforeAll(async () => {
  redis = await startTestRedis()
})
afterAll(() => redis.stop())
beforeEach(async () => {
  vi.useFakeTimers({ toFake: ['Date'] })
  schedules = await Schedules.open(redis.connection, silent)
  queue = openQueue<RunJob, unknown>(redis.connection, runsQueue, silent)
  await queue.waitUntilReady()
})
afterEach(async () => {
  for (const { schedule } of await schedules.statuses()) await schedules.remove(schedule.name)
  await queue.obliterate({ force: true })
  await schedules.close()
  await queue.close()
  vi.useRealTimers()
})

const local = (date: Date) => date.toLocaleString('sv-SE', { timeZone: zone }).slice(0, 16)
const shown = async () => (await schedules.statuses())[0]?.next.map(local)
const due = async (name: string) => new Date((await queue.getJobScheduler(name))?.next ?? NaN)

function openRunsWorker(): Worker<RunJob, unknown> {
  const worker = openWorker<RunJob, unknown>(redis.connection, runsQueue, null, {}, silent)
  onTestFinished(() => worker.close())
  return worker
}

test('the times that a list shows are those at which the queue gives out runs, over a day without midnight', async () => {
  vi.setSystemTime('2027-04-28T12:00:00Z')
  await schedules.put({ name: 'nightly', cron: '0 0 * * *', timeZone: zone, job })
  const expected = ['2027-04-29 00:00', '2027-04-30 01:00', '2027-05-01 00:00', '2027-05-02 00:00']
  expect(await shown()).toEqual(expected.slice(0, 3))
  const worker = openRunsWorker()
  for (const time of expected) {
    const next = await due('nightly')
    expect(local(next)).toBe(time)
    vi.setSystemTime(next)
    const [delayed] = await queue.getDelayed()
    await delayed?.promote()
    // It is the worker that reckons the next time.
    const taken = await worker.getNextJob('token')
    expect(taken?.data.schedule).toBe('nightly')
    await taken?.moveToCompleted(null, 'token', false)
  }
})

test('a scheduler that an older version left waiting past its next time is put right when a producer starts', async () => {
  vi.setSystemTime('2026-12-01T12:00:00Z')
  const older = new Queue<RunJob>(runsQueue, { connection: redis.connection.redis, prefix: redis.connection.prefix })
  onTestFinished(() => older.close())
  await schedules.put({ name: 'yearly', cron: '0 0 30 4 *', timeZone: zone, job })
  await older.upsertJobScheduler(
    'yearly',
    { pattern: '0 0 30 4 *', tz: zone },
    { name: 'run', data: { ...job, schedule: 'yearly' }, opts: { ...runJobOptions } },
  )
  expect(local(await due('yearly'))).toBe('2028-04-30 00:00')
  await schedules.reconcile()
  expect(local(await due('yearly'))).toBe('2027-04-30 01:00')
  expect(await queue.getDelayedCount()).toBe(1)
  expect(await shown()).toEqual(['2027-04-30 01:00', '2028-04-30 00:00', '2029-04-30 00:00'])
})

test('a time that has just been given out by a host whose clock is ahead is not given out again', async () => {
  vi.setSystemTime('2027-06-01T12:00:00Z')
  await schedules.put({ name: 'nightly', cron: '0 0 * * *', timeZone: zone, job })
  const first = await due('nightly')
  const [delayed] = await queue.getDelayed()
  await delayed?.promote()
  const taken = await openRunsWorker().getNextJob('token')
  await taken?.moveToCompleted(null, 'token', false)
  const next = await due('nightly')
  expect(next.getTime()).toBeGreaterThan(first.getTime())
  vi.setSystemTime(first.getTime() - 1_000)
  await schedules.reconcile()
  expect(await due('nightly')).toEqual(next)
})
