import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from 'vitest'
import type { ResultSet } from '../../src/output/resultSet.ts'
import { Schedules } from '../../src/producer/schedules.ts'
import { openQueue } from '../../src/queue/connection.ts'
import { runJobSchema, runsQueue, shardsQueue, standInName, type RunJob } from '../../src/queue/jobs.ts'
import { holdOf, serveRunsOf, startFakeWorker, World, type FakeWorker } from '../support/producerWorld.ts'
import { silent, startTestRedis } from '../support/redis.ts'

let redis: Awaited<ReturnType<typeof startTestRedis>>
let world: World
let set: ResultSet
let schedules: Schedules
let worker: FakeWorker
let stop: AbortController
let serving: Promise<void>

beforeAll(async () => {
  redis = await startTestRedis()
})
afterAll(() => redis.stop())
beforeEach(async () => {
  world = await World.make(['a.jpg'])
  set = await world.prepare()
  schedules = await Schedules.open(redis.connection, silent)
  worker = startFakeWorker({ connection: redis.connection, queueName: shardsQueue, output: world.output, set })
  stop = new AbortController()
  serving = serveRunsOf(world, redis.connection, stop.signal)
})
afterEach(async () => {
  for (const { schedule } of await schedules.statuses()) await schedules.remove(schedule.name)
  stop.abort(new Error('stopped'))
  await serving
  await worker.stop()
  await schedules.close()
  // A time that met a run about to begin is put off for longer than its test takes.
  const queue = openQueue<RunJob, unknown>(redis.connection, runsQueue, silent)
  await queue.drain(true)
  await queue.close()
  await world.remove()
})

function put(name: string, cron: string, resultSet = set.id) {
  const job = runJobSchema.parse({ output: world.output.uri, set: resultSet, full: false, shardSize: null })
  return schedules.put({ name, cron, timeZone: 'UTC', job })
}

async function outcomes(name: string) {
  const status = (await schedules.statuses()).find(({ schedule }) => schedule.name === name)
  return (status?.outcomes ?? []).toReversed()
}

const patiently = { timeout: 30_000 }

it('fires time after time, over a dataset that changes in between', async () => {
  await put('often', '* * * * * *')
  for (const [i, image] of ['b.jpg', 'c.jpg', 'd.jpg'].entries()) {
    await expect.poll(async () => (await world.rows(set)).length, patiently).toBe(i + 1)
    await world.addImage(image)
  }
  await expect.poll(async () => (await world.rows(set)).length, patiently).toBe(4)
  const completed = (await outcomes('often')).filter(({ outcome }) => outcome === 'completed')
  expect(completed.length).toBeGreaterThanOrEqual(3)
  expect(new Set(completed.map(({ run }) => run)).size).toBe(completed.length)
})

it('skips a time when a run is still going, and says who is in the way', async () => {
  await put('yearly', '0 0 1 1 *')
  const hold = await holdOf(world, set)
  await hold.setRun('the-one-before')
  await schedules.runNow('yearly')
  await expect.poll(() => outcomes('yearly'), patiently).toHaveLength(1)
  expect(await outcomes('yearly')).toMatchObject([
    { outcome: 'skipped', run: null, message: 'run the-one-before was still going' },
  ])
  await hold.release()
  await schedules.runNow('yearly')
  await expect.poll(() => outcomes('yearly'), patiently).toMatchObject([{}, { outcome: 'completed', message: null }])
})

it('puts a time off when what holds the result set is no run, as with headlight report', async () => {
  await put('yearly', '0 0 1 1 *')
  const queue = openQueue<RunJob, unknown>(redis.connection, runsQueue, silent)
  const hold = await holdOf(world, set)
  await schedules.runNow('yearly')
  const putOff = async () => (await queue.getDelayed()).filter((job) => job.repeatJobKey === undefined)
  await expect.poll(putOff, patiently).toHaveLength(1)
  expect(await outcomes('yearly')).toEqual([])
  await hold.release()
  for (const job of await putOff()) await job.promote()
  await expect.poll(() => outcomes('yearly'), patiently).toMatchObject([{ outcome: 'completed' }])
  await queue.close()
})

it('skips no time that is stood in for while its run is still going', async () => {
  await put('yearly', '0 0 1 1 *')
  const queue = openQueue<RunJob, unknown>(redis.connection, runsQueue, silent)
  const hold = await holdOf(world, set)
  const [next] = await queue.getDelayed()
  if (next === undefined) throw new Error('the schedule has a next time')
  const { id = '' } = await queue.add(standInName, next.data)
  await expect.poll(() => queue.getJobState(id)).toBe('delayed')
  expect(await outcomes('yearly')).toEqual([])
  await hold.release()
  await (await queue.getJob(id))?.promote()
  await expect.poll(() => outcomes('yearly'), patiently).toMatchObject([{ outcome: 'completed' }])
  await queue.close()
})

it('notes why a run failed that cannot work', async () => {
  await put('broken', '0 0 1 1 *', 'no-such-set')
  await schedules.runNow('broken')
  await expect
    .poll(() => outcomes('broken'), patiently)
    .toMatchObject([{ outcome: 'failed', message: expect.stringContaining('no-such-set') }])
})
