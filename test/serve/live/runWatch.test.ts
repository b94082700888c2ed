import { expect, it } from 'vitest'
import { layout } from '../../../src/output/layout.ts'
import { Manifest } from '../../../src/output/manifest.ts'
import type { Record as SampleRecord } from '../../../src/output/record.ts'
import { recordLines } from '../../../src/output/recordFile.ts'
import { RunWatch } from '../../../src/serve/live/runWatch.ts'
import type { ListOptions, Store } from '../../../src/storage/store.ts'
import { memoryOutput } from '../../support/memoryOutput.ts'

const set = 'model-all-0a1b2c3d'
const run = '20261201T010000Z-aaaaaa'
const shardSize = 4

function record(key: string, code?: string): SampleRecord {
  const common = { key, fingerprint: 'f' }
  if (code !== undefined) return { ...common, status: 'failed', code, message: `${code} it is` }
  const angles = { yaw: 1, pitch: 2, roll: 3 }
  return {
    ...common,
    status: 'ok',
    angles,
    label: null,
    error: null,
    bins: { yaw: null, pitch: null, roll: null },
    imageWidth: 64,
    imageHeight: 48,
    crop: [8, 0, 56, 48],
    subject: null,
    sequence: null,
    frame: null,
    objectives: {},
  }
}

/** A run over parts of the given sizes, all of whose listings are remembered. */
async function watched(...sizes: number[]) {
  const output = memoryOutput()
  const listed: ListOptions[] = []
  const store: Store = {
    ...output,
    list: (options: ListOptions = {}) => {
      listed.push(options)
      return output.list(options)
    },
  }
  const manifest = new Manifest(output, set, run)
  for (const [part, count] of sizes.entries()) {
    await manifest.putPart({ schema: 1, part, through: 'z', count, shardSize, unchanged: 0, gone: [] }, [])
  }
  const toCompute = sizes.reduce((sum, size) => sum + size, 0)
  return {
    output,
    listed,
    watch: new RunWatch(store, set, run),
    endListing: () => manifest.putDone({ parts: sizes.length, toCompute, unchanged: 0, gone: 0 }),
    land: (part: number, at: number, records: readonly SampleRecord[] = []) =>
      output.put(layout.recordFile(set, run, part, at * shardSize), recordLines(records)),
  }
}

it('counts the images of shards that have landed, in whatever order, and knows the total once the listing has ended', async () => {
  const { watch, land, endListing } = await watched(8, 10)
  await watch.look(0)
  expect([watch.done, watch.total]).toEqual([0, null])
  await land(1, 2)
  await watch.look(2_000)
  expect([watch.done, watch.total]).toEqual([2, null])
  await land(0, 0)
  await land(1, 1)
  await endListing()
  await watch.look(4_000)
  expect([watch.done, watch.total]).toEqual([10, 18])
  await watch.look(6_000)
  expect(watch.done).toBe(10)
})

it('lists no more than what is new once shards land in order', async () => {
  const { watch, land, listed, output } = await watched(4_000)
  for (let at = 0; at < 600; at++) await land(0, at)
  await watch.look(0)
  expect(watch.done).toBe(2_400)
  await land(0, 600)
  await watch.look(2_000)
  expect(watch.done).toBe(2_404)
  expect(listed.at(-1)).toEqual({
    prefix: layout.records(set, run),
    after: layout.recordFile(set, run, 0, 599 * shardSize),
  })
  expect(listed).toHaveLength(2)
  expect(output.objects.size).toBe(602)
})

it('finds a shard that landed long after those behind it, without listing all of them each time', async () => {
  const { watch, land, listed } = await watched(4_000)
  for (let at = 1; at < 600; at++) await land(0, at)
  await watch.look(0)
  await watch.look(2_000)
  expect(listed.at(-1)?.after).toBe(layout.recordFile(set, run, 0, (599 - 128 - 1) * shardSize))
  await land(0, 0)
  for (let look = 2; look <= 15; look++) await watch.look(look * 2_000)
  expect(watch.done).toBe(2_400)
})

it('counts failures by code, and keeps the last 24 images with maps, newest first', async () => {
  const { watch, land } = await watched(40)
  await watch.look(0)
  for (let at = 0; at < 9; at++) {
    const records = [0, 1, 2].map((i) => record(`<b>${at}-${i}`))
    await land(0, at, [...records, record('x', at === 3 ? 'vanished' : 'corrupt-image')])
  }
  await watch.look(2_000)
  expect(watch.read).toBe(36)
  expect(Object.entries(watch.failuresByCode)).toEqual([
    ['corrupt-image', 8],
    ['vanished', 1],
  ])
  expect(watch.latest).toHaveLength(24)
  expect(watch.latest[0]).toEqual({ key: '<b>8-2', crop: { x0: 8, y0: 0, x1: 56, y1: 48 } })
  expect(watch.latest.at(-1)?.key).toBe('<b>1-0')
})

it('reads few of the records that landed before anybody looked', async () => {
  const { watch, land } = await watched(80)
  for (let at = 0; at < 20; at++) await land(0, at, [record(`${at}`), record('x', 'vanished')])
  await watch.look(0)
  expect([watch.done, watch.read]).toEqual([80, 4])
  expect(watch.latest.map(({ key }) => key)).toEqual(['19', '18'])
})

it('tells the rate of what landed while somebody looked', async () => {
  const { watch, land } = await watched(400)
  for (let at = 0; at < 50; at++) await land(0, at)
  await watch.look(0)
  await land(0, 50)
  await watch.look(2_000)
  expect(watch.imagesPerSecond).toBeNull()
  for (let at = 51; at < 60; at++) await land(0, at)
  await watch.look(10_000)
  expect(watch.imagesPerSecond).toBe(4)
  // Of the last minute alone.
  await watch.look(69_000)
  expect(watch.imagesPerSecond).toBe(0)
})

it('takes what it has not come to yet, of a large manifest, for no work of now', async () => {
  const { watch, land } = await watched(...Array.from({ length: 10 }, () => 4))
  for (let part = 0; part < 10; part++) await land(part, 0, [record(`${part}`)])
  await watch.look(0)
  expect([watch.done, watch.read]).toEqual([32, 2])
  await watch.look(2_000)
  expect(watch.done).toBe(40)
  await watch.look(12_000)
  expect(watch.imagesPerSecond).toBe(0)
})
