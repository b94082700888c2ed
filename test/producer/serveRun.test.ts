import { readdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { Redis } from 'ioredis'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { InputError } from '../../src/base/errors.ts'
import { layout } from '../../src/output/layout.ts'
import { Manifest } from '../../src/output/manifest.ts'
import type { ResultSet } from '../../src/output/resultSet.ts'
import { latestRun } from '../../src/output/runs.ts'
import type { RunProgress } from '../../src/producer/progress.ts'
import type { ServeRunOptions } from '../../src/producer/serveRun.ts'
import { openQueue } from '../../src/queue/connection.ts'
import {
  computeShard,
  dyingAt,
  serveRunOf,
  startFakeWorker,
  watched,
  World,
  type FakeWorker,
} from '../support/producerWorld.ts'
import { silent, startTestRedis } from '../support/redis.ts'

const keys = ['a.jpg', 'b/broken.jpg', 'b/c.png', 'd.jpg', 'e.jpg', 'f.jpg', 'g.jpg', 'ｈ.jpg', '😀.jpg']

let redis: Awaited<ReturnType<typeof startTestRedis>>
let world: World
let worker: FakeWorker | undefined
let queueNumber = 0
let queueName: string

beforeAll(async () => {
  redis = await startTestRedis()
})
afterAll(() => redis.stop())
beforeEach(async () => {
  world = await World.make(keys)
  queueName = `shards-${queueNumber++}`
})
afterEach(async () => {
  await worker?.stop()
  worker = undefined
  await world.remove()
})

function serve(set: ResultSet, changes: Partial<ServeRunOptions> = {}) {
  return serveRunOf(world, set, redis.connection, queueName, changes)
}

function work(set: ResultSet, before?: Parameters<typeof startFakeWorker>[0]['before']): void {
  const options = { connection: redis.connection, queueName, output: world.output, set }
  worker = startFakeWorker(before === undefined ? options : { ...options, before })
}

/** The private server is started again on its data by whoever uses it. */
async function killRedis(): Promise<void> {
  const client = new Redis({ ...redis.connection.redis })
  const info = await client.info('server')
  client.disconnect()
  process.kill(Number(/process_id:(\d+)/.exec(info)?.[1]), 'SIGKILL')
}

async function bytesOf(key: string): Promise<string | undefined> {
  const object = await world.output.get(key)
  return object === undefined ? undefined : Buffer.from(object.bytes).toString('base64')
}

describe('a run', () => {
  it('publishes a table of every sample, sorted by UTF-8 bytes, with its summary, failures and report', async () => {
    const set = await world.prepare()
    work(set)
    const seen: RunProgress[] = []
    const summary = await serve(set, { onProgress: (progress) => seen.push(progress) })

    expect(summary.counts).toEqual({ total: 9, computed: 9, unchanged: 0, failed: 1, gone: 0 })
    expect(summary.state).toBe('completed')
    expect(summary.failures).toEqual({ 'corrupt-image': 1 })
    expect(summary.engine).toEqual(['fake:cpu'])
    expect(summary.mae?.yaw).toBeGreaterThan(0)
    expect(Object.keys(summary.mapCorrelations)).toEqual(['yaw~-yaw'])
    const rows = await world.rows(set)
    expect(rows.map(({ key }) => key)).toEqual(keys)
    expect(rows[0]).toMatchObject({ mapYaw: 'maps/yaw/a.jpg.png', mapMinusYaw: 'maps/-yaw/a.jpg.png', yawTopBin: 3 })
    expect((await world.output.get(layout.failures(set.id, summary.run)))?.bytes.toString()).toBe(
      'key,code,message\r\nb/broken.jpg,corrupt-image,"""b/broken.jpg"", line one\nline two"\r\n',
    )
    expect(await world.output.head(layout.report(set.id))).toBeDefined()
    expect(await world.output.head(layout.hold(set.id))).toBeUndefined()
    expect((await latestRun(world.output, set.id))?.state).toBe('completed')
    const counts = { listed: 9, toCompute: 9, computed: 9, failed: 1 }
    expect(seen.at(-1)).toMatchObject({ phase: 'finalizing', ...counts, report: { drawn: 8, of: 8 } })
  })

  it('computes only what is new, changed or to be tried again, and drops what is gone', async () => {
    await world.addImage('vanished.jpg')
    const set = await world.prepare()
    work(set)
    await serve(set)
    await world.addImage('new.jpg')
    await world.addImage('d.jpg', 'other content')
    await world.removeImage('f.jpg')
    const before = await world.rows(set)
    const summary = await serve(set)

    expect(summary.counts).toEqual({ total: 10, computed: 3, unchanged: 7, failed: 2, gone: 1 })
    const listed: string[] = []
    for await (const { entries } of new Manifest(world.output, set.id, summary.run).parts()) {
      listed.push(...entries().map(({ key }) => key))
    }
    expect(listed).toEqual(['d.jpg', 'new.jpg', 'vanished.jpg'])
    const rows = await world.rows(set)
    const row = (key: string, of = rows) => of.find((candidate) => candidate.key === key)
    expect(rows.map(({ key }) => key)).not.toContain('f.jpg')
    expect(row('a.jpg')).toEqual(row('a.jpg', before))
    expect(row('d.jpg')?.fingerprint).not.toBe(row('d.jpg', before)?.fingerprint)
  })

  it('writes no table when nothing has changed, but a summary with the same numbers', async () => {
    const set = await world.prepare()
    work(set)
    const first = await serve(set)
    const second = await serve(set)
    expect(second.counts).toEqual({ total: 9, computed: 0, unchanged: 9, failed: 1, gone: 0 })
    expect(second.mae).toEqual(first.mae)
    expect(second.mapCorrelations).toEqual(first.mapCorrelations)
    expect(await world.output.head(layout.runTable(set.id, second.run))).toBeUndefined()
    expect(JSON.parse(Buffer.from((await world.output.get(layout.current(set.id)))!.bytes).toString()).run).toBe(
      first.run,
    )
    const third = await serve(set, { full: true })
    expect(third.counts).toMatchObject({ computed: 9, unchanged: 0 })
  })

  it('refuses an empty dataset without opening a run, also one that held images before', async () => {
    const set = await world.prepare()
    await rm(join(world.folder, 'dataset'), { recursive: true })
    await world.addImage('notes.txt')
    await expect(serve(set)).rejects.toMatchObject({ code: 'empty-dataset' })
    expect(await latestRun(world.output, set.id)).toBeUndefined()
    expect(await world.output.head(layout.hold(set.id))).toBeUndefined()

    await world.addImage('a.jpg')
    work(set)
    await serve(set)
    const first = await latestRun(world.output, set.id)
    await world.removeImage('a.jpg')
    await expect(serve(set)).rejects.toMatchObject({
      code: 'empty-dataset',
      message:
        `${world.dataset.uri} holds no image that the adapter images reads; ` +
        'check that it is the right place, that it is mounted, and --adapter',
    })
    expect(await world.rows(set)).toHaveLength(1)
    expect(await latestRun(world.output, set.id)).toEqual(first)
  })

  it('refuses a dataset that was emptied while its listing lay unfinished', async () => {
    const set = await world.prepare()
    work(set)
    const first = await serve(set)
    await world.addImage('0.jpg')
    // Dies at the manifest's part: hold, run.json, hold again, part.
    await expect(serve(set, { output: dyingAt(world.output, 4) })).rejects.toThrow('died')
    await world.output.delete(layout.hold(set.id))
    for (const key of ['0.jpg', ...keys]) await world.removeImage(key)
    await world.addImage('notes.txt')
    await expect(serve(set)).rejects.toMatchObject({ code: 'empty-dataset' })
    expect(await world.rows(set)).toHaveLength(first.counts.total)
  })

  it('asks for workers only when there is something to compute', async () => {
    const set = await world.prepare()
    work(set)
    let asked = 0
    const onWork = () => void asked++
    await serve(set, { onWork })
    expect(asked).toBeGreaterThan(0)
    asked = 0
    await world.removeImage('f.jpg')
    expect((await serve(set, { onWork })).counts).toMatchObject({ computed: 0, gone: 1 })
    expect(asked).toBe(0)
    // A run that was left open with a shard still to be computed.
    await world.addImage('new.jpg')
    await worker?.stop()
    const stop = new AbortController()
    const left = serve(set, { onWork: () => stop.abort(new Error('interrupted')), signal: stop.signal })
    await expect(left).rejects.toThrow('interrupted')
    work(set)
    expect((await serve(set, { onWork })).counts).toMatchObject({ computed: 1 })
    expect(asked).toBeGreaterThan(0)
  })
})

describe('a disturbed run', () => {
  it('gives the same bytes as a quiet one, whichever put the producer died at', async () => {
    // The quiet run.
    const set = await world.prepare()
    work(set)
    const quiet = await serve(set)
    // But for what says where maps lie, which names the run.
    const ofRun = [layout.runTable, layout.failures, layout.atlas, layout.inputAtlas, layout.aggregates]
    const made = (run: string) =>
      Promise.all([layout.table(set.id), ...ofRun.map((key) => key(set.id, run))].map((key) => bytesOf(key)))
    const wanted = await made(quiet.run)
    let deaths = 0
    for (let n = 1; ; n++) {
      await rm(join(world.folder, 'output', set.id), { recursive: true })
      await world.prepare()
      const died = await serve(set, { output: dyingAt(world.output, n) }).then(
        () => false,
        () => true,
      )
      // Objects that grow while they are written are taken back. The worker may be writing its records.
      await expect
        .poll(async () => {
          const names = await readdir(world.folder, { recursive: true })
          return names.filter((name) => /headlight-tmp-(?!files$)/.test(name))
        })
        .toEqual([])
      // What a dead process leaves behind.
      const left = await latestRun(world.output, set.id)
      if (!died) break
      const summary = await serve(set)
      expect(await made(summary.run)).toEqual(wanted)
      if (left?.state === 'open') expect(summary.run).toBe(left.run)
      deaths++
    }
    // Hold, run.json, manifest, done, failures, table, places, atlas, inputs, aggregates, summary, copy, current, report,
    // run.json.
    expect(deaths).toBeGreaterThanOrEqual(15)
  })

  it('goes on under the same id where the listing stopped', async () => {
    const set = await world.prepare()
    // Dies at `done`: hold, run.json, hold again, part, done.
    await expect(serve(set, { output: dyingAt(world.output, 5) })).rejects.toThrow('died')
    const left = await latestRun(world.output, set.id)
    await world.output.delete(layout.hold(set.id))
    await world.addImage('0-sorts-before-what-was-listed.jpg')
    work(set)
    const summary = await serve(set)
    expect(summary.run).toBe(left?.run)
    expect(summary.counts.computed).toBe(9)
    expect((await serve(set)).counts).toMatchObject({ computed: 1, unchanged: 9 })
  })

  it.each([
    ['its summary', layout.aggregates],
    ['the table that people read', layout.summary],
    ['the state that the next run starts from', (set: string) => layout.table(set)],
  ])('publishes nothing once another has taken the hold, right before %s', async (_what, last) => {
    const set = await world.prepare()
    work(set)
    const written: string[] = []
    let run = ''
    const output = watched(world.output, {
      after: async (key) => {
        run = /runs\/([^/]+)\//.exec(key)?.[1] ?? run
        if (key !== layout.hold(set.id)) written.push(key)
        if (key === last(set.id, run)) {
          const taker = { run: null, host: 'elsewhere', bootId: 'b', pid: 1, processStart: '1' }
          await world.output.put(
            layout.hold(set.id),
            JSON.stringify({ ...taker, heartbeatAt: new Date().toISOString() }),
          )
        }
      },
    })
    await expect(serve(set, { output })).rejects.toMatchObject({ code: 'held' })
    // Nothing after it, but for what is written beside the table at the same time and is not looked for yet.
    const { failures, runTable, mapPlaces, atlas, inputAtlas, aggregates } = layout
    const beside = [failures, runTable, mapPlaces, atlas, inputAtlas, aggregates].map((key) => key(set.id, run))
    const after = written.slice(written.indexOf(last(set.id, run)) + 1)
    expect(after.filter((key) => !beside.includes(key))).toEqual([])
    expect(await world.output.head(layout.current(set.id))).toBeUndefined()
  })

  it('leaves the run open and gives the hold back when it is told to stop', async () => {
    const set = await world.prepare()
    const stop = new AbortController()
    work(set, () => stop.abort(new Error('interrupted')))
    await expect(serve(set, { signal: stop.signal })).rejects.toThrow('interrupted')
    expect((await latestRun(world.output, set.id))?.state).toBe('open')
    expect(await world.output.head(layout.hold(set.id))).toBeUndefined()
  })

  it('enqueues again what the queue has lost', async () => {
    const set = await world.prepare()
    const messages: (string | undefined)[] = []
    const serving = serve(set, { onProgress: ({ message }) => messages.push(message) })
    const queue = openQueue(redis.connection, queueName, silent)
    try {
      await queue.waitUntilReady()
      await expect.poll(() => queue.count(), { timeout: 10_000 }).toBe(5)
      await queue.obliterate({ force: true })
    } finally {
      await queue.close()
    }
    work(set)
    expect((await serving).counts.computed).toBe(9)
    expect(messages.some((message) => message?.includes('lost'))).toBe(true)
  })

  it('outlives a Redis that is killed and comes back', async () => {
    const set = await world.prepare()
    let isKilled = false
    work(set, async () => {
      if (isKilled) return
      isKilled = true
      await killRedis()
      throw new Error('this attempt ends as well')
    })
    expect((await serve(set)).counts.computed).toBe(9)
  })

  it('tries failed shards again and says so', async () => {
    const set = await world.prepare()
    let failures = 0
    const messages: (string | undefined)[] = []
    const { UnrecoverableError } = await import('bullmq')
    work(set, (job) => {
      if (job.offset === 2 && failures++ < 2) throw new UnrecoverableError('the disk is full')
    })
    const summary = await serve(set, { onProgress: ({ message }) => messages.push(message) })
    expect(summary.counts.computed).toBe(9)
    expect(failures).toBe(3)
    expect(messages.some((message) => message?.includes('the disk is full'))).toBe(true)
  })

  it('closes as cancelled when its flags say so; the records so far are merged, the rest is computed next time', async () => {
    const set = await world.prepare()
    let done = 0
    work(set, async (job) => {
      if (++done < 3) return
      await world.output.put(layout.flags(set.id, job.run), JSON.stringify({ paused: false, cancelled: true }))
      await new Promise((resolve) => setTimeout(resolve, 60_000))
    })
    const summary = await serve(set)
    expect(summary.state).toBe('cancelled')
    expect(summary.counts).toMatchObject({ computed: 4, total: 4 })
    expect(await world.rows(set)).toHaveLength(4)
    await worker?.stop()
    queueName += '-next'
    work(set)
    const next = await serve(set)
    expect(next.run).not.toBe(summary.run)
    expect(next.counts).toMatchObject({ total: 9, computed: 5, unchanged: 4 })
    expect(await world.rows(set)).toHaveLength(9)
  })

  it('closes an open run that is not full before a full one', async () => {
    const set = await world.prepare()
    const stop = new AbortController()
    setTimeout(() => stop.abort(new Error('interrupted')), 500)
    await expect(serve(set, { signal: stop.signal })).rejects.toThrow('interrupted')
    const left = await latestRun(world.output, set.id)
    await computeShard(world.output, set, { run: left?.run ?? '', part: 0, offset: 0, count: 2 })
    work(set)
    const summary = await serve(set, { full: true })
    expect(summary.run).not.toBe(left?.run)
    expect(summary.counts).toMatchObject({ total: 9, computed: 9 })
  })

  it('refuses while another run of this process writes', async () => {
    const set = await world.prepare()
    const stop = new AbortController()
    const first = serve(set, { signal: stop.signal })
    await expect.poll(() => world.output.head(layout.hold(set.id))).toBeDefined()
    await expect(serve(set)).rejects.toThrow(InputError)
    stop.abort(new Error('interrupted'))
    await expect(first).rejects.toThrow('interrupted')
  })
})
