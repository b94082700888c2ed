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
import { computeShard, noPatience, type World } from './producerWorld.ts'
import { silent } from './redis.ts'

interface WholeRunOptions {
  readonly prune?: boolean
  readonly full?: boolean
  readonly report?: boolean
  /** In place of the world's, for finalising. */
  readonly output?: Store
}

/** A whole run without a queue, with maps as a worker would put them; takes up the latest where that is open. */
export async function wholeRun(world: World, set: ResultSet, options: WholeRunOptions = {}): Promise<Summary> {
  const { output, dataset } = world
  const { prune = false, full = false } = options
  const latest = await latestRun(output, set.id)
  const base = await currentRun(output, set.id)
  const open = { output, set: set.id, base, full, prune, now: new Date() }
  const run = latest?.state === 'open' ? latest : await openRun({ ...open, latest })
  const manifest = new Manifest(output, set.id, run.run)
  await enumerate({
    dataset,
    adapter: openAdapter(set.options.adapter),
    manifest,
    state: stateRows(output, set.id, base, ['key', 'fingerprint', 'status', 'code']),
    full,
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
    output: options.output ?? output,
    openDataset: () => dataset,
    set,
    run,
    state: 'completed',
    prune: run.prune === true,
    work: { engines: [], imagesPerSecond: null },
    headlightVersion: '0.0.0',
    ...(options.report === undefined ? {} : { report: options.report }),
    patience: noPatience,
    confirmHold: () => Promise.resolve(),
    log: silent,
  })
}
