import { DelayedError, WaitingError, type Job } from 'bullmq'
import { expect, onTestFinished, test, vi } from 'vitest'
import { InputError, PlaceError, RefusalError, TransientError, type HeadlightError } from '../../../src/base/errors.ts'
import { createLogger } from '../../../src/base/telemetry.ts'
import type { Flags } from '../../../src/output/flags.ts'
import type { ShardJob, ShardResult } from '../../../src/queue/jobs.ts'
import { asidePriority } from '../../../src/queue/shardPriority.ts'
import { RunFaults } from '../../../src/worker/supervisor/runFaults.ts'
import { ShardJobs } from '../../../src/worker/supervisor/shardJobs.ts'
import type { UnitPool } from '../../../src/worker/supervisor/unitPool.ts'
import { UnitDeath, type ShardListener, type StopSignals } from '../../../src/worker/supervisor/unitProcess.ts'
import type { WorkedRuns } from '../../../src/worker/supervisor/workedRuns.ts'
import type { DeathManner } from '../../../src/worker/suspicion.ts'
import type { ShardDone, ShardOrder } from '../../../src/worker/unitMessages.ts'
import { resultSet } from '../../support/shard.ts'

const done: ShardDone = { outcome: 'computed', computed: 3, failed: 1, engine: 'fake', engineMs: 5 }
const died = (manner: DeathManner = 'ended') => new UnitDeath('Unit unit-0 died: signal SIGSEGV.', manner)

/** Computes when told to; what a real unit process would be. */
class FakeUnit {
  readonly name = 'unit-0'
  readonly orders: ShardOrder[] = []
  isStopped = false
  killedFor: string | undefined
  /** How the next shard goes. */
  behaviour: (order: ShardOrder, listener: ShardListener) => Promise<ShardDone> = async () => done
  /** Whether a shard that is told to stop does. */
  isObedient = true

  compute(order: ShardOrder, listener: ShardListener, { stop, move }: StopSignals): Promise<ShardDone> {
    this.orders.push(order)
    return new Promise((resolve, reject) => {
      AbortSignal.any([stop, move]).addEventListener('abort', () => {
        this.isStopped = true
        if (this.isObedient) reject(new Error('the supervisor stopped the shard'))
      })
      this.behaviour(order, listener).then(resolve, reject)
    })
  }

  kill(why: string): void {
    this.killedFor = why
  }
}

/** The part of BullMQ's job that is used, noting what is done to it. */
class FakeJob {
  id = 'run-1-00000-000000'
  readonly opts = { attempts: 10 }
  attemptsMade = 0
  priority = 5
  data: ShardJob = { run: 'run-1', output: 'file:///out/', set: 'tiny', part: 0, offset: 0, count: 4 }
  moved: string | undefined
  delayedUntil = 0
  readonly progress: unknown[] = []

  async updateData(data: ShardJob): Promise<void> {
    this.data = JSON.parse(JSON.stringify(data)) as ShardJob
  }
  async updateProgress(progress: unknown): Promise<void> {
    this.progress.push(progress)
  }
  async changePriority({ priority }: { priority: number }): Promise<void> {
    this.priority = priority
  }
  async moveToWait(): Promise<void> {
    this.moved = 'waiting'
  }
  async moveToDelayed(until: number): Promise<void> {
    this.moved = 'delayed'
    this.delayedUntil = until
  }
}

function world(flags: () => Flags = () => ({ paused: false, cancelled: false })) {
  const unit = new FakeUnit()
  const pool = {
    acquire: async () => unit,
    released: 0,
    release: () => void pool.released++,
    hasIdleUnit: false,
    isShared: (): boolean => false,
    onIdle: () => {},
  }
  const job = new FakeJob()
  const faults: PlaceError[] = []
  const refused: RefusalError[] = []
  const runFaults: HeadlightError[] = []
  const results: ShardResult[] = []
  let isPulling = true
  let openRun = async (_job?: ShardJob) => ({ set: resultSet('file:///d/'), flags: async () => flags() })
  const jobs = new ShardJobs({
    pool: pool as unknown as UnitPool,
    runs: { of: (job: ShardJob) => openRun(job) } as unknown as WorkedRuns,
    host: 'here',
    flagsIntervalMs: 5,
    pausedDelayMs: 30_000,
    log: createLogger('silent'),
    isPulling: () => isPulling,
    onPlaceFault: (fault) => faults.push(fault),
    onRefused: (error) => refused.push(error),
    runFaults: new RunFaults({ onFault: (fault) => runFaults.push(fault), retrying: { firstMs: 20, longestMs: 40 } }),
    onDone: (_id, result) => results.push(result),
  })
  onTestFinished(() => jobs.close())
  return {
    unit,
    pool,
    job,
    jobs,
    faults,
    refused,
    runFaults,
    results,
    process: (queued = job) => jobs.process(queued as unknown as Job<ShardJob, ShardResult>, 'token'),
    stopPulling: () => (isPulling = false),
    failToOpen: (error: unknown, run?: string) => {
      const before = openRun
      openRun = (job) => (run === undefined || job?.run === run ? Promise.reject(error) : before(job))
    },
  }
}

/** Computes until it is stopped. */
const forEver = () => new Promise<ShardDone>(() => {})

test('a shard’s result says what was done, by whom, and is a valid return value', async () => {
  const { process, results, unit } = world()
  const result = await process()
  expect(result).toMatchObject({ ...done, host: 'here', unit: 'unit-0' })
  expect(results).toEqual([result])
  expect(unit.orders).toMatchObject([{ lastAttempt: false, alone: null }])
})

test('progress is handed on, but not more often than once a second', async () => {
  const { process, unit, job } = world()
  unit.behaviour = async (_order, { onProgress }) => {
    for (let computed = 0; computed < 50; computed++) onProgress({ computed, failed: 0 })
    return done
  }
  await process()
  expect(job.progress).toEqual([{ computed: 0, failed: 0 }])
})

test('a lost lock stops the unit, and the job is not handed back by us', async () => {
  const { process, unit, job, jobs } = world()
  unit.behaviour = forEver
  const processing = process()
  await expect.poll(() => unit.orders.length).toBe(1)
  jobs.lockLost(['another job'])
  expect(unit.isStopped).toBe(false)
  jobs.lockLost([job.id])
  await expect(processing).rejects.toMatchObject({ code: 'lock-lost' })
  expect(unit.isStopped).toBe(true)
  expect(job.moved).toBe(undefined)
})

test('a cancelled run’s shard is not computed', async () => {
  const { process, unit } = world(() => ({ paused: false, cancelled: true }))
  expect(await process()).toMatchObject({ outcome: 'cancelled', computed: 0, failed: 0 })
  expect(unit.orders).toEqual([])
})

test('a run that is cancelled midway stops its unit', async () => {
  const flags = { paused: false, cancelled: false }
  const { process, unit } = world(() => flags)
  unit.behaviour = forEver
  const processing = process()
  await expect.poll(() => unit.orders.length).toBe(1)
  flags.cancelled = true
  expect(await processing).toMatchObject({ outcome: 'cancelled' })
  expect(unit.isStopped).toBe(true)
})

test('a run that is paused midway gives its shard back for later, without counting an attempt', async () => {
  const flags = { paused: false, cancelled: false }
  const { process, unit, job, jobs } = world(() => flags)
  unit.behaviour = forEver
  expect(jobs.activity).toBe('idle')
  const processing = process()
  await expect.poll(() => unit.orders.length).toBe(1)
  expect(jobs.activity).toBe('computing')
  flags.paused = true
  await expect(processing).rejects.toThrow(DelayedError)
  expect(job.moved).toBe('delayed')
  expect(job.delayedUntil - Date.now()).toBeGreaterThan(15_000)
  // Behind all others, should it come back before its run is resumed.
  expect(job.priority).toBe(asidePriority)
  expect(jobs.activity).toBe('paused')
})

test('a shard of an older producer, which would give it no place again, keeps its own when its run is paused', async () => {
  const { process, job } = world(() => ({ paused: true, cancelled: false }))
  job.priority = 0
  await expect(process()).rejects.toThrow(DelayedError)
  expect(job.priority).toBe(0)
})

test('shards at work are handed back to the front of the queue', async () => {
  const { process, unit, job, jobs } = world()
  unit.behaviour = forEver
  const processing = process()
  await expect.poll(() => unit.orders.length).toBe(1)
  let isIdle = false
  const idle = jobs.idle().then(() => (isIdle = true))
  expect(isIdle).toBe(false)
  jobs.handAllBack()
  await expect(processing).rejects.toThrow(WaitingError)
  await idle
  expect(job.moved).toBe('waiting')
})

test('a job that arrives while the worker drains, or while its place is bad, goes back untouched', async () => {
  const draining = world()
  draining.jobs.refuseNew()
  await expect(draining.process()).rejects.toThrow(WaitingError)
  const bad = world()
  bad.stopPulling()
  await expect(bad.process()).rejects.toThrow(WaitingError)
  expect([draining.job.moved, bad.job.moved]).toEqual(['waiting', 'waiting'])
  expect([...draining.unit.orders, ...bad.unit.orders]).toEqual([])
})

test('a fault of the place is reported and costs the job no attempt', async () => {
  const { process, unit, job, faults } = world()
  unit.behaviour = () => Promise.reject(new PlaceError('disk-full', 'no space is left'))
  await expect(process()).rejects.toThrow(DelayedError)
  expect(faults).toMatchObject([{ code: 'disk-full' }])
  expect(job.moved).toBe('delayed')
  expect(unit.killedFor).toBe(undefined)
})

test('a store that refuses this worker is a fault of the place', async () => {
  const { process, failToOpen, faults, job } = world()
  failToOpen(new InputError('access-denied', 'the store refused the credentials'))
  await expect(process()).rejects.toThrow(DelayedError)
  expect(faults).toMatchObject([{ name: 'PlaceError', code: 'access-denied' }])
  expect(job.moved).toBe('delayed')
})

test('a run that this worker may not touch is left to others: neither failed nor a fault of the place', async () => {
  const { process, failToOpen, faults, refused, job, unit } = world()
  failToOpen(new RefusalError('not-allowed', 'the output lies outside'))
  const before = Date.now()
  await expect(process()).rejects.toThrow(DelayedError)
  expect(refused).toMatchObject([{ code: 'not-allowed' }])
  expect({ faults, orders: unit.orders, moved: job.moved }).toEqual({ faults: [], orders: [], moved: 'delayed' })
  expect(job.delayedUntil - before).toBeGreaterThan(20_000)
})

test.each([
  new InputError('bad-layout', 'set.json is not what this version of headlight writes there'),
  new InputError('bad-description', 'of another version'),
  new InputError('unsupported-network', 'of no family'),
  new PlaceError('network-mismatch', 'another digest'),
])('a run whose own files are bad is put aside alone: $code', async (error) => {
  const { process, failToOpen, faults, runFaults, job, unit } = world()
  // Own clock: on a busy machine the twenty milliseconds could be over before the next shard is there.
  let nowMs = 0
  const clock = vi.spyOn(performance, 'now').mockImplementation(() => nowMs)
  onTestFinished(() => clock.mockRestore())
  failToOpen(error, 'run-1')
  await expect(process()).rejects.toThrow(DelayedError)
  // The next one is not even looked at.
  await expect(process(Object.assign(new FakeJob(), { id: 'run-1-00000-000004' }))).rejects.toThrow(DelayedError)
  expect(runFaults).toEqual([error])
  const other = new FakeJob()
  other.data = { ...other.data, run: 'run-2' }
  expect(await process(other)).toMatchObject(done)
  expect(unit.orders.map((order) => order.job.run)).toEqual(['run-2'])
  expect({ faults, moved: job.moved, attemptsMade: job.attemptsMade }).toEqual({
    faults: [],
    moved: 'delayed',
    attemptsMade: 0,
  })
  // Once its time is over it is tried again, for longer intervals as long as that fails.
  nowMs = 30
  await expect(process()).rejects.toThrow(DelayedError)
  expect(runFaults).toHaveLength(2)
})

test('a unit whose engine gave rubbish is replaced, but not while it has another shard', async () => {
  const { process, unit, pool } = world()
  unit.behaviour = () => Promise.reject(new PlaceError('engine-wrong', 'no finite numbers'))
  pool.isShared = () => true
  await expect(process()).rejects.toThrow(DelayedError)
  expect(unit.killedFor).toBe(undefined)
  pool.isShared = () => false
  await expect(process()).rejects.toThrow(DelayedError)
  expect(unit.killedFor).toBe('no finite numbers')
  expect(pool.released).toBe(2)
})

test('a transient error is the queue’s to retry, and the last attempt is known as such', async () => {
  const { process, unit, job } = world()
  unit.behaviour = () => Promise.reject(new TransientError('store-busy', 'SlowDown'))
  job.attemptsMade = 9
  await expect(process()).rejects.toMatchObject({ code: 'store-busy' })
  expect(job.moved).toBe(undefined)
  expect(unit.orders[0]?.lastAttempt).toBe(true)
})

test('a shard on which units die is computed alone, and its killer convicted', async () => {
  const { process, unit, job } = world()
  const keys = ['a.png', 'killer.png', 'c.png']
  const noted: (string | null | undefined)[] = []
  unit.behaviour = async ({ alone }, { onAlone, onTurn }) => {
    onTurn()
    if (!alone) throw died()
    for (const key of keys.filter((name) => !alone.convicted[name])) {
      await onAlone(key)
      noted.push(job.data.suspicion?.current)
      if (key === 'killer.png') throw died()
    }
    return done
  }
  await expect(process()).rejects.toMatchObject({ code: 'unit-died' })
  await expect(process()).rejects.toMatchObject({ code: 'unit-died' })
  // From here on each death narrows the search, so it costs no attempt.
  await expect(process()).rejects.toThrow(DelayedError)
  await expect(process()).rejects.toThrow(DelayedError)
  expect(await process()).toMatchObject({ outcome: 'computed' })
  expect(unit.orders.map(({ alone }) => alone)).toEqual([
    null,
    null,
    { convicted: {} },
    { convicted: {} },
    { convicted: { 'killer.png': 'kills-unit' } },
  ])
  expect(noted).toEqual(['a.png', 'killer.png', 'a.png', 'killer.png', 'a.png', 'c.png'])
})

test('units that fall silent while they wait for a store or a note convict nobody, and use up attempts', async () => {
  const { process, unit, job } = world()
  unit.behaviour = async ({ alone }, { onAlone, onTurn }) => {
    onTurn()
    if (alone) await onAlone('a.png')
    throw died('waiting')
  }
  for (let i = 0; i < 6; i++) await expect(process()).rejects.toMatchObject({ code: 'unit-died' })
  expect(unit.orders.at(-1)?.alone).toEqual({ convicted: {} })
  expect(job.moved).toBe(undefined)
})

test('a unit that dies between two images accuses neither', async () => {
  const { process, unit } = world()
  unit.behaviour = async ({ alone }, { onAlone, onAloneDone, onTurn }) => {
    onTurn()
    if (alone) {
      await onAlone('a.png')
      onAloneDone()
    }
    throw died()
  }
  for (let i = 0; i < 6; i++) await expect(process()).rejects.toMatchObject({ code: 'unit-died' })
  expect(unit.orders.at(-1)?.alone).toEqual({ convicted: {} })
})

test('a unit that dies because it was stopped accuses nobody', async () => {
  const { process, unit, job, jobs } = world()
  unit.behaviour = forEver
  unit.isObedient = false
  const dying = { now: () => {} }
  unit.behaviour = () => new Promise((_, reject) => (dying.now = () => reject(died())))
  const processing = process()
  await expect.poll(() => unit.orders.length).toBe(1)
  jobs.handAllBack()
  dying.now()
  await expect(processing).rejects.toThrow(WaitingError)
  expect(job.data.suspicion).toBe(undefined)
})

test('a unit that died for another shard’s sake costs the shard no attempt and accuses nobody', async () => {
  const { process, unit, job } = world()
  unit.behaviour = () => Promise.reject(died('dismissed'))
  await expect(process()).rejects.toThrow(DelayedError)
  expect(job.data.suspicion).toBe(undefined)
})

test('a shard that was only looked at ahead is handed back when the worker drains, one at work is not', async () => {
  const { process, unit, jobs } = world()
  let finish: (shard: ShardDone) => void = () => {}
  unit.behaviour = (_order, { onTurn }) => {
    if (unit.orders.length === 1) onTurn()
    return new Promise((resolve) => (finish = unit.orders.length === 1 ? resolve : finish))
  }
  const [atWork, ahead] = [new FakeJob(), Object.assign(new FakeJob(), { id: 'run-1-00000-000004' })]
  const first = process(atWork)
  await expect.poll(() => unit.orders.length).toBe(1)
  const second = process(ahead)
  await expect.poll(() => unit.orders.length).toBe(2)
  jobs.refuseNew()
  await expect(second).rejects.toThrow(WaitingError)
  finish(done)
  expect(await first).toMatchObject({ outcome: 'computed' })
  expect([atWork.moved, ahead.moved]).toEqual([undefined, 'waiting'])
})

test('a unit with nothing to do takes over a shard that waits behind another one', async () => {
  const { process, unit, pool } = world()
  const other = new FakeUnit()
  const [atWork, ahead] = [new FakeJob(), Object.assign(new FakeJob(), { id: 'run-1-00000-000004' })]
  unit.behaviour = (_order, { onTurn }) => {
    if (unit.orders.length === 1) onTurn()
    return forEver()
  }
  void process(atWork)
  await expect.poll(() => unit.orders.length).toBe(1)
  const second = process(ahead)
  await expect.poll(() => unit.orders.length).toBe(2)
  // Another unit has become ready, and the queue has no more.
  pool.acquire = async () => other
  const looks = async (look: Partial<typeof pool>) => {
    Object.assign(pool, look)
    pool.onIdle()
    await new Promise((resolve) => setTimeout(resolve, 150))
  }
  await looks({ hasIdleUnit: false, isShared: () => true })
  await looks({ hasIdleUnit: true, isShared: () => false })
  expect(unit.isStopped).toBe(false)
  await looks({ hasIdleUnit: true, isShared: () => true })
  expect(await second).toMatchObject({ outcome: 'computed' })
  expect(other.orders.length).toBe(1)
  expect(ahead.moved).toBe(undefined)
})

test('a shard that comes to a unit when the worker already drains is handed back', async () => {
  const { process, jobs, pool, unit, job } = world()
  unit.behaviour = forEver
  let arrive: (given: FakeUnit) => void = () => {}
  pool.acquire = () => new Promise((resolve) => (arrive = resolve))
  const processing = process()
  await expect.poll(() => arrive.length).toBe(1)
  jobs.refuseNew()
  arrive(unit)
  await expect(processing).rejects.toThrow(WaitingError)
  expect(job.moved).toBe('waiting')
  expect(unit.orders).toEqual([])
})

test('a death before the shard’s turn counts, but costs no attempt until the shard is alone', async () => {
  const { process, unit, job } = world()
  unit.behaviour = () => Promise.reject(died())
  await expect(process()).rejects.toThrow(DelayedError)
  await expect(process()).rejects.toThrow(DelayedError)
  await expect(process()).rejects.toMatchObject({ code: 'unit-died' })
  expect(job.data.suspicion?.deaths).toBe(3)
})

test('a shard that was taken from its unit and then loses its lock is not computed elsewhere', async () => {
  const { process, unit, pool, job, jobs } = world()
  unit.behaviour = forEver
  unit.isObedient = false
  let fail: (error: Error) => void = () => {}
  unit.behaviour = () => new Promise((_resolve, reject) => (fail = reject))
  const processing = process()
  await expect.poll(() => unit.orders.length).toBe(1)
  Object.assign(pool, { hasIdleUnit: true, isShared: () => true })
  pool.onIdle()
  await expect.poll(() => unit.isStopped).toBe(true)
  jobs.lockLost([job.id])
  fail(new Error('the supervisor stopped the shard'))
  await expect(processing).rejects.toMatchObject({ code: 'lock-lost' })
  expect(unit.orders.length).toBe(1)
})
