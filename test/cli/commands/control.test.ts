import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { openAdapter } from '../../../src/dataset/adapters.ts'
import { readFlags } from '../../../src/output/flags.ts'
import { Manifest } from '../../../src/output/manifest.ts'
import type { ResultSet } from '../../../src/output/resultSet.ts'
import { latestRun, openRun, type Run } from '../../../src/output/runs.ts'
import { stateRows } from '../../../src/output/stateRows.ts'
import { summarySchema } from '../../../src/output/summary.ts'
import { enumerate } from '../../../src/producer/enumerate.ts'
import { headlight } from '../../support/headlight.ts'
import { computeShard, holdOf, World } from '../../support/producerWorld.ts'

let world: World
let set: ResultSet
let run: Run

/** A run that its producer left in the middle: six images listed, two of them computed. */
beforeEach(async () => {
  world = await World.make(['a.jpg', 'b.jpg', 'c.jpg', 'd.jpg', 'e.jpg', 'f.jpg'])
  set = await world.prepare()
  run = await listed(null)
  await computeShard(world.output, set, { run: run.run, part: 0, offset: 2, count: 2 })
})
afterEach(() => world.remove())

/** A run that computes everything, whatever there is, up to the end of its listing. */
async function listed(base: string | null): Promise<Run> {
  const { output, dataset } = world
  const latest = await latestRun(output, set.id)
  const opened = await openRun({ output, set: set.id, base, full: true, latest, now: new Date() })
  await enumerate({
    dataset,
    adapter: openAdapter(set.options.adapter),
    manifest: new Manifest(output, set.id, opened.run),
    state: stateRows(output, set.id, base),
    full: true,
    shardSize: 2,
    signal: new AbortController().signal,
    onPart: () => Promise.resolve(),
    onListed: () => undefined,
  })
  return opened
}

const call = (...args: string[]) => headlight([...args, '--output', world.output.uri])

describe('headlight pause and resume', () => {
  it('say what they did to the flags that workers and producer read, which status shows', async () => {
    const state = async () => {
      const { stdout } = await call('status', '--json')
      return (JSON.parse(stdout) as { sets: { state: string }[] }).sets[0]?.state
    }
    expect(await state()).toBe('interrupted')
    const seen = /images +2 of 6 new or changed ones done\n/
    expect((await call('status')).stdout).toMatch(seen)
    expect((await call('status')).stdout).toMatch(/held by +no producer is at it now: the same run or produce command/)
    // Redis need not be there for that; that it is not is said all the same.
    expect(await call('status', '--redis', 'redis://127.0.0.1:1')).toMatchObject({
      code: 2,
      stdout: expect.stringMatching(seen),
      stderr: expect.stringContaining('does not answer'),
    })
    const paused = await call('pause', 'latest')
    expect(paused).toMatchObject({ code: 0, stdout: expect.stringContaining(`run ${run.run} is paused`) })
    expect(await readFlags(world.output, set.id, run.run)).toEqual({ paused: true, cancelled: false })
    expect(await state()).toBe('paused')
    expect(await call('pause', 'latest')).toMatchObject({
      code: 0,
      stdout: expect.stringContaining('was paused already'),
    })
    const resumed = await call('resume', run.run.slice(0, -3), '--json')
    expect(JSON.parse(resumed.stdout)).toEqual({ run: run.run, set: set.id, paused: false, cancelled: false })
    expect(await state()).toBe('interrupted')
    expect(await call('resume', 'latest')).toMatchObject({
      code: 0,
      stdout: expect.stringMatching(/was not paused; no producer is at it now: the same run or produce command/),
    })
  })

  it('say how soon a run goes on that a producer serves', async () => {
    const hold = await holdOf(world, set)
    await hold.setRun(run.run)
    expect((await call('pause', 'latest')).stdout).toMatch(/ is paused: .* within 5 seconds\n/)
    expect((await call('resume', 'latest')).stdout).toMatch(/ goes on within ten seconds\n/)
    expect((await call('resume', 'latest')).stdout).toMatch(/ was not paused: nothing is changed\n/)
    await hold.release()
  })

  it('refuse a run that is not there', async () => {
    expect(await call('pause', '2019', '--json')).toMatchObject({
      code: 2,
      stdout: expect.stringContaining('no-such-run'),
      stderr: expect.stringContaining(run.run),
    })
  })
})

describe('headlight cancel', () => {
  it('closes a run that nobody serves, with what it has computed, once', async () => {
    const cancelled = await call('cancel', 'latest', '--json')
    expect(cancelled).toMatchObject({ code: 0, stderr: '' })
    expect(summarySchema.parse(JSON.parse(cancelled.stdout))).toMatchObject({
      run: run.run,
      state: 'cancelled',
      counts: { computed: 2 },
    })
    expect((await call('status')).stdout).toMatch(
      /images +2: 2 with a map, 0 failed\n +this run +2 of 6 new or changed ones done\n/,
    )
    expect((await world.rows(set)).map(({ key }) => key)).toEqual(['c.jpg', 'd.jpg'])
    expect((await latestRun(world.output, set.id))?.state).toBe('cancelled')
    expect(await call('cancel', 'latest')).toMatchObject({ code: 2, stderr: expect.stringContaining('is cancelled') })
  })

  it('counts what keeps the results that it had', async () => {
    for (const offset of [0, 4]) await computeShard(world.output, set, { run: run.run, part: 0, offset, count: 2 })
    expect((await call('cancel', 'latest')).code).toBe(0)
    const again = await listed(run.run)
    await computeShard(world.output, set, { run: again.run, part: 0, offset: 0, count: 2 })
    expect((await call('cancel', 'latest')).stdout).toMatch(
      /^cancelled +4 images of its listing are not computed, 4 of them with results from before, which stand; .*--full.*\nresult set/s,
    )
    expect((await call('status')).stdout).toMatch(/images +6: 6 with a map, 0 failed\n/)
    expect(await world.rows(set)).toHaveLength(6)
  })

  it('leaves the closing to the producer that serves the run', async () => {
    const hold = await holdOf(world, set)
    const cancelled = call('cancel', run.run, '--json')
    await expect.poll(() => readFlags(world.output, set.id, run.run)).toMatchObject({ cancelled: true })
    // The producer's part, which test/producer/serveRun.test.ts holds against the flags.
    expect((await latestRun(world.output, set.id))?.state).toBe('open')
    await hold.release()
    expect(JSON.parse((await cancelled).stdout)).toMatchObject({ run: run.run, state: 'cancelled' })
  })
})
