import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { gunzipSync, gzipSync } from 'node:zlib'
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest'
import { createLogger } from '../../src/base/telemetry.ts'
import { layout } from '../../src/output/layout.ts'
import { recordSchema } from '../../src/output/record.ts'
import { openQueue } from '../../src/queue/connection.ts'
import { shardJobId, shardJobOptions } from '../../src/queue/jobs.ts'
import { networkMemoryKey, type NetworkMemory } from '../../src/worker/networkMemory.ts'
import { silent, startTestRedis } from '../support/redis.ts'
import { TestRun } from '../support/workerRun.ts'

// Real units and how much memory they take. They are small, so it is the memory that is there which is played.

let redis: Awaited<ReturnType<typeof startTestRedis>>
beforeAll(async () => {
  redis = await startTestRedis()
})
afterAll(() => redis.stop())

const images = 8
const waiting = { timeout: 120_000, interval: 50 }
const list = () => TestRun.list(redis.connection, images, 1)

interface Line {
  readonly unit?: string
  readonly msg: string
}

/** A log whose lines are looked at in the moment in which they are written. */
function logOf(onLine: (line: Line) => void = () => undefined) {
  const lines: Line[] = []
  const log = createLogger('debug', {
    write: (text) => {
      const line = JSON.parse(text) as Line
      lines.push(line)
      onLine(line)
    },
  })
  return { log, said: () => lines.map(({ msg }) => msg) }
}

async function expectAllRecords(run: TestRun): Promise<void> {
  await expect.poll(() => run.committed(), waiting).toBe(images)
  const records = [...(await run.results())]
    .filter(([key]) => key.endsWith('.jsonl'))
    .flatMap(([, bytes]) => Buffer.from(bytes, 'hex').toString('utf8').trim().split('\n'))
    .map((line) => recordSchema.parse(JSON.parse(line)))
  expect(records.map(({ status }) => status)).toEqual(Array.from({ length: images }, () => 'ok'))
  expect(new Set(records.map(({ key }) => key)).size).toBe(images)
}

const keyOf = ({ set }: TestRun) => networkMemoryKey({ set, engine: 'onnxruntime', batch: 1 })

async function remembered(run: TestRun): Promise<Record<string, NetworkMemory>> {
  const text = await readFile(join(run.options().cacheFolder, 'memory.json'), 'utf8')
  return (JSON.parse(text) as { networks: Record<string, NetworkMemory> }).networks
}

test('units that do not fit are dismissed once one is measured; every image gets its record, and the measure is kept', async () => {
  const run = await list()
  const { log, said } = logOf()
  const memory = { availableBytes: 50e6, mostUnits: 3, isGiven: false }
  const { events, worker } = await run.work({ units: 3, memory, log })
  await expectAllRecords(run)
  await worker.drain(0)
  expect(events.filter(({ type }) => type === 'unit-dismissed').length).toBe(2)
  expect(events.filter(({ type }) => type === 'unit-died' || type === 'shard-failed')).toEqual([])
  expect(said().filter((line) => line.includes('instead of'))).toEqual([
    expect.stringMatching(/^a unit takes \d+ MB for tiny_hp.pkl: 1 unit instead of 3, since 50 MB are free$/),
  ])
  const { processBytes, deviceBytes } = (await remembered(run))[keyOf(run)] ?? {}
  expect(processBytes).toBeGreaterThan(50e6)
  expect(processBytes).toBeLessThan(1e9)
  expect(deviceBytes).toBeNull()
})

test('what an earlier run has measured counts from the first opening on', async () => {
  const run = await list()
  const { cacheFolder } = run.options()
  await mkdir(cacheFolder, { recursive: true })
  const networks = { [keyOf(run)]: { processBytes: 10e9, deviceBytes: null } }
  await writeFile(join(cacheFolder, 'memory.json'), JSON.stringify({ schema: 1, networks }))
  const { log, said } = logOf()
  const memory = { availableBytes: 15e9, mostUnits: 2, isGiven: false }
  const { worker } = await run.work({ units: 2, memory, log })
  await expectAllRecords(run)
  await worker.drain(0)
  const [first, ...more] = said().filter((line) => line.includes('instead of'))
  expect(first).toBe('a unit takes 10.0 GB for tiny_hp.pkl: 1 unit instead of 2, since 15.0 GB are free')
  // The one that is left tells the truth, and the other may come back.
  expect(more).toEqual([expect.stringMatching(/ MB for tiny_hp.pkl: 2 units instead of 1, since 15.0 GB are free$/)])
  expect((await remembered(run))[keyOf(run)]?.processBytes).toBeLessThan(1e9)
})

test('when the unit that opens first dies while another waits, the other opens', async () => {
  const run = await list()
  const pids = new Map<string, number>()
  const kill = (unit: string | undefined, signal: NodeJS.Signals) => process.kill(pids.get(unit ?? '') ?? 0, signal)
  let first: string | undefined
  const { log } = logOf(({ unit, msg }) => {
    if (msg === 'a unit opens a network' && first === undefined) {
      first = unit
      kill(first, 'SIGSTOP')
    }
    if (msg === 'a unit waits to open a network' && first !== undefined && unit !== first) kill(first, 'SIGKILL')
  })
  const deaths: string[] = []
  await run.work({
    units: 2,
    memory: { availableBytes: 1e9, mostUnits: 2, isGiven: false },
    log,
    onEvent: (event) => {
      if (event.type === 'unit-started' && event.pid !== undefined) pids.set(event.unit, event.pid)
      if (event.type === 'unit-died') deaths.push(event.unit)
    },
  })
  await expectAllRecords(run)
  expect(deaths).toEqual([first])
})

test('a number of units that was asked for stays, and is warned of', async () => {
  const run = await list()
  const { log, said } = logOf()
  const memory = { availableBytes: 50e6, mostUnits: 2, isGiven: true }
  const { events } = await run.work({ units: 2, memory, log })
  await expectAllRecords(run)
  expect(events.filter(({ type }) => type === 'unit-dismissed')).toEqual([])
  expect(said().filter((line) => line.includes('--units'))).toEqual([
    expect.stringMatching(/^a unit takes \d+ MB for tiny_hp.pkl: --units 2 is more than fits, since 50 MB are free$/),
  ])
})

test('a unit on trial with one result set opens another that it has a shard of, which is ahead of it', async () => {
  const [first, second] = [await TestRun.list(redis.connection, 1, 1), await TestRun.list(redis.connection, 1, 1)]
  // The first shard's manifest takes longer to read, so that the second one's network is asked for before.
  const key = layout.manifestPart(first.set.id, 'run-1', 0)
  const part = gunzipSync((await first.output.get(key))?.bytes ?? Buffer.alloc(0)).toString()
  await first.output.put(key, gzipSync(part + `${'x'.repeat(3_000)}\n`.repeat(100_000), { level: 1 }))
  const queue = openQueue(redis.connection, first.queueName, silent)
  onTestFinished(() => queue.close())
  for (const job of second.jobs) await queue.add('shard', job, { ...shardJobOptions, jobId: `b${shardJobId(job)}` })
  await first.work({ memory: { availableBytes: 50e6, mostUnits: 1, isGiven: false } })
  await expect.poll(() => first.committed(), waiting).toBe(1)
  await expect.poll(() => second.committed(), waiting).toBe(1)
})
