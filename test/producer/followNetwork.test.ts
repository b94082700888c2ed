import { copyFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from 'vitest'
import { createLogger } from '../../src/base/telemetry.ts'
import { readActivations } from '../../src/output/activations.ts'
import { layout } from '../../src/output/layout.ts'
import { readResultSet, resultSetIds, type ResultSet } from '../../src/output/resultSet.ts'
import { Schedules } from '../../src/producer/schedules.ts'
import { openQueue } from '../../src/queue/connection.ts'
import { runJobSchema, runsQueue, shardsQueue, type RunJob } from '../../src/queue/jobs.ts'
import { AllowedPlaces } from '../../src/storage/allowedPlaces.ts'
import { networkFile } from '../support/headlight.ts'
import { collected, serveRunsOf, startFakeWorker, World, type FakeWorker } from '../support/producerWorld.ts'
import { silent, startTestRedis } from '../support/redis.ts'
import { tinyOnnx } from '../support/tinyOnnx.ts'

let redis: Awaited<ReturnType<typeof startTestRedis>>
let world: World
let set: ResultSet
let schedules: Schedules
let worker: FakeWorker
let stop: AbortController
let serving: Promise<void>

beforeAll(async () => {
  redis = await startTestRedis()
})
afterAll(() => redis.stop())
beforeEach(async () => {
  world = await World.make(['a.jpg'])
  set = await world.prepare()
  schedules = await Schedules.open(redis.connection, silent)
  worker = startFakeWorker({ connection: redis.connection, queueName: shardsQueue, output: world.output, set })
  stop = new AbortController()
  await follow(file())
})
afterEach(async () => {
  await schedules.remove('nightly')
  stop.abort(new Error('stopped'))
  await serving
  await worker.stop()
  await schedules.close()
  await world.remove()
})

const file = () => join(world.folder, 'best.pkl')
const train = (name: string) => copyFile(networkFile.replace('tiny_hp.pkl', name), file())
const patiently = { timeout: 30_000 }

/** Schedules nights with a network that was prepared as `prepared`, and whatever came with it. */
function follow(network: string, prepared = set.id, given: Partial<RunJob['followNetwork']> = {}) {
  const job = { output: world.output.uri, set: prepared, full: false, shardSize: null }
  const followNetwork = { uri: pathToFileURL(network).href, ...given }
  return schedules.put({
    name: 'nightly',
    cron: '0 0 1 1 *',
    timeZone: 'UTC',
    job: runJobSchema.parse({ ...job, followNetwork }),
  })
}

/** The outcomes of all nights, after one more. */
async function night(count: number) {
  await schedules.runNow('nightly')
  const outcomes = async () => (await schedules.statuses())[0]?.outcomes.toReversed() ?? []
  await expect.poll(outcomes, patiently).toHaveLength(count)
  return (await outcomes()).at(-1)
}
const sets = () => collected(resultSetIds(world.output))

it('a retrained network is a result set of its own; one that is gone or broken fails that night alone', async () => {
  const failures: unknown[] = []
  const log = createLogger('warn', { write: (line) => void failures.push(JSON.parse(line)) })
  serving = serveRunsOf(world, redis.connection, stop.signal, { log })
  await train('tiny_hp.pkl')
  expect(await night(1)).toMatchObject({ outcome: 'completed' })
  const [first = ''] = (await sets()).filter((id) => id !== set.id)
  expect(await world.rows({ ...set, id: first })).toHaveLength(1)
  expect(await readActivations(world.output, first, 'best.pkl')).toEqual([{ kind: 'relu', count: 21, guided: 21 }])
  expect((await schedules.statuses())[0]?.outcomes[0]).toMatchObject({ outcome: 'completed', set: first })
  expect(await readResultSet(world.output, first)).toMatchObject({ dataset: set.dataset, options: set.options })

  await world.addImage('b.jpg')
  expect(await night(2)).toMatchObject({ outcome: 'completed' })
  expect(await sets()).toHaveLength(2)
  expect(await world.rows({ ...set, id: first })).toHaveLength(2)

  await train('tiny_hp_fp16.pkl')
  expect(await night(3)).toMatchObject({ outcome: 'completed' })
  const [second = ''] = (await sets()).filter((id) => id !== set.id && id !== first)
  expect(await world.rows({ ...set, id: second })).toHaveLength(2)
  const network = await world.output.get(layout.network(second, 'best.pkl'))
  expect(network?.info.sizeBytes).toBeGreaterThan(0)

  await rm(file())
  expect(await night(4)).toMatchObject({ outcome: 'failed', message: `the network file ${file()} does not exist` })
  expect((await schedules.statuses())[0]?.outcomes[0]).not.toHaveProperty('set')
  await copyFile(join(world.folder, 'dataset', 'a.jpg'), file())
  expect(await night(5)).toMatchObject({ outcome: 'failed', message: expect.stringContaining('best.pkl') as string })

  await train('tiny_hp.pkl')
  expect(await night(6)).toMatchObject({ outcome: 'completed' })
  expect(await sets()).toHaveLength(3)
  const failed = { level: 'error', schedule: 'nightly', resultSet: set.id }
  expect(failures).toMatchObject([
    {
      ...failed,
      code: 'bad-option',
      msg: `schedule nightly: this time failed: the network file ${file()} does not exist`,
    },
    { ...failed, code: 'bad-checkpoint', msg: expect.stringContaining('best.pkl') as string },
  ])
  // Prepared with the schedule, never asked for.
  expect(await world.rows(set)).toEqual([])
})

it('weights that were trained anew in a second file are a result set of their own, under an unchanged graph', async () => {
  const onnx = join(world.folder, 'best.onnx')
  const trainSecond = async (seed: number) => {
    const { bytes, data } = tinyOnnx({ seed, externalData: 'best.onnx.data' })
    await writeFile(onnx, bytes)
    await writeFile(`${onnx}.data`, data)
  }
  serving = serveRunsOf(world, redis.connection, stop.signal)
  await trainSecond(1)
  await follow(onnx)
  expect(await night(1)).toMatchObject({ outcome: 'completed' })
  const [first = ''] = (await sets()).filter((id) => id !== set.id)

  await follow(onnx, first)
  await trainSecond(2)
  expect(await night(2)).toMatchObject({ outcome: 'completed' })
  const [second = ''] = (await sets()).filter((id) => id !== set.id && id !== first)
  expect((await schedules.statuses())[0]?.outcomes[0]).toMatchObject({ set: second })
  const networks = await Promise.all(
    [first, second].map(async (id) => (await readResultSet(world.output, id))?.network),
  )
  expect(networks[0]?.digest).toBe(networks[1]?.digest)
  expect(networks[0]?.externalData).toMatchObject({ file: 'best.onnx.data' })

  await trainSecond(1)
  expect(await night(3)).toMatchObject({ outcome: 'completed' })
  expect(await sets()).toHaveLength(3)
})

it('a description that was given with the schedule goes with it, and comes before the one beside the network', async () => {
  await follow(file(), set.id, { described: { name: 'own.yaml', override: { input: { range: 255 } } } })
  serving = serveRunsOf(world, redis.connection, stop.signal)
  await train('tiny_hp_fp16.pkl')
  await writeFile(`${file()}.yaml`, 'input: { range: 2 }\n')
  expect(await night(1)).toMatchObject({ outcome: 'completed' })
  const [followed = ''] = (await sets()).filter((id) => id !== set.id)
  expect(await readResultSet(world.output, followed)).toMatchObject({
    network: { description: { input: { range: 255 } } },
  })
})

it('log lines and progress of a night name the result set that it works on, not the one of the schedule', async () => {
  const lines: { run?: string; resultSet?: string }[] = []
  const log = createLogger('info', { write: (line) => void lines.push(JSON.parse(line) as (typeof lines)[0]) })
  const told = new Set<string>()
  const ended: string[] = []
  serving = serveRunsOf(world, redis.connection, stop.signal, {
    log,
    onProgress: ({ set: id }) => told.add(id),
    onEvent: (event) => event.type === 'run-ended' && ended.push(event.job.set),
  })
  await train('tiny_hp_fp16.pkl')
  expect(await night(1)).toMatchObject({ outcome: 'completed' })
  const [followed = ''] = (await sets()).filter((id) => id !== set.id)
  await expect.poll(() => ended, patiently).toEqual([followed])
  expect([...told]).toEqual([followed])
  const ofRun = lines.filter(({ run }) => run !== undefined)
  expect(ofRun.length).toBeGreaterThan(0)
  expect(ofRun.filter(({ resultSet }) => resultSet !== followed)).toEqual([])
})

it('a run that is handed back goes on with the network that it began with', async () => {
  await worker.stop()
  await train('tiny_hp.pkl')
  serving = serveRunsOf(world, redis.connection, stop.signal)
  await schedules.runNow('nightly')
  await expect.poll(async () => (await sets()).length, patiently).toBe(2)
  const [begun = ''] = (await sets()).filter((id) => id !== set.id)
  await expect.poll(async () => (await world.output.head(layout.hold(begun))) !== undefined, patiently).toBe(true)
  stop.abort(new Error('stopped'))
  await serving
  const queue = openQueue<RunJob, unknown>(redis.connection, runsQueue, silent)
  const jobs = await queue.getJobs(['waiting', 'delayed', 'prioritized'])
  await queue.close()
  expect(jobs.map(({ data }) => [data.set, data.followNetwork])).toContainEqual([begun, undefined])

  await train('tiny_hp_fp16.pkl')
  worker = startFakeWorker({ connection: redis.connection, queueName: shardsQueue, output: world.output, set })
  stop = new AbortController()
  serving = serveRunsOf(world, redis.connection, stop.signal)
  await expect.poll(async () => (await world.rows({ ...set, id: begun })).length, patiently).toBe(1)
  expect(await sets()).toHaveLength(2)
})

it('a network that this producer may not read is not read', async () => {
  const allowed = new AllowedPlaces(['s3://models/'])
  let read = 0
  serving = serveRunsOf(world, redis.connection, stop.signal, {
    readNetwork: ({ uri }) => {
      allowed.require({ what: 'network', uri }, undefined)
      read++
      return Promise.reject(new Error('it was read'))
    },
    onEvent: (event) => event.type === 'refused' && refused.push(event.message),
  })
  const refused: string[] = []
  await schedules.runNow('nightly')
  await expect.poll(() => refused, patiently).toEqual([expect.stringMatching(/^the network .* lies outside/)])
  expect(read).toBe(0)
  const queue = openQueue<RunJob, unknown>(redis.connection, runsQueue, silent)
  for (const job of await queue.getDelayed()) if (job.repeatJobKey === undefined) await job.remove()
  await queue.close()
})
