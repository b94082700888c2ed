import type { Job, Queue, Worker } from 'bullmq'
import { afterAll, afterEach, beforeAll, beforeEach, expect, onTestFinished, test } from 'vitest'
import type { Shard } from '../../src/output/manifest.ts'
import { ShardQueue } from '../../src/producer/shardQueue.ts'
import { openQueue, openWorker } from '../../src/queue/connection.ts'
import type { ShardJob, ShardResult } from '../../src/queue/jobs.ts'
import { asidePriority } from '../../src/queue/shardPriority.ts'
import { silent, startTestRedis } from '../support/redis.ts'

const queueName = 'shards'
let redis: Awaited<ReturnType<typeof startTestRedis>>
let queue: Queue<ShardJob, ShardResult>
let worker: Worker<ShardJob, ShardResult>

beforeAll(async () => {
  redis = await startTestRedis()
})
afterAll(() => redis.stop())
beforeEach(async () => {
  queue = openQueue(redis.connection, queueName, silent)
  worker = openWorker<ShardJob, ShardResult>(redis.connection, queueName, null, {}, silent)
  await queue.waitUntilReady()
})
afterEach(async () => {
  await worker.close()
  await queue.obliterate({ force: true })
  await queue.close()
})

function openRun(run: string, priority?: number): ShardQueue {
  const listeners = { onResult: () => undefined, onProgress: () => undefined, onFailed: () => undefined }
  const job = { run, output: 'file:///out/', set: run }
  const shards = new ShardQueue({ connection: redis.connection, queueName, job, priority, listeners, log: silent })
  onTestFinished(() => shards.close())
  return shards
}

const shards = (count: number, part = 0): Shard[] =>
  Array.from({ length: count }, (_, i) => ({ part, offset: i * 256, count: 256 }))

const take = () => worker.getNextJob('token', { block: false })
const finish = (job: Job | undefined) => job?.moveToCompleted({}, 'token', false)

/** Takes and finishes so many shards as a worker does that has four at work; tells whose they were, as they finished. */
async function work(count: number): Promise<string[]> {
  const atWork: Job<ShardJob>[] = []
  const done: string[] = []
  while (done.length < count) {
    while (atWork.length < 4) {
      const job = await take()
      if (job === undefined) break
      atWork.push(job)
    }
    const first = atWork.shift()
    if (first === undefined) break
    await finish(first)
    done.push(first.data.run)
  }
  // As when the worker drains.
  for (const job of atWork.toReversed()) await job.moveToWait('token')
  return done
}

const countOf = (run: string, done: readonly string[]) => done.filter((one) => one === run).length

test.each([0, 200])('a run of 10 shards is done before one of 1,000 that is at %i has finished 30 more', async (at) => {
  await openRun('backfill').add(shards(1_000))
  await work(at)
  await openRun('nightly').add(shards(10))
  const done = await work(40)
  const last = done.lastIndexOf('nightly')
  expect(countOf('nightly', done)).toBe(10)
  expect(countOf('backfill', done.slice(0, last))).toBeLessThan(30)
})

test('a large run that comes later takes turns with the one before, and does not catch up first', async () => {
  await openRun('first').add(shards(300))
  await work(100)
  const second = openRun('second')
  await second.add(shards(200))
  const done = await work(100)
  expect(countOf('first', done)).toBeGreaterThanOrEqual(45)
  expect(countOf('second', done)).toBeGreaterThanOrEqual(45)
  // Nor does its next part, which is listed while the first one is under way.
  await second.add(shards(200, 1))
  expect(countOf('first', await work(100))).toBeGreaterThanOrEqual(45)
})

test('a run whose listing is slow saves up no turns', async () => {
  const slow = openRun('slow')
  await slow.add(shards(10))
  await openRun('other').add(shards(300))
  await work(200)
  await slow.add(shards(100, 1))
  expect(countOf('other', await work(60))).toBeGreaterThanOrEqual(25)
})

test('all of a higher priority come first, all of a lower one last, and runs of one priority take turns', async () => {
  await openRun('low', -1).add(shards(20))
  await openRun('ordinary').add(shards(20))
  await openRun('urgent', 3).add(shards(20))
  await openRun('high', 1).add(shards(20))
  const later = openRun('later')
  await later.add(shards(20))
  const done = await work(100)
  expect(done.slice(0, 20)).toEqual(Array.from({ length: 20 }, () => 'urgent'))
  expect(done.slice(20, 40)).toEqual(Array.from({ length: 20 }, () => 'high'))
  expect(countOf('later', done.slice(40, 60))).toBe(10)
  expect(done.slice(80)).toEqual(Array.from({ length: 20 }, () => 'low'))
})

test('a run behind many of a higher priority begins where its own kind is', async () => {
  const ordinary = openRun('ordinary')
  await ordinary.add(shards(100))
  await work(60)
  await openRun('urgent', 2).add(shards(50))
  await openRun('later').add(shards(30))
  await work(50)
  expect(countOf('ordinary', await work(30))).toBeGreaterThanOrEqual(14)
})

test('an attempt that failed long ago and waits again gives a new run no lead', async () => {
  await openRun('large').add(shards(200))
  const failed = await take()
  await work(100)
  const atWork = await take()
  await failed?.moveToWait('token')
  await openRun('new').add(shards(60))
  await finish(atWork)
  expect(countOf('large', await work(60))).toBeGreaterThanOrEqual(28)
})

test('what is about to be tried again comes before the bulk of a run that begins meanwhile', async () => {
  await openRun('old').add(shards(50))
  await work(49)
  const last = await take()
  await last?.moveToDelayed(Date.now() + 3_600_000, 'token')
  await openRun('new').add(shards(100))
  await (await queue.getDelayed())[0]?.promote()
  expect(await work(10)).toContain('old')
})

test('shards of a paused run wait behind all others, and take turns again when it is resumed', async () => {
  const paused = openRun('paused')
  await paused.add(shards(40))
  // What workers do with them: some wait for later, some have come back by themselves.
  for (let i = 0; i < 40; i++) {
    const job = await take()
    await job?.changePriority({ priority: asidePriority })
    await job?.moveToDelayed(Date.now() + 3_600_000, 'token')
  }
  for (const job of (await queue.getDelayed()).slice(0, 20)) await job.promote()
  await openRun('other').add(shards(100))
  expect(countOf('paused', await work(20))).toBe(0)
  await paused.add(shards(40), { anew: true })
  await paused.promote()
  const aside = (await queue.getPrioritized()).filter(({ priority }) => priority === asidePriority)
  expect([await queue.getDelayedCount(), aside.length]).toEqual([0, 20])
  await paused.reclaim()
  expect(countOf('paused', await work(60))).toBeGreaterThanOrEqual(28)
})

test('shards that nobody was there to bring back have their places again when a worker comes', async () => {
  for (const run of ['resumed', 'paused']) {
    await openRun(run).add(shards(3))
    for (let i = 0; i < 3; i++) {
      const job = await take()
      await job?.changePriority({ priority: asidePriority })
      await job?.moveToDelayed(Date.now() + 3_600_000, 'token')
    }
  }
  await openRun('resumed').reclaim({ delayed: true })
  const waiting = await queue.getDelayed()
  const places = waiting.map(({ data, priority }) => `${data.run}${priority === asidePriority ? ' aside' : ''}`)
  expect(places.toSorted()).toEqual([...Array<string>(3).fill('paused aside'), ...Array<string>(3).fill('resumed')])
})

test('others of its queue keep their places when a run claims its own', async () => {
  for (const run of ['one', 'two']) {
    await openRun(run).add(shards(3))
    for (let i = 0; i < 3; i++) {
      const job = await take()
      await job?.changePriority({ priority: asidePriority })
      await job?.moveToDelayed(0, 'token')
    }
  }
  await (await take())?.moveToWait('token')
  await openRun('one').reclaim()
  const waiting = await queue.getPrioritized()
  expect(waiting.map(({ data, priority }) => [data.run, priority === asidePriority])).toEqual([
    ...Array.from({ length: 3 }, () => ['one', false]),
    ...Array.from({ length: 3 }, () => ['two', true]),
  ])
})

test('runs take turns also in a Redis that has lost all their shards, whatever places they had', async () => {
  const [far, near] = [openRun('far'), openRun('near')]
  await near.add(shards(10))
  await work(10)
  await far.add(shards(300))
  await work(200)
  await queue.obliterate({ force: true })
  await near.add(shards(100, 1), { anew: true })
  await far.add(shards(300).slice(200), { anew: true })
  expect(countOf('far', await work(40))).toBeGreaterThanOrEqual(18)
})
