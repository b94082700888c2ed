import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from 'vitest'
import { openAdapter } from '../../src/dataset/adapters.ts'
import { layout } from '../../src/output/layout.ts'
import { Manifest } from '../../src/output/manifest.ts'
import type { ResultSet } from '../../src/output/resultSet.ts'
import { enumerate } from '../../src/producer/enumerate.ts'
import type { ServeRunOptions } from '../../src/producer/serveRun.ts'
import type { Store } from '../../src/storage/store.ts'
import { collected, dyingAt, serveRunOf, startFakeWorker, World, type FakeWorker } from '../support/producerWorld.ts'
import { startTestRedis } from '../support/redis.ts'

// Several faces in one image: each is a sample, with all that befalls samples.

let redis: Awaited<ReturnType<typeof startTestRedis>>
let world: World
let set: ResultSet
let worker: FakeWorker

beforeAll(async () => {
  redis = await startTestRedis()
})
afterAll(() => redis.stop())
beforeEach(async () => {
  world = await World.make(['a.jpg', 'a.jpg#1.png', 'b.jpg', 'c/broken.jpg', 'd.jpg'])
  const plain = await world.prepare(['yaw'])
  const adapter = {
    name: 'csv' as const,
    applyExifOrientation: false,
    index: 'index.csv',
    columns: { face: 'person' },
  }
  set = { ...plain, options: { ...plain.options, adapter } }
  worker = startFakeWorker({ connection: redis.connection, queueName: queueName(), output: world.output, set })
})
afterEach(async () => {
  await worker.stop()
  await world.remove()
})

const queueName = () => `shards-${world.folder.slice(-6)}`

const index = (...rows: string[]) =>
  writeFile(join(world.folder, 'dataset', 'index.csv'), `key,person\n${rows.join('\n')}\n`)

/** A run, with the maps that a worker would have put. */
async function run(changes: Partial<ServeRunOptions> = {}) {
  const summary = await serveRunOf(world, set, redis.connection, queueName(), changes)
  const computed = await entriesOf(summary.run)
  for (const { key, status, mapYaw } of await world.rows(set)) {
    if (status === 'ok' && computed.includes(key)) await world.output.put(`${set.id}/${String(mapYaw)}`, key)
  }
  return { summary, computed }
}

async function entriesOf(name: string, output: Store = world.output): Promise<string[]> {
  const parts = await collected(new Manifest(output, set.id, name).parts())
  return parts.flatMap(({ entries }) => entries().map(({ key, refused }) => (refused ? `${key} ${refused}` : key)))
}

const maps = async () =>
  (await collected(world.output.list({ prefix: `${set.id}/maps/yaw/` }))).map(({ key }) => key.split('/yaw/')[1])

it('one goes with its map, the other faces of the image stay, and one that is added is computed alone', async () => {
  await index('a.jpg,1', 'a.jpg,2', 'b.jpg,1')
  expect((await run()).summary.counts).toMatchObject({ total: 3, computed: 3, failed: 0 })
  expect(await maps()).toEqual(['a.jpg#1.png', 'a.jpg#2.png', 'b.jpg#1.png'])
  await index('a.jpg,2', 'b.jpg,1', 'b.jpg,0')
  const { summary, computed } = await run({ prune: true })
  expect(computed).toEqual(['b.jpg#0'])
  expect(summary.counts).toMatchObject({ total: 3, computed: 1, unchanged: 2, gone: 1 })
  expect(await maps()).toEqual(['a.jpg#2.png', 'b.jpg#0.png', 'b.jpg#1.png'])
  // All faces of an image are new with it.
  await world.addImage('b.jpg', 'changed')
  expect((await run()).computed).toEqual(['b.jpg#0', 'b.jpg#1'])
})

it('a map is not that of an image which is called like it, nor of a face which is', async () => {
  await index('a.jpg,1', 'a.jpg,1.png', 'a.jpg#1.png,1', 'a.jpg#1.png,x')
  const { summary, computed } = await run()
  // The map of face 1.png would be that of face 1.
  expect(computed).toEqual(['a.jpg#1', 'a.jpg#1.png key-collision', 'a.jpg#1.png#1', 'a.jpg#1.png#x'])
  expect(summary.counts).toMatchObject({ total: 4, failed: 1 })
  const rows = await world.rows(set)
  const kept = rows.filter(({ status }) => status === 'ok').map(({ mapYaw }) => mapYaw)
  expect(kept).toEqual(['a.jpg#1', 'a.jpg#1.png#1', 'a.jpg#1.png#x'].map((key) => layout.map('yaw', key)))
})

it('are retried by themselves, wherever their image is listed', async () => {
  await index('a.jpg,1', 'a.jpg,broken', 'a.jpg#1.png,broken', 'b.jpg,vanished', 'c/broken.jpg,1', 'd.jpg,1')
  expect((await run()).summary.counts).toMatchObject({ total: 6, failed: 4 })
  const before = await world.rows(set)
  const { summary, computed } = await run({ retry: { code: 'corrupt-image' } })
  expect(computed).toEqual(['a.jpg#1.png#broken', 'a.jpg#broken', 'c/broken.jpg#1'])
  expect(summary.counts).toEqual({ total: 6, computed: 3, unchanged: 3, failed: 4, gone: 0 })
  // Found again, every one with the image that it is in: an image that is not found has no ETag.
  expect(await world.rows(set)).toEqual(before)
})

it('are listed on after any that a listing ended with', async () => {
  const rows = ['a.jpg,1', 'a.jpg,2', 'a.jpg,~', 'a.jpg#1.png,1', 'a.jpg#1.png,~', 'b.jpg,1', 'b.jpg,2']
  await index(...rows)
  const listed = (run: string, output: Store) =>
    enumerate({
      dataset: world.dataset,
      adapter: openAdapter(set.options.adapter),
      manifest: new Manifest(output, set.id, run),
      state: (async function* () {})(),
      full: false,
      shardSize: null,
      partEntries: 2,
      signal: new AbortController().signal,
      onPart: () => Promise.resolve(),
      onListed: () => undefined,
    })
  await listed('quiet', world.output)
  const wanted = await entriesOf('quiet')
  expect(wanted).toHaveLength(rows.length)
  for (let death = 2; death <= 5; death++) {
    const name = `died-${death}`
    await expect(listed(name, dyingAt(world.output, death))).rejects.toThrow('died')
    await listed(name, world.output)
    expect(await entriesOf(name)).toEqual(wanted)
  }
})
