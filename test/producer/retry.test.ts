import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from 'vitest'
import { changeFlags } from '../../src/output/flags.ts'
import { Manifest } from '../../src/output/manifest.ts'
import type { ResultSet } from '../../src/output/resultSet.ts'
import { latestRun } from '../../src/output/runs.ts'
import type { ServeRunOptions } from '../../src/producer/serveRun.ts'
import { serveRunOf, startFakeWorker, World, type FakeWorker } from '../support/producerWorld.ts'
import { startTestRedis } from '../support/redis.ts'

let redis: Awaited<ReturnType<typeof startTestRedis>>
let world: World
let set: ResultSet
let worker: FakeWorker

beforeAll(async () => {
  redis = await startTestRedis()
})
afterAll(() => redis.stop())

/** Two failed samples of different codes among four, then a dataset that has changed since. */
beforeEach(async () => {
  world = await World.make(['a.jpg', 'b-broken.jpg', 'c-vanished.jpg', 'd.jpg'])
  set = await world.prepare()
  startWork()
  await serve()
  await world.addImage('a.jpg', 'changed')
  await world.addImage('b-broken.jpg', 'changed')
  await world.addImage('new.jpg')
  await world.removeImage('d.jpg')
})
afterEach(async () => {
  await worker.stop()
  await world.remove()
})

function startWork(): void {
  worker = startFakeWorker({ connection: redis.connection, queueName: queueName(), output: world.output, set })
}

const queueName = () => `shards-${world.folder.slice(-6)}`

function serve(changes: Partial<ServeRunOptions> = {}) {
  return serveRunOf(world, set, redis.connection, queueName(), changes)
}

async function listed(run: string): Promise<string[]> {
  const keys: string[] = []
  for await (const { entries } of new Manifest(world.output, set.id, run).parts()) {
    keys.push(...entries().map(({ key }) => key))
  }
  return keys
}

/** A retry that stops before anything is computed. */
async function leftOpen(code: string | null): Promise<string> {
  await worker.stop()
  const stop = new AbortController()
  const left = serve({
    retry: { code },
    signal: stop.signal,
    onProgress: ({ phase }) => {
      if (phase === 'computing') stop.abort(new Error('interrupted'))
    },
  })
  await expect(left).rejects.toThrow('interrupted')
  return (await latestRun(world.output, set.id))?.run ?? ''
}

it('computes the failed samples alone, and leaves all others as they are, seen or unseen', async () => {
  const before = await world.rows(set)
  const summary = await serve({ retry: { code: null } })
  expect(await listed(summary.run)).toEqual(['b-broken.jpg', 'c-vanished.jpg'])
  expect(summary.counts).toEqual({ total: 4, computed: 2, unchanged: 2, failed: 2, gone: 0 })
  const rows = await world.rows(set)
  expect(rows.map(({ key }) => key)).toEqual(before.map(({ key }) => key))
  for (const i of [0, 2, 3]) expect(rows[i]).toEqual(before[i])
  // An ordinary run afterwards finds what has changed.
  expect((await serve()).counts).toMatchObject({ total: 4, computed: 3, gone: 1 })
})

it('takes one code only when one is given, and drops a failed sample whose object is gone', async () => {
  expect(await listed((await serve({ retry: { code: 'corrupt-image' } })).run)).toEqual(['b-broken.jpg'])
  await world.removeImage('b-broken.jpg')
  const summary = await serve({ retry: { code: 'corrupt-image' } })
  expect(summary.counts).toEqual({ total: 3, computed: 0, unchanged: 3, failed: 1, gone: 1 })
})

it('leaves a map to the sample that has it, which it does not look at', async () => {
  // A pair with one map: the second fails, as long as the first is there.
  for (const key of ['e.jpg', 'e.jpg.png']) await world.addImage(key)
  await serve()
  const codes = async () => (await world.rows(set)).filter(({ key }) => key.startsWith('e.')).map(({ code }) => code)
  expect(await codes()).toEqual([null, 'key-collision'])
  expect(await listed((await serve({ retry: { code: 'key-collision' } })).run)).toEqual(['e.jpg.png'])
  expect(await codes()).toEqual([null, 'key-collision'])
})

it('stays a retry when it is resumed', async () => {
  const left = await leftOpen('vanished')
  startWork()
  const summary = await serve({ retry: { code: 'vanished' } })
  expect(summary).toMatchObject({ run: left, counts: { computed: 1, unchanged: 3 } })
})

it('is finished by an ordinary run, which then does what it is there for', async () => {
  const left = await leftOpen(null)
  startWork()
  const summary = await serve()
  expect(summary.run).not.toBe(left)
  expect(summary.counts).toMatchObject({ total: 4, gone: 1 })
  expect(await listed(left)).toEqual(['b-broken.jpg', 'c-vanished.jpg'])
})

it('does not begin while another run is open', async () => {
  const left = await leftOpen('vanished')
  await expect(serve({ retry: { code: null } })).rejects.toMatchObject({
    code: 'held',
    message: expect.stringContaining(`headlight cancel ${left}`),
  })
  await changeFlags(world.output, set.id, left, { cancelled: true })
  startWork()
  expect(await serve({ retry: { code: 'vanished' } })).toMatchObject({ run: left, state: 'cancelled' })
})
