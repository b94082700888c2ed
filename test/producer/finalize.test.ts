import { expect, it, onTestFinished } from 'vitest'
import { finalize } from '../../src/producer/finalize.ts'
import { Manifest } from '../../src/producer/manifest.ts'
import { currentRun, openRun } from '../../src/producer/runs.ts'
import { silent } from '../support/redis.ts'
import { noPatience, World } from './world.ts'

it('publishes nothing when the state before lacks a row that the listing left as it was', async () => {
  const world = await World.make(['a.jpg'])
  onTestFinished(() => world.remove())
  const { output, dataset } = world
  const set = await world.prepare()
  const run = await openRun({ output, set: set.id, base: null, full: false, latest: undefined, now: new Date() })
  const manifest = new Manifest(output, set.id, run.run)
  const header = { schema: 1 as const, part: 0, through: 'b', count: 0, shardSize: 1, unchanged: 1, gone: ['b'] }
  await manifest.putPart(header, [])
  const closing = finalize({
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
  await expect(closing).rejects.toThrow('kept 0 rows of 1')
  expect(await currentRun(output, set.id)).toBeNull()
})
