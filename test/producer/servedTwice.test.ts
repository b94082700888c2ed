import { once } from 'node:events'
import { createServer } from 'node:http'
import { Redis } from 'ioredis'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { Hold } from '../../src/output/hold.ts'
import type { ResultSet } from '../../src/output/resultSet.ts'
import { latestRun } from '../../src/output/runs.ts'
import { Schedules } from '../../src/producer/schedules.ts'
import { openQueue, openWorker } from '../../src/queue/connection.ts'
import { runJobSchema, runsQueue, shardsQueue, standInName, type RunJob } from '../../src/queue/jobs.ts'
import { redisConnection, type QueueConnection } from '../../src/queue/redisUrl.ts'
import { noPatience, serveRunsOf, startFakeWorker, World } from '../support/producerWorld.ts'
import { silent, startTcpRedis } from '../support/redis.ts'

let redis: Awaited<ReturnType<typeof startTcpRedis>>
let connection: QueueConnection
let admin: Redis
let world: World
let set: ResultSet
let schedules: Schedules
let runs: ReturnType<typeof openQueue<RunJob, unknown>>
let stop: AbortController
let serving: Promise<void>

/** A producer serves a run of a schedule, for which there is no worker yet. */
async function begin(webhook?: string): Promise<void> {
  const asked = { output: world.output.uri, set: set.id, full: false, shardSize: null, webhook }
  await schedules.put({ name: 'yearly', cron: '0 0 1 1 *', timeZone: 'UTC', job: runJobSchema.parse(asked) })
  serving = serveRunsOf(world, connection, stop.signal)
  await schedules.runNow('yearly')
  const shards = openQueue(connection, shardsQueue, silent)
  await expect.poll(() => shards.getPrioritizedCount()).toBe(1)
  await shards.close()
}

beforeEach(async () => {
  redis = await startTcpRedis()
  connection = redisConnection(`redis://127.0.0.1:${redis.port}`)
  admin = new Redis({ port: redis.port })
  world = await World.make(['a.jpg'])
  set = await world.prepare()
  schedules = await Schedules.open(connection, silent)
  runs = openQueue<RunJob, unknown>(connection, runsQueue, silent)
  await runs.waitUntilReady()
  stop = new AbortController()
})
afterEach(async () => {
  stop.abort(new Error('stopped'))
  await serving
  await runs.close()
  await schedules.close()
  admin.disconnect()
  await redis.stop()
  await world.remove()
})

const outcomes = async () => (await schedules.statuses()).flatMap((status) => status.outcomes)
const work = () => startFakeWorker({ connection, queueName: shardsQueue, output: world.output, set })

/** As after half a minute without Redis: the lock of the job has run out, and two checks find nobody who renews it. */
async function stall(id: string): Promise<void> {
  const checker = openWorker<RunJob, null>(connection, runsQueue, null, { autorun: false }, silent)
  await admin.del(runs.toKey(`${id}:lock`))
  for (const _check of ['marks it', 'takes it back']) {
    await admin.del(runs.toKey('stalled-check'))
    await checker.startStalledCheckTimer()
    await expect.poll(() => admin.exists(runs.toKey('stalled-check'))).toBe(1)
  }
  await expect.poll(async () => (await runs.getJob(id))?.stalledCounter).toBe(1)
  await checker.close()
}

it('a run whose job is given out again, since its lock ran out, is served once and handed back once', async () => {
  await begin()
  const [job] = await runs.getActive()
  await stall(job?.id ?? '')
  await expect.poll(async () => (await runs.getJob(job?.id ?? ''))?.attemptsStarted).toBe(2)
  expect(await outcomes()).toEqual([])
  stop.abort(new Error('stopped'))
  await serving
  const left = await runs.getJobs(['waiting', 'delayed'])
  expect(left.filter(({ id }) => id === job?.id)).toHaveLength(1)

  stop = new AbortController()
  serving = serveRunsOf(world, connection, stop.signal)
  const worker = work()
  await expect.poll(outcomes).toMatchObject([{ outcome: 'completed' }])
  await worker.stop()
})

it('a stand-in whose run has ended does nothing, however long the webhook takes', async () => {
  const told: string[] = []
  const server = createServer((_, response) => {
    told.push('once')
    response.writeHead(told.length === 1 ? 503 : 200).end()
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  await begin(`http://127.0.0.1:${typeof address === 'object' ? address?.port : 0}/`)
  await admin.flushall()
  const standIns = async () => (await runs.getDelayed()).filter(({ name }) => name === standInName)
  await expect.poll(standIns).toHaveLength(1)
  expect(await schedules.underway()).toEqual(new Map([['yearly', 'active']]))
  const worker = work()
  await expect.poll(() => told.length).toBe(1)
  expect(await standIns()).toEqual([])
  await expect.poll(() => told.length).toBe(2)
  await expect.poll(outcomes).toHaveLength(1)
  await worker.stop()
  server.close()
})

it('a stand-in does not wait for the hold of another machine, so that it can be removed', async () => {
  const hold = await Hold.take({
    output: world.output,
    set: set.id,
    signal: stop.signal,
    patience: noPatience,
    log: silent,
    onWait: () => undefined,
    identity: { host: 'other', bootId: 'other', pid: 1, processStart: '1' },
  })
  serving = serveRunsOf(world, connection, stop.signal)
  const asked = { output: world.output.uri, set: set.id, full: true, shardSize: null, schedule: 'yearly' }
  const standIn = await runs.add(standInName, runJobSchema.parse(asked))
  await expect.poll(() => standIn.getState()).toBe('delayed')
  expect(await runs.remove(standIn.id ?? '')).toBe(1)
  await hold.release()
  expect(await latestRun(world.output, set.id)).toBeUndefined()
})
