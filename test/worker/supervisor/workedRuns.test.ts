import { existsSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { expect, onTestFinished, test, vi } from 'vitest'
import { createLogger } from '../../../src/base/telemetry.ts'
import { layout } from '../../../src/output/layout.ts'
import { runJobSchema, shardJobSchema, type ShardJob } from '../../../src/queue/jobs.ts'
import { AllowedPlaces } from '../../../src/storage/allowedPlaces.ts'
import { FilesystemStore } from '../../../src/storage/filesystem.ts'
import { openStore } from '../../../src/storage/open.ts'
import { WorkedRuns } from '../../../src/worker/supervisor/workedRuns.ts'
import { ManifestSlices } from '../../../src/worker/unit/manifestSlices.ts'
import { resultSet, withFaults } from '../../support/shard.ts'

async function stored() {
  const folder = await mkdtemp(join(tmpdir(), 'headlight-runs-'))
  onTestFinished(() => rm(folder, { recursive: true, force: true }))
  const output = openStore(join(folder, 'out'))
  const dataset = openStore(join(folder, 'images'))
  const set = resultSet(dataset.uri)
  const job: ShardJob = { run: 'run-1', output: output.uri, set: set.id, part: 0, offset: 0, count: 2 }
  const runs = new WorkedRuns({ dataset: null, output: null }, createLogger('silent'))
  return { folder, output, dataset, set, job, runs }
}

test('a run’s stores are checked before its first shard, and again after a failure', async () => {
  const { output, dataset, set, job, runs } = await stored()
  await output.check('write')
  await output.put(layout.set(set.id), JSON.stringify(set))
  await expect(runs.of(job)).rejects.toMatchObject({ code: 'no-such-bucket' })
  await dataset.check('write')
  expect((await runs.of(job)).set).toEqual(set)
})

test('a run that cannot be used here leaves no connection behind', async () => {
  const { output, dataset, set, job, runs } = await stored()
  const closed = vi.spyOn(FilesystemStore.prototype, 'close')
  onTestFinished(() => closed.mockRestore())
  const uris = () => closed.mock.contexts.map((store) => (store as FilesystemStore).uri)
  await expect(runs.recheck(job)).rejects.toMatchObject({ code: 'no-such-bucket' })
  expect(uris()).toEqual([output.uri])
  await output.check('write')
  await output.put(layout.set(set.id), JSON.stringify(set))
  await expect(runs.of(job)).rejects.toMatchObject({ code: 'no-such-bucket' })
  expect(uris().slice(1)).toEqual([output.uri, dataset.uri])
})

test('an output that is not mounted here is not created', async () => {
  const { folder, dataset, job, runs } = await stored()
  await dataset.check('write')
  await expect(runs.of(job)).rejects.toMatchObject({ code: 'no-such-bucket' })
  expect(existsSync(join(folder, 'out'))).toBe(false)
})

test('a foreign set.json is said to be one', async () => {
  const { output, dataset, set, job, runs } = await stored()
  await output.check('write')
  await dataset.check('write')
  for (const text of ['{"schema":99}', 'half a fi']) {
    await output.put(layout.set(set.id), text)
    await expect(runs.of(job)).rejects.toMatchObject({
      code: 'bad-layout',
      message: expect.stringContaining(
        `${output.uri}${layout.set(set.id)} is not what this version of headlight writes`,
      ),
    })
  }
})

test('flags are read anew once they are too old, and the last known hold when they cannot be read', async () => {
  const { output, dataset, set, job, runs } = await stored()
  await output.check('write')
  await dataset.check('write')
  await output.put(layout.set(set.id), JSON.stringify(set))
  const run = await runs.of(job)
  expect(await run.flags(0)).toEqual({ paused: false, cancelled: false })
  await output.put(layout.flags(set.id, job.run), '{"paused":true,"cancelled":false}')
  expect(await run.flags(60_000)).toEqual({ paused: false, cancelled: false })
  expect(await run.flags(0)).toEqual({ paused: true, cancelled: false })
  await output.put(layout.flags(set.id, job.run), 'half a fi')
  expect(await run.flags(0)).toEqual({ paused: true, cancelled: false })
})

test('shards of one part read it once; a part that is shorter than the job says is refused', async () => {
  const { output, job } = await stored()
  await output.check('write')
  const header = { schema: 1, part: 0, through: 'c', count: 3, shardSize: 2, unchanged: 0, gone: [] }
  const entries = ['a', 'b', 'c'].map((key) => ({ key, etag: key, sizeBytes: 1, fingerprint: key, companions: [] }))
  const lines = [header, ...entries].map((line) => `${JSON.stringify(line)}\n`).join('')
  await output.put(layout.manifestPart(job.set, job.run, 0), gzipSync(lines))
  let gets = 0
  const counted = withFaults(output, { get: (key) => (gets++, output.get(key)) })
  const slices = new ManifestSlices()
  expect(await slices.read(counted, job)).toEqual(entries.slice(0, 2))
  expect(await slices.read(counted, { ...job, offset: 2, count: 1 })).toEqual(entries.slice(2))
  expect(gets).toBe(1)
  await expect(slices.read(counted, { ...job, offset: 2 })).rejects.toMatchObject({ code: 'store-gone' })
})

test('what lies outside of what is allowed is refused before anything is fetched', async () => {
  const { folder, output, dataset, set, job } = await stored()
  const other = resultSet(openStore(join(folder, 'secret')).uri)
  await Promise.all([output.check('write'), dataset.check('write')])
  await output.put(layout.set(set.id), JSON.stringify(set))
  const of = (allow: readonly string[]) =>
    new WorkedRuns({ dataset: null, output: null }, createLogger('silent'), new AllowedPlaces(allow)).of(job)
  const both = [output.uri, dataset.uri]
  expect((await of(both)).set).toEqual(set)
  const opened = [vi.spyOn(FilesystemStore.prototype, 'get'), vi.spyOn(FilesystemStore.prototype, 'check')]
  onTestFinished(() => opened.forEach((spy) => spy.mockRestore()))
  const outside = { name: 'RefusalError', code: 'not-allowed' }
  await expect(of([dataset.uri])).rejects.toMatchObject(outside)
  expect(opened.map((spy) => spy.mock.calls)).toEqual([[], []])
  // What may write to an allowed output may still not say what is read.
  await output.put(layout.set(set.id), JSON.stringify({ ...other, id: set.id }))
  await expect(of(both)).rejects.toMatchObject({ ...outside, message: expect.stringContaining('secret') as string })
  expect(opened[1]?.mock.calls).toEqual([])
})

test('a run is another where its output is said to be at another service', async () => {
  const { output, dataset, set, job, runs } = await stored()
  await Promise.all([output.check('write'), dataset.check('write')])
  await output.put(layout.set(set.id), JSON.stringify(set))
  const run = await runs.of(job)
  expect(await runs.of({ ...job, offset: 2 })).toBe(run)
  expect(await runs.of({ ...job, endpoint: 'http://elsewhere' })).not.toBe(run)
})

test('a refused dataset is read of once, not for each shard', async () => {
  const { output, dataset, set, job } = await stored()
  await Promise.all([output.check('write'), dataset.check('write')])
  await output.put(layout.set(set.id), JSON.stringify(set))
  const allowed = new AllowedPlaces([output.uri])
  const runs = new WorkedRuns({ dataset: null, output: null }, createLogger('silent'), allowed)
  const got = vi.spyOn(FilesystemStore.prototype, 'get')
  onTestFinished(() => got.mockRestore())
  for (const offset of [0, 2, 4]) {
    await expect(runs.of({ ...job, offset })).rejects.toMatchObject({ code: 'not-allowed' })
  }
  expect(got).toHaveBeenCalledTimes(1)
})

test('no job names a result set or a run beside its output', async () => {
  const { job } = await stored()
  expect(shardJobSchema.safeParse(job).success).toBe(true)
  for (const name of ['../secret', 'a/b', '..', '.', '', 'a\\b']) {
    for (const field of ['set', 'run']) expect(shardJobSchema.safeParse({ ...job, [field]: name }).success).toBe(false)
    expect(runJobSchema.safeParse({ output: job.output, full: false, shardSize: null, set: name }).success).toBe(false)
  }
})
