import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { createLogger } from '../../src/base/telemetry.ts'
import type { ResultSet } from '../../src/output/resultSet.ts'
import { latestRun } from '../../src/output/runs.ts'
import { enqueueRun } from '../../src/producer/queueRun.ts'
import type { ServeRunsOptions } from '../../src/producer/serveQueue.ts'
import { openQueue } from '../../src/queue/connection.ts'
import { runJobSchema, runsQueue, shardsQueue, type RunJob } from '../../src/queue/jobs.ts'
import { shardPriority } from '../../src/queue/shardPriority.ts'
import { AllowedPlaces } from '../../src/storage/allowedPlaces.ts'
import { openStore } from '../../src/storage/open.ts'
import { wrapped } from '../../src/storage/wrapped.ts'
import { serveRunsOf, startFakeWorker, World } from '../support/producerWorld.ts'
import { silent, startTestRedis } from '../support/redis.ts'

let redis: Awaited<ReturnType<typeof startTestRedis>>
let world: World
let set: ResultSet
let stop: AbortController
let serving: Promise<void> | undefined

beforeAll(async () => {
  redis = await startTestRedis()
})
afterAll(() => redis.stop())
beforeEach(async () => {
  world = await World.make(['a.jpg', 'b.jpg'])
  set = await world.prepare()
  stop = new AbortController()
})
afterEach(async () => {
  stop.abort(new Error('stopped'))
  await serving
  await world.remove()
})

function startServing(changes: Partial<ServeRunsOptions> = {}): void {
  serving = serveRunsOf(world, redis.connection, stop.signal, changes)
}

const job = (): RunJob => runJobSchema.parse({ output: world.output.uri, set: set.id, full: false, shardSize: null })

describe('the runs queue', () => {
  it('is served until told to stop; a run in the middle is handed back and goes on elsewhere', async () => {
    startServing()
    await enqueueRun(redis.connection, job(), silent)
    await expect.poll(async () => (await latestRun(world.output, set.id))?.state, { timeout: 10_000 }).toBe('open')
    const left = await latestRun(world.output, set.id)
    stop.abort(new Error('stopped'))
    await serving
    expect((await latestRun(world.output, set.id))?.state).toBe('open')

    stop = new AbortController()
    startServing()
    const worker = startFakeWorker({ connection: redis.connection, queueName: shardsQueue, output: world.output, set })
    try {
      await expect
        .poll(async () => (await latestRun(world.output, set.id))?.state, { timeout: 20_000 })
        .toBe('completed')
    } finally {
      await worker.stop()
    }
    expect((await latestRun(world.output, set.id))?.run).toBe(left?.run)
    expect(await world.rows(set)).toHaveLength(2)
  })

  it('gives a run the priority that it was added with among the shards of others', async () => {
    const own = await startTestRedis()
    serving = serveRunsOf(world, own.connection, stop.signal)
    await enqueueRun(own.connection, { ...job(), priority: 2 }, silent)
    const shards = openQueue(own.connection, shardsQueue, silent)
    await expect.poll(() => shards.getPrioritizedCount()).toBe(2)
    const numbers = (await shards.getPrioritized()).map(({ priority }) => priority)
    expect(numbers).toEqual([shardPriority(2, 1), shardPriority(2, 2)])
    await shards.close()
    stop.abort(new Error('stopped'))
    await serving
    await own.stop()
  })

  it('says when it takes no more runs', async () => {
    const lines: string[] = []
    const answersLate = wrapped(world.output, {
      get: () => new Promise((_, reject) => stop.signal.addEventListener('abort', () => reject(new Error('late')))),
    })
    const own = await startTestRedis()
    serving = serveRunsOf(world, own.connection, stop.signal, {
      openOutput: () => answersLate,
      log: createLogger('info', { write: (line) => void lines.push(line) }),
    })
    for (let i = 0; i < 7; i++) await enqueueRun(own.connection, job(), silent)
    await new Promise((resolve) => setTimeout(resolve, 200))
    expect(lines.join()).not.toContain('runs are served')
    await enqueueRun(own.connection, job(), silent)
    await expect.poll(() => lines.join()).toContain('8 runs are served now')
    stop.abort(new Error('stopped'))
    await serving
    await own.stop()
  })

  it('does not try again a job whose output is no store', async () => {
    const lines: string[] = []
    startServing({
      openOutput: (asked) => openStore(asked.output),
      log: createLogger('warn', { write: (line) => void lines.push(line) }),
    })
    const id = await enqueueRun(redis.connection, { ...job(), output: 'ftp://queue/out/' }, silent)
    const queue = openQueue(redis.connection, runsQueue, silent)
    try {
      await queue.waitUntilReady()
      await expect.poll(() => queue.getJobState(id), { timeout: 10_000 }).toBe('failed')
      expect(await queue.getJob(id)).toMatchObject({
        attemptsMade: 1,
        failedReason: expect.stringContaining('ftp:// is no store that headlight knows'),
      })
      expect(lines.map((line) => JSON.parse(line) as object)).toMatchObject([
        {
          level: 'error',
          code: 'bad-uri',
          resultSet: set.id,
          msg: expect.stringMatching(/^the run failed: .*ftp:/) as string,
        },
      ])
    } finally {
      await queue.close()
    }
  })

  it('leaves a run that it may not touch to others, and says so once', async () => {
    const lines: string[] = []
    const refusals: string[] = []
    const allowed = new AllowedPlaces(['s3://heads/'])
    startServing({
      openOutput: ({ output: uri }) => {
        allowed.require({ what: 'output', uri }, undefined)
        return openStore(uri)
      },
      onEvent: (event) => event.type === 'refused' && refusals.push(event.message),
      log: createLogger('info', { write: (line) => void lines.push(line) }),
    })
    const queue = openQueue(redis.connection, runsQueue, silent)
    try {
      await queue.waitUntilReady()
      const ids: string[] = []
      for (const count of [1, 2]) {
        const id = await enqueueRun(redis.connection, job(), silent)
        ids.push(id)
        await expect.poll(() => refusals.length, { timeout: 10_000 }).toBeGreaterThanOrEqual(count)
        await expect.poll(() => queue.getJobState(id), { timeout: 10_000 }).toBe('delayed')
      }
      // Not before: a producer puts back what goes without having ended.
      stop.abort(new Error('stopped'))
      await serving
      for (const id of ids) {
        expect((await queue.getJob(id))?.attemptsMade).toBeGreaterThanOrEqual(1)
        await queue.remove(id)
      }
      expect(lines.filter((line) => line.includes('not-allowed'))).toHaveLength(1)
      expect(await latestRun(world.output, set.id)).toBe(undefined)
    } finally {
      await queue.close()
    }
  })

  it('does not tell a webhook that it may not touch', async () => {
    const told: string[] = []
    const webhook = createServer((request, response) => {
      told.push(request.url ?? '')
      response.end()
    })
    await new Promise<void>((resolve) => webhook.listen(0, '127.0.0.1', resolve))
    const { port } = webhook.address() as AddressInfo
    const allowed = new AllowedPlaces([`http://127.0.0.1:${port}/hooks/`])
    const refusals: string[] = []
    startServing({
      allowsWebhook: (url) => allowed.allows(url),
      onEvent: (event) => event.type === 'refused' && refusals.push(event.message),
    })
    const worker = startFakeWorker({ connection: redis.connection, queueName: shardsQueue, output: world.output, set })
    try {
      const tells = (path: string) => ({ ...job(), webhook: `http://127.0.0.1:${port}${path}` })
      await enqueueRun(redis.connection, tells('/secret'), silent)
      await expect.poll(() => refusals, { timeout: 20_000 }).toHaveLength(1)
      expect((await latestRun(world.output, set.id))?.state).toBe('completed')
      await enqueueRun(redis.connection, tells('/hooks/it'), silent)
      await expect.poll(() => told, { timeout: 20_000 }).toEqual(['/hooks/it'])
    } finally {
      await worker.stop()
      webhook.close()
    }
  })

  it('does not try again what the input is to blame for', async () => {
    startServing()
    const id = await enqueueRun(redis.connection, { ...job(), set: 'no-such-set' }, silent)
    const queue = openQueue(redis.connection, runsQueue, silent)
    try {
      await queue.waitUntilReady()
      await expect.poll(() => queue.getJobState(id), { timeout: 10_000 }).toBe('failed')
      expect((await queue.getJob(id))?.failedReason).toContain('holds no result set no-such-set')
    } finally {
      await queue.close()
    }
  })
})
