import { Redis } from 'ioredis'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { settles } from '../../src/base/settles.ts'
import { createLogger } from '../../src/base/telemetry.ts'
import { QueueMemory } from '../../src/producer/queueMemory.ts'
import { enqueueRun } from '../../src/producer/queueRun.ts'
import { Schedules } from '../../src/producer/schedules.ts'
import { openQueue, openWorker } from '../../src/queue/connection.ts'
import { runJobSchema, runsQueue, shardsQueue, standInName, type RunJob } from '../../src/queue/jobs.ts'
import { redisConnection, type QueueConnection } from '../../src/queue/redisUrl.ts'
import { schedulesKey } from '../../src/queue/schedule.ts'
import { serveRunsOf, startFakeWorker, World } from '../support/producerWorld.ts'
import { silent, startTcpRedis } from '../support/redis.ts'

/** It keeps nothing on a disk: stopped and started, it has lost its data. */
let redis: Awaited<ReturnType<typeof startTcpRedis>>
let connection: QueueConnection
let admin: Redis

beforeEach(async () => {
  redis = await startTcpRedis()
  connection = redisConnection(`redis://127.0.0.1:${redis.port}`)
  admin = new Redis({ port: redis.port })
  admin.on('error', () => undefined)
})
afterEach(async () => {
  admin.disconnect()
  await redis.stop()
})

const job = runJobSchema.parse({ output: 'file:///out/', set: 'set', full: false, shardSize: null })
const nightly = { name: 'nightly', cron: '0 2 * * *', timeZone: 'Europe/Berlin', job }
const outcome = (run: string) => ({ at: new Date().toISOString(), outcome: 'completed', run, message: null }) as const

describe('after Redis lost its data', () => {
  let schedules: Schedules
  let queue: ReturnType<typeof openQueue<RunJob, unknown>>
  let memories: QueueMemory[]

  beforeEach(async () => {
    schedules = await Schedules.open(connection, silent)
    queue = openQueue<RunJob, unknown>(connection, runsQueue, silent)
    await queue.waitUntilReady()
    memories = [new QueueMemory(connection, schedules, silent), new QueueMemory(connection, schedules, silent)]
  })
  afterEach(async () => {
    for (const memory of memories) await memory.close()
    await queue.close()
    await schedules.close()
  })

  const look = async () => {
    for (const memory of memories) await memory.look()
  }
  const jobs = () => queue.getJobs(['waiting', 'delayed'])
  const waitingSets = async () => (await queue.getWaiting()).map(({ data }) => data.set).toSorted()
  const passes = (time: number) => expect.poll(() => Date.now(), { interval: 20 }).toBeGreaterThan(time)

  it('schedules are back with their times, outcomes and pauses, once each however many producers remember them', async () => {
    await schedules.put(nightly)
    await schedules.record('nightly', outcome('r1'))
    await schedules.record('nightly', outcome('r2'))
    await schedules.put({ ...nightly, name: 'resting' })
    await schedules.pause('resting')
    const before = await schedules.statuses()
    await look()
    await admin.flushall()
    await look()
    expect(await schedules.statuses()).toEqual(before)
    expect((await jobs()).map(({ data }) => data)).toEqual([{ ...job, schedule: 'nightly' }])
  })

  it('a schedule that was removed, or changed since, stays so', async () => {
    await schedules.put(nightly)
    await schedules.put({ ...nightly, name: 'weekly' })
    await look()
    await schedules.remove('nightly')
    await schedules.put({ ...nightly, name: 'weekly', cron: '0 3 * * 1' })
    await look()
    expect((await schedules.statuses()).map(({ schedule }) => schedule.cron)).toEqual(['0 3 * * 1'])
    await schedules.put(nightly)
    expect(await schedules.removed()).toEqual([])
    await look()
    await admin.flushall()
    await schedules.put({ ...nightly, cron: '0 4 * * *' })
    await look()
    expect((await schedules.statuses()).map(({ schedule }) => schedule.cron)).toEqual(['0 4 * * *', '0 3 * * 1'])
  })

  it('a time that passed meanwhile runs now, once; one that was taken before does not', async () => {
    for (const name of ['taken', 'missed']) await schedules.put({ ...nightly, name, cron: '* * * * * *' })
    const due = await jobs()
    await look()
    await passes(Math.max(...due.map((one) => one.timestamp + one.delay)))
    for (const one of due) if (one.data.schedule === 'taken') for (const memory of memories) memory.taken(one)
    await admin.flushall()
    await look()
    expect((await queue.getWaiting()).map(({ data }) => data.schedule)).toEqual(['missed'])
  })

  it('a run of a schedule that was asked for does not stand for a time that comes after it', async () => {
    await schedules.put({ ...nightly, cron: '*/2 * * * * *' })
    await look()
    const [next] = (await schedules.statuses()).flatMap((status) => status.next)
    await schedules.runNow('nightly')
    for (const one of await queue.getWaiting()) for (const memory of memories) memory.taken(one)
    await admin.flushall()
    await passes(next?.getTime() ?? Number.NaN)
    await look()
    expect(await queue.getWaitingCount()).toBe(1)
  })

  it('producers that look at the same time put outcomes and a missed time back once', async () => {
    await schedules.put({ ...nightly, cron: '*/2 * * * * *' })
    await schedules.record('nightly', outcome('r1'))
    const [before] = await schedules.statuses()
    await look()
    await admin.flushall()
    await passes(before?.next[0]?.getTime() ?? Number.NaN)
    await Promise.all(memories.map((memory) => memory.look()))
    const [after] = await schedules.statuses()
    expect(after?.outcomes).toEqual(before?.outcomes)
    expect(await queue.getWaitingCount()).toBe(1)
  })

  it('what was put back by half is put back as a whole by the next look', async () => {
    await schedules.put(nightly)
    await schedules.record('nightly', outcome('r1'))
    const before = await schedules.statuses()
    await look()
    await admin.flushall()
    for (const command of ['multi', 'evalsha', 'hset']) {
      await admin.call('ACL', 'SETUSER', 'default', `-${command}`)
      await expect(look()).rejects.toThrow(/./)
      await admin.call('ACL', 'SETUSER', 'default', `+${command}`)
    }
    await look()
    expect(await schedules.statuses()).toEqual(before)
    expect(await queue.getDelayedCount()).toBe(1)
  })

  it('what is lost during a look is put back by the next one', async () => {
    await schedules.put(nightly)
    await enqueueRun(connection, job, silent)
    await look()
    const read = schedules.removed.bind(schedules)
    const losing = vi.spyOn(schedules, 'removed').mockImplementation(async () => {
      const names = await read()
      await admin.flushall()
      return names
    })
    await memories[0]?.look()
    losing.mockRestore()
    await memories[0]?.look()
    expect((await queue.getDelayed()).map(({ data }) => data.schedule)).toEqual(['nightly'])
    expect(await waitingSets()).toEqual(['set'])
  })

  it('what was just put back and is lost again is put back again', async () => {
    await schedules.put(nightly)
    const id = await enqueueRun(connection, job, silent)
    await look()
    for (let losses = 0; losses < 3; losses++) {
      await admin.flushall()
      await look()
    }
    expect((await schedules.statuses()).map(({ schedule }) => schedule.name)).toEqual(['nightly'])
    expect((await queue.getWaiting()).map((one) => one.id)).toEqual([id])
  })

  it('a run that waited is added again, once, and one that was taken, or has ended, is not', async () => {
    for (const set of ['taken', 'waiting']) await enqueueRun(connection, { ...job, set }, silent)
    await look()
    const taken = (await jobs()).find(({ data }) => data.set === 'taken')
    if (taken === undefined) throw new Error('it waits as the other does')
    for (const memory of memories) {
      memory.taken(taken)
      await memory.ended(taken)
    }
    await admin.flushall()
    for (const set of ['later', 'latest']) await enqueueRun(connection, { ...job, set }, silent)
    await look()
    await look()
    const served: string[] = []
    const worker = openWorker<RunJob, null>(
      connection,
      runsQueue,
      async ({ data }) => {
        served.push(data.set)
        return null
      },
      {},
      silent,
    )
    await expect.poll(() => queue.getCompletedCount()).toBe(3)
    await look()
    await worker.close()
    expect(served.toSorted()).toEqual(['later', 'latest', 'waiting'])
    expect(await jobs()).toEqual([])
  })

  it('a run that is being served is stood in for, once, until it has ended or is given back', async () => {
    for (const set of ['ends', 'is given back']) await enqueueRun(connection, { ...job, set }, silent)
    const [memory] = memories
    const atWork = await jobs()
    for (const one of atWork) memory?.taken(one)
    await memory?.look()
    await admin.flushall()
    for (let looks = 0; looks < 3; looks++) await memory?.look()
    const standIns = async () => (await queue.getDelayed()).filter(({ name }) => name === standInName)
    expect((await standIns()).map(({ data }) => data.set).toSorted()).toEqual(['ends', 'is given back'])
    await admin.flushall()
    await memory?.look()
    expect(await standIns()).toHaveLength(2)
    // They look whether their runs are held.
    for (const one of await standIns()) {
      memory?.taken(one)
      memory?.givenBack(one)
    }
    for (const one of atWork) {
      if (one.data.set === 'ends') await memory?.ended(one)
      else memory?.givenBack(one)
    }
    await memory?.look()
    expect((await jobs()).map(({ id, name, data }) => [id, name, data.set])).toEqual([
      [atWork.find(({ data }) => data.set !== 'ends')?.id, 'run', 'is given back'],
    ])
  })

  it('a stand-in is removed by a later look where it could not be as its run ended', async () => {
    const [memory] = memories
    await enqueueRun(connection, job, silent)
    const [atWork] = await jobs()
    if (memory === undefined || atWork === undefined) throw new Error('it was just added')
    memory.taken(atWork)
    await admin.flushall()
    await memory.look()
    const [standIn] = await jobs()
    if (standIn === undefined) throw new Error('it stands in')
    // It just looked whether its run is held.
    memory.taken(standIn)
    memory.givenBack(standIn)
    await admin.call('ACL', 'SETUSER', 'default', '-@scripting')
    await memory.ended(atWork)
    await admin.call('ACL', 'SETUSER', 'default', '+@scripting')
    expect(await jobs()).toHaveLength(1)
    for (let looks = 0; looks < 2; looks++) await memory.look()
    expect(await jobs()).toEqual([])
  })

  it('a run that this producer began and gave back waits as the others do, and one it takes during a look does not', async () => {
    await schedules.put(nightly)
    for (const one of await jobs()) await one.promote()
    const failing = openWorker<RunJob, null>(
      connection,
      runsQueue,
      () => Promise.reject(new Error('the store is away')),
      {},
      silent,
    )
    // The one that is to be tried again, and the next night's.
    await expect.poll(() => queue.getDelayedCount()).toBe(2)
    await failing.close()
    await look()
    await admin.flushall()
    await look()
    expect((await jobs()).map(({ data }) => data.schedule)).toEqual(['nightly', 'nightly'])
    await schedules.remove('nightly')
    const again = await queue.getWaiting()
    expect(again).toHaveLength(1)
    for (const memory of memories) {
      const looking = memory.look()
      for (const one of again) memory.taken(one)
      await looking
    }
    await queue.obliterate()
    await look()
    expect((await jobs()).map(({ name }) => name)).toEqual([standInName, standInName])
    for (const memory of memories) {
      const looking = memory.look()
      for (const one of again) memory.givenBack(one)
      await looking
    }
    await look()
    expect(await jobs()).toHaveLength(1)
  })
})

it('a standing producer puts a schedule back and serves it', async () => {
  const world = await World.make(['a.jpg'])
  const set = await world.prepare()
  const stop = new AbortController()
  const before = await Schedules.open(connection, silent)
  await before.put({ ...nightly, job: { ...job, output: world.output.uri, set: set.id } })
  await before.close()
  const look = vi.spyOn(QueueMemory.prototype, 'look')
  const serving = serveRunsOf(world, connection, stop.signal)
  try {
    await expect
      .poll(() => look.mock.settledResults.filter(({ type }) => type === 'fulfilled').length)
      .toBeGreaterThan(1)
    look.mockRestore()
    await redis.stop()
    redis = await startTcpRedis({ port: redis.port })
    const after = await Schedules.open(connection, silent)
    await expect.poll(async () => (await after.statuses()).map(({ schedule }) => schedule.name)).toEqual(['nightly'])
    await after.runNow('nightly')
    const worker = startFakeWorker({ connection, queueName: shardsQueue, output: world.output, set })
    await expect
      .poll(async () => (await after.statuses()).flatMap(({ outcomes }) => outcomes))
      .toMatchObject([{ outcome: 'completed' }])
    await worker.stop()
    await after.close()
  } finally {
    stop.abort(new Error('stopped'))
    await serving
    await world.remove()
  }
})

describe('a producer that is told to stop', () => {
  let world: World
  let stop: AbortController

  beforeEach(async () => {
    world = await World.make(['a.jpg'])
    stop = new AbortController()
  })
  afterEach(() => world.remove())

  it('leaves a schedule alone that it cannot read, says so once, and puts others back', async () => {
    const lines: string[] = []
    const log = createLogger('warn', { write: (line) => void lines.push(line) })
    const look = vi.spyOn(QueueMemory.prototype, 'look')
    const looks = async () => {
      const before = look.mock.settledResults.length
      await expect.poll(() => look.mock.settledResults.length).toBeGreaterThan(before + 1)
    }
    const schedules = await Schedules.open(connection, silent)
    for (const name of ['both', 'mine']) await schedules.put({ ...nightly, name })
    await schedules.close()
    const both = (await admin.hget(schedulesKey, 'both')) ?? ''
    const serving = serveRunsOf(world, connection, stop.signal, { log })
    await looks()
    // A newer version changes one that this producer remembers, and Redis loses the other.
    await admin.hset(schedulesKey, 'both', JSON.stringify({ ...(JSON.parse(both) as object), somethingNew: 1 }))
    await looks()
    await admin.hdel(schedulesKey, 'mine')
    await expect.poll(() => admin.hget(schedulesKey, 'mine')).not.toBe(null)
    await looks()
    expect(look.mock.settledResults.filter(({ type }) => type === 'rejected')).toEqual([])
    look.mockRestore()
    stop.abort(new Error('stopped'))
    await serving
    expect(lines.filter((line) => line.includes('schedule both cannot be read'))).toHaveLength(1)
    expect(lines.filter((line) => line.includes('has lost schedule both'))).toEqual([])
    expect(await admin.hget(schedulesKey, 'both')).toContain('somethingNew')
  })

  it('ends while Redis hangs', async () => {
    const serving = serveRunsOf(world, connection, stop.signal)
    await expect.poll(() => admin.client('LIST')).toMatch(/cmd=bzpopmin/)
    const pid = Number(/process_id:(\d+)/.exec(await admin.info('server'))?.[1])
    process.kill(pid, 'SIGSTOP')
    try {
      // The time of more than one look.
      await new Promise((resolve) => setTimeout(resolve, 300))
      stop.abort(new Error('stopped'))
      expect(await settles(serving, 28_000)).toBe(true)
    } finally {
      process.kill(pid, 'SIGCONT')
    }
  })

  it('gives a run back that Redis lost while it was served', async () => {
    const set = await world.prepare()
    const serving = serveRunsOf(world, connection, stop.signal)
    await enqueueRun(connection, { ...job, output: world.output.uri, set: set.id }, silent)
    const runs = openQueue<RunJob, unknown>(connection, runsQueue, silent)
    const shards = openQueue(connection, shardsQueue, silent)
    // No worker is there: it goes on for ever.
    await expect.poll(() => shards.getPrioritizedCount()).toBe(1)
    await admin.flushall()
    stop.abort(new Error('stopped'))
    await serving
    expect((await runs.getJobs(['waiting', 'delayed'])).map(({ data }) => data.set)).toEqual([set.id])
    await runs.close()
    await shards.close()
  })
})
