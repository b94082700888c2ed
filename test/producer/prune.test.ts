import { afterEach, beforeEach, expect, it } from 'vitest'
import { openAdapter } from '../../src/dataset/adapters.ts'
import { currentRun } from '../../src/output/current.ts'
import { layout } from '../../src/output/layout.ts'
import { Manifest, shardsOf } from '../../src/output/manifest.ts'
import type { ResultSet } from '../../src/output/resultSet.ts'
import { latestRun, openRun } from '../../src/output/runs.ts'
import { stateRows } from '../../src/output/stateRows.ts'
import type { Summary } from '../../src/output/summary.ts'
import { enumerate } from '../../src/producer/enumerate.ts'
import { finalize } from '../../src/producer/finalize.ts'
import type { Store } from '../../src/storage/store.ts'
import { wrapped } from '../../src/storage/wrapped.ts'
import { collected, computeShard, noPatience, World } from '../support/producerWorld.ts'
import { silent } from '../support/redis.ts'

let world: World
let set: ResultSet

beforeEach(async () => {
  world = await World.make(['a.jpg', 'a.jpg.png', 'b/c.jpg', 'd.png'])
  set = await world.prepare()
  await completed(false)
})
afterEach(() => world.remove())

/** A whole run without a queue, with maps as a worker would put them. */
async function completed(prune: boolean, failing?: Store): Promise<Summary> {
  const { output, dataset } = world
  const latest = await latestRun(output, set.id)
  const base = await currentRun(output, set.id)
  const open = { output, set: set.id, base, full: false, prune, now: new Date() }
  const run = latest?.state === 'open' ? latest : await openRun({ ...open, latest })
  const manifest = new Manifest(output, set.id, run.run)
  await enumerate({
    dataset,
    adapter: openAdapter(set.options.adapter),
    manifest,
    state: stateRows(output, set.id, base, ['key', 'fingerprint', 'status', 'code']),
    full: false,
    shardSize: 10,
    signal: new AbortController().signal,
    onPart: () => Promise.resolve(),
    onListed: () => undefined,
  })
  for await (const { header, entries } of manifest.parts()) {
    for (const shard of shardsOf(header)) await computeShard(output, set, { run: run.run, ...shard })
    for (const { key, refused } of entries()) {
      if (refused !== undefined) continue
      for (const objective of set.options.objectives) await output.put(`${set.id}/${layout.map(objective, key)}`, key)
    }
  }
  return finalize({
    output: failing ?? output,
    openDataset: () => dataset,
    set,
    run,
    state: 'completed',
    prune: run.prune === true,
    work: { engines: [], imagesPerSecond: null },
    headlightVersion: '0.0.0',
    patience: noPatience,
    confirmHold: () => Promise.resolve(),
    log: silent,
  })
}

const maps = async () =>
  (await collected(world.output.list({ prefix: `${set.id}/maps/yaw/` }))).map(({ key }) => key.split('/yaw/')[1])

it('removes the maps of gone samples when it is asked for, and not otherwise', async () => {
  expect(await maps()).toEqual(['a.jpg.png', 'b/c.jpg.png', 'd.png'])
  await world.removeImage('b/c.jpg')
  expect((await completed(false)).counts).toMatchObject({ gone: 1 })
  expect(await maps()).toContain('b/c.jpg.png')
  await world.removeImage('d.png')
  expect((await completed(true)).counts).toMatchObject({ gone: 1 })
  expect(await maps()).toEqual(['a.jpg.png'])
})

it('removes what earlier runs found gone and left, also when nothing has changed since, but nothing that has come back', async () => {
  await world.removeImage('b/c.jpg')
  await world.removeImage('d.png')
  await completed(false)
  await world.addImage('d.png')
  await completed(false)
  expect(await maps()).toEqual(['a.jpg.png', 'b/c.jpg.png', 'd.png'])
  expect((await completed(true)).counts).toMatchObject({ computed: 0, gone: 0 })
  expect(await maps()).toEqual(['a.jpg.png', 'd.png'])
})

it('goes no further back than to the last run that pruned', async () => {
  await world.removeImage('b/c.jpg')
  await completed(true)
  await world.output.put(`${set.id}/${layout.map('yaw', 'b/c.jpg')}`, 'put there by somebody')
  await completed(true)
  expect(await maps()).toEqual(['a.jpg.png', 'b/c.jpg.png', 'd.png'])
})

it('leaves the map of a sample that had collided with a gone one', async () => {
  await world.removeImage('a.jpg')
  expect((await completed(true)).counts).toMatchObject({ computed: 1, gone: 1, failed: 0 })
  expect(await maps()).toEqual(['a.jpg.png', 'b/c.jpg.png', 'd.png'])
})

it('goes on after a crash between publishing and removing', async () => {
  await world.removeImage('b/c.jpg')
  await world.removeImage('d.png')
  let deletes = 0
  const failing = wrapped(world.output, {
    delete: async (key) => {
      if (key.includes('/maps/') && ++deletes > 1) throw new Error('died')
      await world.output.delete(key)
    },
  })
  await expect(completed(true, failing)).rejects.toThrow('died')
  expect((await latestRun(world.output, set.id))?.state).toBe('open')
  const summary = await completed(true)
  expect(summary.counts).toMatchObject({ gone: 2 })
  expect(await maps()).toEqual(['a.jpg.png'])
  expect((await latestRun(world.output, set.id))?.state).toBe('completed')
})
