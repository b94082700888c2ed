import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import { latestRun } from '../../src/output/runs.ts'
import { enqueueRun } from '../../src/producer/queueRun.ts'
import { openQueue } from '../../src/queue/connection.ts'
import { runJobSchema, runsQueue, shardsQueue, type RunJob } from '../../src/queue/jobs.ts'
import { redisConnection, type QueueConnection } from '../../src/queue/redisUrl.ts'
import { wrapped } from '../../src/storage/wrapped.ts'
import { serveRunsOf, startFakeWorker, World, type FakeWorker } from '../support/producerWorld.ts'
import { silent } from '../support/redis.ts'
import { startRedisPair, type RedisPair } from '../support/redisPair.ts'

let pair: RedisPair
let connection: QueueConnection
let world: World
let set: Awaited<ReturnType<World['prepare']>>
let job: RunJob
let stop: AbortController
let serving: Promise<void>
let worker: FakeWorker | undefined

beforeEach(async () => {
  pair = await startRedisPair()
  connection = redisConnection(pair.url)
  world = await World.make(['a.jpg', 'b.jpg', 'c.jpg'])
  set = await world.prepare()
  job = runJobSchema.parse({ output: world.output.uri, set: set.id, full: true, shardSize: 1 })
  stop = new AbortController()
})
afterEach(async () => {
  stop.abort(new Error('stopped'))
  await serving
  await worker?.stop()
  worker = undefined
  await pair.stop()
  await world.remove()
})

const patient = { timeout: 40_000 }

async function failOver(): Promise<void> {
  await pair.promote(pair.ports[1])
  pair.proxy.target = pair.ports[1]
}

it('a standing producer and a standing worker go on after a failover, in the run at work and in the next', async () => {
  let release: () => void = () => undefined
  const gate = new Promise<void>((resolve) => (release = resolve))
  serving = serveRunsOf(world, connection, stop.signal)
  worker = startFakeWorker({
    connection,
    queueName: shardsQueue,
    output: world.output,
    set,
    before: ({ part, offset }) => (part + offset === 1 ? gate : undefined),
  })
  await enqueueRun(connection, job, silent)
  const pulled = () => worker?.pulled.length ?? 0
  await vi.waitFor(() => expect(pulled()).toBeGreaterThanOrEqual(2), patient)
  // No word of a replica that has all: what it lacks, the producer adds again.
  await failOver()
  release()
  const state = async () => (await latestRun(world.output, set.id))?.state
  await expect.poll(state, patient).toBe('completed')
  expect(await world.rows(set)).toHaveLength(3)
  const first = (await latestRun(world.output, set.id))?.run

  await vi.waitFor(() => enqueueRun(connection, job, silent), patient)
  const next = async () => {
    const run = await latestRun(world.output, set.id)
    return run?.run === first ? 'none' : run?.state
  }
  await expect.poll(next, patient).toBe('completed')
  expect(await world.rows(set)).toHaveLength(3)
})

it('a failover just as a run begins does not fail the run for good', async () => {
  let release: () => void = () => undefined
  const gate = new Promise<void>((resolve) => (release = resolve))
  let isReading = false
  const slow = wrapped(world.output, {
    get: async (key) => {
      isReading = true
      await gate
      return world.output.get(key)
    },
  })
  const outcomes: string[] = []
  serving = serveRunsOf(world, connection, stop.signal, {
    openOutput: () => slow,
    onEvent: (event) => {
      if (event.type === 'run-ended') outcomes.push(event.outcome)
    },
  })
  const id = await enqueueRun(connection, job, silent)
  await vi.waitFor(() => expect(isReading).toBe(true), patient)
  await pair.linked()
  await pair.promote(pair.ports[1])
  release()
  await vi.waitFor(() => expect(outcomes).toEqual(['retried']), patient)
  pair.proxy.target = pair.ports[1]
  const queue = openQueue(connection, runsQueue, silent)
  try {
    await queue.waitUntilReady()
    await expect.poll(() => queue.getJobState(id), patient).toBe('delayed')
    expect(await queue.getJob(id)).toMatchObject({
      attemptsMade: 1,
      failedReason: expect.stringContaining('is a replica'),
    })
  } finally {
    await queue.close()
  }
})
