import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from 'vitest'
import { layout } from '../../src/output/layout.ts'
import type { ResultSet } from '../../src/output/resultSet.ts'
import { latestRun } from '../../src/output/runs.ts'
import type { ServeRunOptions } from '../../src/producer/serveRun.ts'
import { openStore } from '../../src/storage/open.ts'
import type { Store } from '../../src/storage/store.ts'
import { serveRunOf, startFakeWorker, World, type FakeWorker } from '../support/producerWorld.ts'
import { startTestRedis } from '../support/redis.ts'
import { startS3Server, type S3Request, type S3Server } from '../support/s3Server.ts'

const credentials = { accessKeyId: 'tester', secretAccessKey: 'not a secret' }
const times = {
  follow: { pollMs: 20, retrying: { firstMs: 30, longestMs: 100 } },
  store: { firstMs: 5, longestMs: 20, limitMs: 60_000 },
}

let redis: Awaited<ReturnType<typeof startTestRedis>>
let server: S3Server
let dataset: Store
let output: Store
let world: World
let set: ResultSet
let worker: FakeWorker | undefined
let queueName: string
let said: string[]

beforeAll(async () => {
  redis = await startTestRedis()
})
afterAll(() => redis.stop())
beforeEach(async () => {
  server = await startS3Server(credentials)
  for (const key of ['a.jpg', 'b.jpg', 'c.jpg', 'd.jpg']) server.put(`dataset/${key}`, key)
  dataset = openStore('s3://bucket/dataset', { endpoint: server.endpoint, credentials })
  output = openStore('s3://bucket/output', { endpoint: server.endpoint, credentials })
  world = await World.make()
  set = await world.prepare(['yaw'], { dataset, output })
  queueName = `faulty-${performance.now()}`
  said = []
})
afterEach(async () => {
  await worker?.stop()
  worker = undefined
  output.close()
  dataset.close()
  await server.close()
  await world.remove()
})

function serve(changes: Partial<ServeRunOptions> = {}) {
  return serveRunOf(world, set, redis.connection, queueName, {
    output,
    openDataset: () => openStore(dataset.uri, { endpoint: server.endpoint, credentials }),
    onProgress: ({ message }) => {
      if (message !== undefined) said.push(message)
    },
    times,
    ...changes,
  })
}

const under = (prefix: string) => `output/${prefix}`
const lists = (prefix: string) => (request: S3Request) =>
  request.key === '' && (request.query.get('prefix') ?? '').startsWith(prefix)

it('outlives a store that fails at each step: opening, listing, enqueueing, merging, publishing', async () => {
  worker = startFakeWorker({ connection: redis.connection, queueName, output, set })
  const putsHold = ({ method, key }: S3Request) => method === 'PUT' && key === under(layout.hold(set.id))
  const isOpen = () => [...server.objects().keys()].some((key) => key.endsWith('/run.json'))
  /** Steps in their order, each failing as often as the driver itself repeats. */
  const steps: Record<string, (request: S3Request) => boolean> = {
    'reads the hold': ({ method, key }) => method === 'GET' && key === under(layout.hold(set.id)),
    'takes the hold': (request) => putsHold(request) && request.headers['if-none-match'] !== undefined,
    'lists the runs': lists(under(layout.runs(set.id))),
    'looks at the dataset': lists('dataset/'),
    'opens the run': ({ method, key }) => method === 'PUT' && key.endsWith('/run.json'),
    'names the run in the hold': (request) => putsHold(request) && request.headers['if-match'] !== undefined,
    'lists the dataset': (request) => lists('dataset/')(request) && isOpen(),
    'lists the records': ({ key, query }) => key === '' && (query.get('prefix') ?? '').endsWith('/records/'),
    'puts the manifest': ({ method, key }) => method === 'PUT' && /\/manifest\/.*gz$/.test(key),
    'reads records': ({ method, key }) => method === 'GET' && key.endsWith('.jsonl'),
    publishes: ({ method, key }) => method === 'PUT' && key === under(layout.current(set.id)),
  }
  for (const when of Object.values(steps)) server.faults.push({ what: 'internal-error', when, times: 5 })
  const summary = await serve()

  expect(summary.counts).toMatchObject({ total: 4, computed: 4 })
  // Each was met, and is over.
  expect(Object.keys(steps).filter((_, i) => server.faults[i]?.times !== 0)).toEqual([])
  expect(said.filter((message) => message.includes('does not answer (store-busy): trying again in'))).not.toEqual([])
  expect((await latestRun(output, set.id))?.state).toBe('completed')
  expect(await output.head(layout.hold(set.id))).toBeUndefined()
})

it('gives up in the end, leaving the run open for the same command', async () => {
  worker = startFakeWorker({ connection: redis.connection, queueName, output, set })
  server.faults.push({ what: 'internal-error', when: ({ method, key }) => method === 'GET' && key.endsWith('.jsonl') })
  await expect(serve({ times: { ...times, store: { ...times.store, limitMs: 10 } } })).rejects.toMatchObject({
    name: 'TransientError',
    message: expect.stringContaining('start the same command again when the store answers'),
  })
  expect((await latestRun(output, set.id))?.state).toBe('open')
  server.faults.length = 0
  expect((await serve()).counts).toMatchObject({ total: 4, computed: 4 })
})

it('stops at once when it is told to while it waits for a store', async () => {
  server.faults.push({ what: 'internal-error', when: lists('dataset/') })
  const stop = new AbortController()
  const store = { ...times.store, firstMs: 3_600_000, longestMs: 3_600_000 }
  const serving = serve({ signal: stop.signal, times: { ...times, store } })
  while (said.length === 0) await sleep(10)
  expect(said[0]).toMatch(/^s3:\/\/bucket\/dataset\/ does not answer \(store-busy\): trying again in \d+ s$/)
  stop.abort(new Error('interrupted'))
  await expect(serving).rejects.toThrow('interrupted')
  expect(await output.head(layout.hold(set.id))).toBeUndefined()
})
