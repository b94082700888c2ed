import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { rename } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest'
import { layout } from '../../src/output/layout.ts'
import { recordSchema } from '../../src/output/record.ts'
import { processRuns, startTestRedis } from '../support/redis.ts'
import { TestRun, unitPids } from '../support/workerRun.ts'

// Real processes: a supervisor with units over a real Redis, computing with the tiny network.

let redis: Awaited<ReturnType<typeof startTestRedis>>
/** Maps and records of runs that nobody disturbed, for comparison. */
let quiet: Map<string, string>

const images = 8
const waiting = { timeout: 120_000, interval: 50 }

beforeAll(async () => {
  redis = await startTestRedis()
})
afterAll(() => redis.stop())

const list = (shardSize = images) => TestRun.list(redis.connection, images, shardSize)
/** So many that none of today's machines is through with them before it is disturbed. */
const many = 200
const listMany = (shardSize = many) => TestRun.list(redis.connection, many, shardSize)

test('every sample gets one record and its map, over two units', async () => {
  const run = await list(4)
  const { events, worker } = await run.work({ units: 2 })
  await expect.poll(() => run.committed(), waiting).toBe(2)
  await expect.poll(() => events.filter(({ type }) => type === 'shard').length, waiting).toBe(2)
  expect(events.find((event) => event.type === 'shard')).toMatchObject({
    result: { outcome: 'computed', computed: 4, failed: 0, engine: 'onnxruntime:cpu' },
  })
  const results = await run.results()
  const lines = [...results]
    .filter(([key]) => key.endsWith('.jsonl'))
    .flatMap(([, bytes]) => Buffer.from(bytes, 'hex').toString('utf8').trim().split('\n'))
  const records = lines.map((line) => recordSchema.parse(JSON.parse(line)))
  expect(records.map(({ key, status }) => [key, status])).toEqual(
    Array.from({ length: images }, (_, i) => [`${String(i).padStart(4, '0')}.png`, 'ok']),
  )
  const pids = unitPids(events)
  await worker.drain(0)
  expect(pids.length).toBe(2)
  expect(pids.some(processRuns)).toBe(false)
})

test('a unit that is killed again and again changes no byte of the results', async () => {
  const undisturbed = await list()
  await undisturbed.work()
  await expect.poll(() => undisturbed.committed(), waiting).toBe(1)
  quiet = await undisturbed.results()

  const run = await list()
  const { events } = await run.work()
  for (let kill = 1; kill <= 2; kill++) {
    await expect.poll(async () => (await run.keys('maps')).length, waiting).toBeGreaterThanOrEqual(kill)
    process.kill(unitPids(events).at(-1) ?? 0, 'SIGKILL')
    await expect.poll(() => unitPids(events).length, waiting).toBe(kill + 1)
  }
  await expect.poll(() => run.committed(), waiting).toBe(1)
  expect(events.filter(({ type }) => type === 'unit-died').length).toBe(2)
  expect(await run.results()).toEqual(quiet)
})

test('a unit that hangs is replaced and its shard computed', async () => {
  const run = await listMany()
  const { events } = await run.work({ unitSilenceMs: 6_000 })
  await expect.poll(async () => (await run.keys('maps')).length, waiting).toBeGreaterThanOrEqual(1)
  process.kill(unitPids(events).at(-1) ?? 0, 'SIGSTOP')
  await expect
    .poll(() => events.find(({ type }) => type === 'unit-died'), waiting)
    .toMatchObject({ why: expect.stringContaining('no sign of life for 6 s') as string })
  await expect.poll(() => run.committed(), waiting).toBe(1)
})

test('a unit leaves the signals of its process group to the supervisor', async () => {
  const run = await list()
  const { events } = await run.work()
  await expect.poll(async () => (await run.keys('maps')).length, waiting).toBeGreaterThanOrEqual(1)
  // Ctrl-C, a service manager's stop and a closed terminal reach it as well.
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.kill(unitPids(events).at(-1) ?? 0, signal)
  await expect.poll(() => run.committed(), waiting).toBe(1)
  expect(events.filter(({ type }) => type === 'unit-died')).toEqual([])
  expect(await run.results()).toEqual(quiet)
})

test('when the supervisor is killed its units go too, and another worker finishes the same bytes', async () => {
  const run = await list()
  const child = spawn(process.execPath, ['-e', supervisorProgram], {
    env: { ...process.env, OPTIONS: JSON.stringify({ ...run.options(), log: undefined }) },
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  onTestFinished(() => void child.kill('SIGKILL'))
  const [line] = (await once(child.stdout, 'data')) as [Buffer]
  const unit = Number(line.toString())
  await expect.poll(async () => (await run.keys('maps')).length, waiting).toBeGreaterThanOrEqual(1)
  child.kill('SIGKILL')
  await expect.poll(() => processRuns(unit), waiting).toBe(false)

  // As a producer does that finds shards missing; waiting for the lock to run out would take half a minute.
  await run.loseQueue()
  await run.enqueue()
  await run.work()
  await expect.poll(() => run.committed(), waiting).toBe(1)
  expect(await run.results()).toEqual(quiet)
})

const built = (module: string) => JSON.stringify(new URL(`../../dist/${module}`, import.meta.url).href)
// No --input-type: units would inherit it.
const supervisorProgram = `
  Promise.all([import(${built('worker/supervisor/supervisor.js')}), import(${built('base/telemetry.js')})]).then(
    ([{ startWorker }, { createLogger }]) =>
      startWorker({
        ...JSON.parse(process.env.OPTIONS),
        log: createLogger('silent'),
        onEvent: (event) => event.type === 'unit-started' && process.stdout.write(event.pid + '\\n'),
      }),
  )
`

test('drain hands the shard at work back, unharmed and first in line', async () => {
  const run = await listMany()
  const { worker, events } = await run.work()
  await expect.poll(async () => (await run.keys('maps')).length, waiting).toBeGreaterThanOrEqual(1)
  await worker.drain(0)
  const written = await run.keys('maps')
  const job = await run.job(0)
  expect(await job?.getState()).toBe('waiting')
  expect(job?.attemptsMade).toBe(0)
  expect(await run.committed()).toBe(0)
  expect(unitPids(events).some(processRuns)).toBe(false)
  expect(await run.keys('maps')).toEqual(written)
})

test('drain with grace finishes the shard at work and pulls no other', async () => {
  const run = await listMany(1)
  const { worker, events } = await run.work()
  await expect.poll(async () => (await run.keys('maps')).length, waiting).toBeGreaterThanOrEqual(1)
  await worker.drain(50_000)
  const done = events.filter(({ type }) => type === 'shard').length
  expect(await run.committed()).toBe(done)
  expect(done).toBeGreaterThanOrEqual(1)
  expect(done).toBeLessThan(many)
})

test('a place that is bad stops the pulling, and once it is well the run goes on without a lost attempt', async () => {
  const run = await list()
  const network = join(new URL(run.output.uri).pathname, layout.network(run.set.id, run.set.network.file))
  await rename(network, `${network}.away`)
  const { events } = await run.work({ times: { placeRetrying: { firstMs: 100, longestMs: 500 } } })
  await expect.poll(() => events.filter(({ type }) => type === 'place-fault').length, waiting).toBeGreaterThanOrEqual(2)
  expect(events.find(({ type }) => type === 'place-fault')).toMatchObject({ code: 'store-gone' })
  expect((await run.job(0))?.attemptsMade).toBe(0)
  await rename(`${network}.away`, network)
  await expect.poll(() => run.committed(), waiting).toBe(1)
})

test('a set.json of another version puts its run aside, but stops no pulling, and once it is mended the run goes on', async () => {
  const run = await list()
  await run.output.put(layout.set(run.set.id), '{"schema":99}')
  const { events } = await run.work({ times: { placeRetrying: { firstMs: 100, longestMs: 500 } } })
  const faults = () => events.filter(({ type }) => type === 'run-fault' || type === 'place-fault')
  await expect.poll(() => faults().length, waiting).toBeGreaterThanOrEqual(2)
  expect(faults()[0]).toMatchObject({ type: 'run-fault', code: 'bad-layout' })
  expect((await run.job(0))?.attemptsMade).toBe(0)
  await run.output.put(layout.set(run.set.id), JSON.stringify(run.set))
  await expect.poll(() => run.committed(), waiting).toBe(1)
  expect(faults().filter(({ type }) => type === 'place-fault')).toEqual([])
})

test('units that have no time to start are told of with the option that gives them more', async () => {
  const run = await list()
  await expect(run.work({ unitStartMs: 1 })).rejects.toMatchObject({
    name: 'PlaceError',
    message: expect.stringContaining('--unit-start-seconds') as string,
  })
})

test('an engine that cannot run here is said at once', async () => {
  const run = await list()
  await expect(run.work({ engine: 'abacus' })).rejects.toMatchObject({ name: 'InputError', code: 'bad-engine' })
})
