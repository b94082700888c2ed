import { rename, rm, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { TransientError } from '../../src/base/errors.ts'
import { openAdapter } from '../../src/dataset/adapters.ts'
import { currentRun } from '../../src/output/current.ts'
import { layout } from '../../src/output/layout.ts'
import { Manifest, shardsOf } from '../../src/output/manifest.ts'
import type { ResultSet } from '../../src/output/resultSet.ts'
import { latestRun, openRun, type Retry } from '../../src/output/runs.ts'
import { stateRows } from '../../src/output/stateRows.ts'
import type { Summary } from '../../src/output/summary.ts'
import { enumerate } from '../../src/producer/enumerate.ts'
import { finalize } from '../../src/producer/finalize.ts'
import { Patience } from '../../src/storage/patience.ts'
import { PatientStore } from '../../src/storage/patientStore.ts'
import { wrapped } from '../../src/storage/wrapped.ts'
import { collected, computeShard, dyingAt, noPatience, World } from '../support/producerWorld.ts'
import { silent } from '../support/redis.ts'

let world: World
let set: ResultSet

beforeEach(async () => {
  world = await World.make(['a.jpg', 'b.heic', 'd/caf\u00e9.jpg', 'd/plain.jpg', 'e', 'z.heic', 'z.jpg'])
  set = await world.prepare()
})
afterEach(() => world.remove())

interface Changes {
  readonly dataset?: World['dataset']
  readonly output?: World['output']
  readonly partEntries?: number
  readonly retry?: Retry
}

/** A whole run without a queue, which prunes; it goes on with one that was left open. */
async function completed({
  dataset = world.dataset,
  output = world.output,
  ...changes
}: Changes = {}): Promise<Summary> {
  const latest = await latestRun(output, set.id)
  const base = await currentRun(output, set.id)
  const { retry } = changes
  const run =
    latest?.state === 'open'
      ? latest
      : await openRun({ output, set: set.id, base, full: false, retry, prune: true, now: new Date(), latest })
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
    ...changes,
  })
  for await (const { header, entries } of manifest.parts()) {
    for (const shard of shardsOf(header)) await computeShard(output, set, { run: run.run, ...shard })
    for (const { key } of entries()) {
      for (const objective of set.options.objectives) await output.put(`${set.id}/${layout.map(objective, key)}`, key)
    }
  }
  return finalize({
    output,
    openDataset: () => dataset,
    set,
    run,
    state: 'completed',
    prune: true,
    work: { engines: [], imagesPerSecond: null },
    headlightVersion: '0.0.0',
    patience: noPatience,
    confirmHold: () => Promise.resolve(),
    log: silent,
  })
}

const inDataset = (path: string) => Buffer.from(join(world.folder, 'dataset', path))
/** As a folder of another encoding shows `é`. */
const broken = (path: string) =>
  Buffer.concat([Buffer.from(`${join(world.folder, 'dataset')}/`), Buffer.from(path, 'latin1')])
const keys = async () => (await world.rows(set)).map(({ key }) => key)
const maps = async () =>
  (await collected(world.output.list({ prefix: `${set.id}/maps/yaw/` }))).map(({ key }) => key.split('/yaw/')[1])
const report = async () => Buffer.from((await world.output.get(layout.report(set.id)))?.bytes ?? []).toString()
const leftOutFile = (run: string) => world.output.head(layout.leftOut(set.id, run))

it('counts files by reason, in summary and report, and says nothing where there is nothing to say', async () => {
  const summary = await completed()
  expect(summary.leftOut).toEqual({ '.heic': { count: 2, example: 'b.heic' }, none: { count: 1, example: 'e' } })
  expect(await report()).toContain('3 files: 2 .heic (such as b.heic), 1 without a suffix (e)')
  for (const name of ['b.heic', 'e', 'z.heic']) await world.removeImage(name)
  const later = await completed()
  expect(later).not.toHaveProperty('leftOut')
  expect(later.counts).toMatchObject({ computed: 0, unchanged: 4 })
  expect(await leftOutFile(later.run)).toBeUndefined()
  expect(await report()).not.toContain('Left out')

  // Without a new table, too, the page is drawn anew once, not by every run from then on.
  await world.addImage('b.heic')
  const withIt = await completed()
  expect(await report()).toContain('1 file: 1 .heic (b.heic)')
  const drawn = await world.output.head(layout.report(set.id))
  expect(await completed()).toMatchObject({ counts: { computed: 0 }, leftOut: withIt.leftOut })
  expect(await world.output.head(layout.report(set.id))).toEqual(drawn)
})

it('never takes for gone what may be there by a name that is no UTF-8', async () => {
  await completed()
  await rename(inDataset('d/caf\u00e9.jpg'), broken('d/caf\xe9.jpg'))
  await world.removeImage('d/plain.jpg')
  const summary = await completed()
  expect(summary.leftOut).toMatchObject({ name: { count: 1, example: 'd/caf\ufffd.jpg' } })
  expect(summary.counts).toMatchObject({ total: 3, unchanged: 3, gone: 1 })
  expect(await keys()).toEqual(['a.jpg', 'd/caf\u00e9.jpg', 'z.jpg'])
  expect(await maps()).toEqual(['a.jpg.png', 'd/caf\u00e9.jpg.png', 'z.jpg.png'])
  // Once every name can be read, what is not there is gone.
  await rm(broken('d/caf\xe9.jpg'))
  expect((await completed()).counts).toMatchObject({ total: 2, gone: 1 })
  expect(await maps()).toEqual(['a.jpg.png', 'z.jpg.png'])
})

it('nor what lies in a folder whose own name is none, or behind a link that leads nowhere', async () => {
  await world.addImage('\u00e9t\u00e9/1.jpg')
  await world.addImage('linked/2.jpg')
  await completed()
  await rename(inDataset('\u00e9t\u00e9'), broken('\xe9t\xe9'))
  await rm(inDataset('linked'), { recursive: true })
  await symlink('/nowhere', inDataset('linked'))
  const summary = await completed()
  expect(summary.counts).toMatchObject({ total: 6, gone: 0 })
  expect(summary.leftOut).toMatchObject({ name: { count: 1 }, link: { count: 1, example: 'linked' } })
  expect(await maps()).toContain('linked/2.jpg.png')
  expect(await maps()).toContain('\u00e9t\u00e9/1.jpg.png')
})

it('makes a link that leads nowhere a record that is tried again', async () => {
  await completed()
  await rm(inDataset('a.jpg'))
  await symlink('/nowhere/vanished.jpg', inDataset('a.jpg'))
  expect((await completed()).counts).toMatchObject({ total: 4, computed: 1, gone: 0 })
  expect(await maps()).toContain('a.jpg.png')
  const [entry] = (await collected(new Manifest(world.output, set.id, await latest()).parts()))[0]?.entries() ?? []
  expect(entry).toMatchObject({ key: 'a.jpg', etag: '' })
})

it.each([1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11])('counts each file once though the producer dies at put %d', async (n) => {
  for (const name of ['d/b\xe9.jpg', 'd/\xe9.jpg', 'z\xe9.jpg']) await writeFile(broken(name), 'x')
  const wanted = { '.heic': { count: 2 }, name: { count: 3 }, none: { count: 1 } }
  await expect(completed({ output: dyingAt(world.output, n), partEntries: 1 })).rejects.toThrow('died at put')
  expect((await completed({ partEntries: 1 })).leftOut).toMatchObject(wanted)
})

it('counts each file once though a listing breaks off after every name and is taken up', async () => {
  for (const name of ['d/\xe9.jpg', 'd/\xe8.jpg', 'z\xe9.jpg']) await writeFile(broken(name), 'x')
  let given = 0
  const failing = wrapped(world.dataset, {
    async *list(options) {
      for await (const object of world.dataset.list(options)) {
        if (given++ % 2 === 1) throw new TransientError('store-busy', 'not now')
        yield object
      }
    },
  })
  const times = { firstMs: 1, longestMs: 1, limitMs: 60_000 }
  const patience = new Patience({ signal: new AbortController().signal, say: () => undefined, times })
  expect((await completed({ dataset: new PatientStore(failing, patience) })).leftOut).toMatchObject({
    '.heic': { count: 2 },
    name: { count: 3 },
    none: { count: 1 },
  })
  expect(given).toBeGreaterThan(7)
})

it('leaves to a retry what the run before it said', async () => {
  await world.addImage('vanished.jpg')
  const first = await completed()
  const retried = await completed({ retry: { code: null } })
  expect(retried.counts).toMatchObject({ computed: 1 })
  expect(retried.leftOut).toEqual(first.leftOut)
  expect(await leftOutFile(retried.run)).toBeUndefined()
})

const latest = async () => (await latestRun(world.output, set.id))?.run ?? ''
