import { once } from 'node:events'
import { createServer, type AddressInfo, type Socket } from 'node:net'
import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import { changeFlags } from '../../../src/output/flags.ts'
import { layout } from '../../../src/output/layout.ts'
import { Manifest } from '../../../src/output/manifest.ts'
import { putResultSet } from '../../../src/output/resultSet.ts'
import { openRun, readRun } from '../../../src/output/runs.ts'
import { openClient } from '../../../src/queue/connection.ts'
import { HeartbeatSender, workersKey, type Heartbeat } from '../../../src/queue/heartbeat.ts'
import { redisConnection } from '../../../src/queue/redisUrl.ts'
import { LiveDesk } from '../../../src/serve/live/liveDesk.ts'
import type { Store } from '../../../src/storage/store.ts'
import { resultSetOf } from '../../support/comparedOutput.ts'
import { memoryOutput } from '../../support/memoryOutput.ts'
import { silent, startTestRedis } from '../../support/redis.ts'

const set = resultSetOf({})
const noRedis = async () => undefined

let nowMs = 0
beforeEach(() => {
  nowMs = 1_000_000
  vi.spyOn(performance, 'now').mockImplementation(() => nowMs)
})
afterEach(() => vi.restoreAllMocks())

async function openedRun(output: Store) {
  await putResultSet(output, set)
  const now = new Date('2026-12-01T01:00:00Z')
  const { run } = await openRun({ output, set: set.id, base: null, full: false, latest: undefined, now })
  const manifest = new Manifest(output, set.id, run)
  await manifest.putPart({ schema: 1, part: 0, through: 'z', count: 8, shardSize: 4, unchanged: 0, gone: [] }, [])
  await manifest.putDone({ parts: 1, toCompute: 8, unchanged: 0, gone: 0 })
  await output.put(layout.recordFile(set.id, run, 0, 0), '')
  return run
}

it('shows a run that goes on without any Redis, until it is closed', async () => {
  const output = memoryOutput()
  const run = await openedRun(output)
  const desk = new LiveDesk({ output, onlySet: null, findRedis: noRedis, log: silent })
  const first = await desk.look()
  expect(first).toMatchObject({ redis: null, isRedisSilent: false, workers: [] })
  // Nobody holds it.
  expect(first.runs).toMatchObject([{ set: set.id, run, state: 'interrupted', done: 4, total: 8, latest: [] }])
  await changeFlags(output, set.id, run, { paused: true })
  nowMs += 8_000
  expect((await desk.look()).runs).toMatchObject([{ state: 'paused' }])
  const closed = { ...(await readRun(output, set.id, run)), state: 'cancelled', closedAt: '2026-12-01T01:05:00.000Z' }
  await output.put(layout.run(set.id, run), JSON.stringify(closed))
  nowMs += 8_000
  expect((await desk.look()).runs).toEqual([])
})

it('tells readers who ask at once the same, and leaves out what is no result set of this version', async () => {
  const output = memoryOutput()
  await openedRun(output)
  await output.put('other-all-00000003/set.json', '{}')
  await output.put('other-all-00000003/runs/20261201T010000Z-ffffff/run.json', '{}')
  const desk = new LiveDesk({ output, onlySet: null, findRedis: noRedis, log: silent })
  const [one, two] = await Promise.all([desk.look(), desk.look()])
  expect(one).toBe(two)
  expect(one.runs.map((run) => run.set)).toEqual([set.id])
  nowMs += 2_000
  expect(await desk.look()).not.toBe(one)
})

it('shows nothing of other result sets where one alone is served', async () => {
  const output = memoryOutput()
  await openedRun(output)
  const desk = new LiveDesk({ output, onlySet: 'other-all-00000003', findRedis: noRedis, log: silent })
  expect((await desk.look()).runs).toEqual([])
})

it('shows the workers that say so by Redis, and leaves the list of workers as it is', async () => {
  vi.restoreAllMocks()
  const redis = await startTestRedis()
  const facts: Heartbeat = {
    host: 'gpu7<b>',
    pid: 7,
    version: '1.2.3',
    engine: 'onnxruntime:cpu',
    device: 'cpu',
    state: 'waiting',
    fault: 'disk-full',
    units: 2,
    computed: 100,
    failed: 0,
    imagesPerSecond: 12.5,
    startedAt: '2026-12-01T01:00:00.000Z',
  }
  const sender = new HeartbeatSender(redis.connection, () => facts, silent)
  try {
    const output = memoryOutput()
    const look = () =>
      new LiveDesk({ output, onlySet: null, findRedis: async () => redis.connection, log: silent }).look()
    await expect
      .poll(async () => (await look()).workers)
      .toMatchObject([{ host: 'gpu7<b>', pid: 7, state: 'waiting: disk-full', units: 2, imagesPerSecond: 12.5 }])
    expect(await look()).toMatchObject({ redis: redis.connection.description, isRedisSilent: false, runs: [] })
    await sender.close()
    // One that was killed stays on the list until somebody who may write looks.
    const client = openClient(redis.connection, silent)
    await client.sadd(workersKey, 'killed')
    expect((await look()).workers).toEqual([])
    expect(await client.smembers(workersKey)).toEqual(['killed'])
    client.disconnect()
  } finally {
    await sender.close()
    await redis.stop()
  }
  const gone = new LiveDesk({
    output: memoryOutput(),
    onlySet: null,
    findRedis: async () => redis.connection,
    log: silent,
  })
  expect(await gone.look()).toMatchObject({ isRedisSilent: true, workers: [] })
})

it('leaves a Redis that accepts and never answers, so that each look does not leave a connection behind', async () => {
  const sockets: Socket[] = []
  const mute = createServer((socket) => sockets.push(socket.resume())).listen(0, '127.0.0.1')
  try {
    await once(mute, 'listening')
    const { port } = mute.address() as AddressInfo
    const findRedis = async () => redisConnection(`redis://127.0.0.1:${port}`)
    const desk = new LiveDesk({ output: memoryOutput(), onlySet: null, findRedis, log: silent })
    expect(await desk.look()).toMatchObject({ isRedisSilent: true, workers: [] })
    expect(sockets).toHaveLength(1)
    const [socket] = sockets
    if (socket?.closed === false) await once(socket, 'close')
  } finally {
    for (const socket of sockets) socket.destroy()
    mute.close()
  }
})
