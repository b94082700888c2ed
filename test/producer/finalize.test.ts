import { setTimeout as sleep } from 'node:timers/promises'
import { expect, it, onTestFinished } from 'vitest'
import { readActivations } from '../../src/output/activations.ts'
import { currentRun } from '../../src/output/current.ts'
import { layout } from '../../src/output/layout.ts'
import { Manifest } from '../../src/output/manifest.ts'
import { openRun, readRun } from '../../src/output/runs.ts'
import { finalize } from '../../src/producer/finalize.ts'
import { noPatience, World } from '../support/producerWorld.ts'
import { silent } from '../support/redis.ts'

const common = {
  state: 'completed',
  prune: true,
  work: { engines: [], imagesPerSecond: null },
  headlightVersion: '0.0.0',
  patience: noPatience,
  confirmHold: () => Promise.resolve(),
  log: silent,
} as const

it('publishes nothing when the state before lacks a row that the listing left as it was', async () => {
  const world = await World.make(['a.jpg'])
  onTestFinished(() => world.remove())
  const { output, dataset } = world
  const set = await world.prepare()
  const run = await openRun({ output, set: set.id, base: null, full: false, latest: undefined, now: new Date() })
  const manifest = new Manifest(output, set.id, run.run)
  const header = { schema: 1 as const, part: 0, through: 'b', count: 0, shardSize: 1, unchanged: 1, gone: ['b'] }
  await manifest.putPart(header, [])
  await expect(finalize({ ...common, output, openDataset: () => dataset, set, run })).rejects.toThrow(
    'kept 0 rows of 1',
  )
  expect(await currentRun(output, set.id)).toBeNull()
})

it('closes a run when all is done, not when its records have been read', async () => {
  const world = await World.make([])
  onTestFinished(() => world.remove())
  const { output, dataset } = world
  const set = await world.prepare()
  const run = await openRun({ output, set: set.id, base: null, full: false, latest: undefined, now: new Date() })
  await new Manifest(output, set.id, run.run).putDone({ parts: 0, toCompute: 0, unchanged: 0, gone: 0 })
  const confirmHold = (): Promise<void> => sleep(20)
  const summary = await finalize({ ...common, output, openDataset: () => dataset, set, run, confirmHold })
  const closed = await readRun(output, set.id, run.run)
  expect(Date.parse(closed?.closedAt ?? '') - Date.parse(summary.closedAt)).toBeGreaterThanOrEqual(15)
})

it('says what is guided where that has been counted, and nothing where it has not', async () => {
  const world = await World.make([])
  onTestFinished(() => world.remove())
  const { output, dataset } = world
  const set = await world.prepare()
  const run = await openRun({ output, set: set.id, base: null, full: false, latest: undefined, now: new Date() })
  await new Manifest(output, set.id, run.run).putDone({ parts: 0, toCompute: 0, unchanged: 0, gone: 0 })
  const close = () => finalize({ ...common, output, openDataset: () => dataset, set, run })
  const { activations } = await close()
  expect(activations).toHaveLength(1)
  expect(activations).toEqual(await readActivations(output, set.id, 'tiny.pkl'))
  // As a version leaves it that counts none.
  await output.delete(layout.activations(set.id, 'tiny.pkl'))
  expect(await close()).not.toHaveProperty('activations')
})
