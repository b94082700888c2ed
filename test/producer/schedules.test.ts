import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { Schedules } from '../../src/producer/schedules.ts'
import { openQueue } from '../../src/queue/connection.ts'
import { runJobSchema, runsQueue, type RunJob } from '../../src/queue/jobs.ts'
import { silent, startTestRedis } from '../support/redis.ts'

let redis: Awaited<ReturnType<typeof startTestRedis>>
let schedules: Schedules
let queue: ReturnType<typeof openQueue<RunJob, unknown>>

beforeAll(async () => {
  redis = await startTestRedis()
})
afterAll(() => redis.stop())
beforeEach(async () => {
  schedules = await Schedules.open(redis.connection, silent)
  queue = openQueue<RunJob, unknown>(redis.connection, runsQueue, silent)
  await queue.waitUntilReady()
})
afterEach(async () => {
  for (const { schedule } of await schedules.statuses()) await schedules.remove(schedule.name)
  await queue.obliterate({ force: true })
  await schedules.close()
  await queue.close()
})

const job = runJobSchema.parse({ output: 'file:///out/', set: 'set', full: false, shardSize: null })
const yearly = { name: 'yearly', cron: '0 0 1 1 *', timeZone: 'UTC', job }
const everySecond = { name: 'often', cron: '* * * * * *', timeZone: 'UTC', job }

const due = async () => (await queue.getJobScheduler('often'))?.next ?? Infinity
const jobIds = async () => (await queue.getJobs(['delayed', 'waiting'])).map(({ id }) => id)

describe('a schedule', () => {
  it('is one delayed run at its next time; the same name again changes it, the same definition changes nothing', async () => {
    expect(await schedules.put(yearly)).toBe('added')
    const [status] = await schedules.statuses()
    expect(status?.next.map((time) => time.toISOString().slice(4))).toEqual(
      Array.from({ length: 3 }, () => '-01-01T00:00:00.000Z'),
    )
    const before = await queue.getJobs(['delayed'])
    expect(before.map(({ data }) => data)).toEqual([{ ...job, schedule: 'yearly' }])
    expect(await schedules.put(yearly)).toBe('unchanged')
    expect(await jobIds()).toEqual(before.map(({ id }) => id))
    expect(await schedules.put({ ...yearly, timeZone: 'Europe/Berlin', job: { ...job, full: true } })).toBe('changed')
    const after = await queue.getJobs(['delayed'])
    expect(after.map(({ data }) => data.full)).toEqual([true])
    expect(after[0]?.id).not.toBe(before[0]?.id)
  })

  it('keeps one missed time for a producer that comes later, also when it is added again', async () => {
    await schedules.put(everySecond)
    // Two more times have passed.
    await expect.poll(async () => Date.now() - (await due()), { timeout: 10_000 }).toBeGreaterThan(2_000)
    const missed = await jobIds()
    expect(missed).toHaveLength(1)
    await schedules.put(everySecond)
    await schedules.reconcile()
    expect(await jobIds()).toEqual(missed)
  })

  it('rests while it is paused, also when it is changed or reconciled, and goes on afterwards', async () => {
    await schedules.put(yearly)
    await schedules.pause('yearly')
    await schedules.put({ ...yearly, cron: '0 0 2 1 *' })
    await schedules.reconcile()
    expect(await schedules.statuses()).toMatchObject([{ schedule: { paused: true, cron: '0 0 2 1 *' }, next: [] }])
    expect(await jobIds()).toEqual([])
    await schedules.resume('yearly')
    expect(await jobIds()).toHaveLength(1)
  })

  it('runs now when it is told to, beside its times', async () => {
    await schedules.put(yearly)
    await schedules.runNow('yearly')
    const [now] = await queue.getJobs(['waiting'])
    expect(now?.data).toEqual({ ...job, schedule: 'yearly' })
    expect(await queue.getDelayedCount()).toBe(1)
  })

  it('is gone when it is removed; one that is not there is refused with those that are', async () => {
    await schedules.put(yearly)
    await schedules.put({ ...yearly, name: 'other' })
    await schedules.remove('yearly')
    expect((await schedules.statuses()).map(({ schedule }) => schedule.name)).toEqual(['other'])
    expect(await jobIds()).toHaveLength(1)
    await expect(schedules.pause('yearly')).rejects.toMatchObject({
      code: 'bad-option',
      message: expect.stringContaining('other'),
    })
  })

  it('is mended where a crash left definition and scheduler apart', async () => {
    await schedules.put(yearly)
    await queue.removeJobScheduler('yearly')
    await queue.upsertJobScheduler('stray', { pattern: '0 0 1 1 *' }, { name: 'run', data: job })
    await schedules.reconcile()
    expect((await queue.getJobSchedulers()).map(({ key }) => key)).toEqual(['yearly'])
  })

  it('remembers its last outcomes, the newest first', async () => {
    await schedules.put(yearly)
    const at = new Date().toISOString()
    for (let i = 0; i < 25; i++) {
      await schedules.record('yearly', { at, outcome: 'completed', run: `run-${i}`, message: null })
    }
    await schedules.record('forgotten', { at, outcome: 'completed', run: null, message: null })
    const [status] = await schedules.statuses()
    expect(status?.outcomes).toHaveLength(20)
    expect(status?.outcomes[0]?.run).toBe('run-24')
  })
})
