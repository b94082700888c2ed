import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { layout } from '../../src/output/layout.ts'
import type { ResultSet } from '../../src/output/resultSet.ts'
import { latestRun, openRun } from '../../src/output/runs.ts'
import { closeCancelled } from '../../src/producer/cancel.ts'
import { enqueueRun, queueRun } from '../../src/producer/queueRun.ts'
import { openQueue } from '../../src/queue/connection.ts'
import { runJobSchema, runsQueue, shardsQueue } from '../../src/queue/jobs.ts'
import { holdOf, serveRunsOf, startFakeWorker, World } from '../support/producerWorld.ts'
import { silent, startTestRedis } from '../support/redis.ts'

let redis: Awaited<ReturnType<typeof startTestRedis>>
let world: World
let set: ResultSet
let stop: AbortController

beforeAll(async () => {
  redis = await startTestRedis()
})
afterAll(() => redis.stop())
beforeEach(async () => {
  world = await World.make(['a.jpg', 'b.jpg'])
  set = await world.prepare()
  stop = new AbortController()
})
afterEach(() => world.remove())

const add = (changes: { full?: boolean; prune?: boolean; keepRuns?: number; report?: false } = {}) =>
  queueRun({
    connection: redis.connection,
    output: world.output,
    set,
    job: runJobSchema.parse({ output: world.output.uri, set: set.id, full: false, shardSize: null, ...changes }),
    signal: stop.signal,
    onWait: () => undefined,
    log: silent,
  })

/** Serves the queue until the job has ended. */
async function served(id: string): Promise<void> {
  const serving = serveRunsOf(world, redis.connection, stop.signal)
  const worker = startFakeWorker({ connection: redis.connection, queueName: shardsQueue, output: world.output, set })
  const queue = openQueue(redis.connection, runsQueue, silent)
  try {
    await queue.waitUntilReady()
    await expect.poll(() => queue.getJobState(id), { timeout: 20_000 }).toBe('completed')
  } finally {
    await queue.close()
    await worker.stop()
    stop.abort(new Error('stopped'))
    await serving
  }
}

describe('a run that is added to the queue', () => {
  it('has its id at once, which the producer goes on with', async () => {
    const { job, run } = await add()
    expect(await latestRun(world.output, set.id)).toMatchObject({ run, state: 'open', queued: true })
    await served(job)
    expect(await latestRun(world.output, set.id)).toMatchObject({ run, state: 'completed' })
    expect(await world.rows(set)).toHaveLength(2)
  })

  it('is not done twice when it is in the queue twice', async () => {
    const { job, run } = await add()
    await served(job)
    stop = new AbortController()
    const asked = { output: world.output.uri, set: set.id, full: false, shardSize: null, run }
    await served(await enqueueRun(redis.connection, runJobSchema.parse(asked), silent))
    expect(await latestRun(world.output, set.id)).toMatchObject({ run, state: 'completed' })
  })

  it('is not begun any more once it was cancelled', async () => {
    const { job, run } = await add()
    const open = await latestRun(world.output, set.id)
    if (open === undefined) throw new Error('no run was opened')
    await closeCancelled({
      output: world.output,
      set,
      run: open,
      openDataset: () => world.dataset,
      headlightVersion: '0.0.0',
      signal: stop.signal,
      onWait: () => undefined,
      log: silent,
    })
    await served(job)
    expect(await latestRun(world.output, set.id)).toMatchObject({ run, state: 'cancelled' })
    expect(await world.rows(set)).toHaveLength(0)
  })

  it('goes on with a run that was left open, but not with one that is to be closed first', async () => {
    const { run } = await add()
    expect(await add()).toMatchObject({ run })
    expect(await add({ full: true })).toMatchObject({ run: null })
    expect(await add({ prune: true })).toMatchObject({ run: null })
    expect(await add({ keepRuns: 3 })).toMatchObject({ run: null })
  })

  it('says how many runs are kept whole, also where it is added again', async () => {
    const { run } = await add({ keepRuns: 3 })
    expect(await latestRun(world.output, set.id)).toMatchObject({ run, keepRuns: 3 })
    expect(await add({ keepRuns: 3 })).toMatchObject({ run })
    expect(await add()).toMatchObject({ run })
    expect(await add({ keepRuns: 2 })).toMatchObject({ run: null })
  })

  it('draws no report where none is asked for', async () => {
    const { job, run } = await add({ report: false })
    expect(await latestRun(world.output, set.id)).toMatchObject({ run, report: false })
    await served(job)
    expect(await latestRun(world.output, set.id)).toMatchObject({ run, state: 'completed', report: false })
    expect(await world.rows(set)).not.toHaveLength(0)
    expect(await world.output.head(layout.report(set.id))).toBeUndefined()
  })

  it('draws the report where the run that it goes on with was to have none', async () => {
    const opened = { output: world.output, set: set.id, base: null, full: false, latest: undefined, now: new Date() }
    await openRun({ ...opened, report: false })
    const { job, run } = await add()
    await served(job)
    expect(await latestRun(world.output, set.id)).not.toHaveProperty('report')
    expect(await latestRun(world.output, set.id)).toMatchObject({ run, state: 'completed' })
    expect(await world.output.head(layout.report(set.id))).toBeDefined()
  })

  it('has no id yet while another process writes to the result set', async () => {
    const hold = await holdOf(world, set)
    expect(await add()).toMatchObject({ run: null })
    await hold.release()
    expect(await latestRun(world.output, set.id)).toBeUndefined()
  })
})
