import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import type { Job } from 'bullmq'
import { Redis } from 'ioredis'
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest'
import { currentRun } from '../../src/output/current.ts'
import { readFlags } from '../../src/output/flags.ts'
import { Hold, liveHold, type HoldFile } from '../../src/output/hold.ts'
import { getJson } from '../../src/output/jsonObject.ts'
import { layout } from '../../src/output/layout.ts'
import { Manifest, type ManifestEntry, type ManifestHeader } from '../../src/output/manifest.ts'
import type { Record as SampleRecord } from '../../src/output/record.ts'
import { latestRun, type Run } from '../../src/output/runs.ts'
import { summarySchema, type Summary } from '../../src/output/summary.ts'
import { readTable, tableColumns, tableRow, type Column, type TableRow } from '../../src/output/table.ts'
import { TableWriter } from '../../src/output/tableWriter.ts'
import { Schedules } from '../../src/producer/schedules.ts'
import { serveRunsQueue } from '../../src/producer/serveQueue.ts'
import { ShardQueue } from '../../src/producer/shardQueue.ts'
import { StateCursor } from '../../src/producer/stateCursor.ts'
import { mergeState } from '../../src/producer/stateMerge.ts'
import { openQueue, openWorker } from '../../src/queue/connection.ts'
import { heartbeatExpiryMs, heartbeatKey, workersKey, type Heartbeat } from '../../src/queue/heartbeat.ts'
import { runsQueue, shardProgressSchema, type RunJob, type ShardJob, type ShardResult } from '../../src/queue/jobs.ts'
import { scheduleOutcomesKey, schedulesKey, type Schedule, type ScheduleOutcome } from '../../src/queue/schedule.ts'
import { workerStatuses } from '../../src/queue/workerStatus.ts'
import { storedDescription } from '../../src/saliency/networks/description.ts'
import { openStore } from '../../src/storage/open.ts'
import type { Store } from '../../src/storage/store.ts'
import { ShardJobs, type ShardJobsOptions } from '../../src/worker/supervisor/shardJobs.ts'
import { WorkedRuns } from '../../src/worker/supervisor/workedRuns.ts'
import { ManifestSlices } from '../../src/worker/unit/manifestSlices.ts'
import { collected, keptObject, noPatience, recordOf } from '../support/producerWorld.ts'
import { silent, startTestRedis } from '../support/redis.ts'
import { resultSet } from '../support/shard.ts'

// What this version does with a field that a newer one has added. Where a field may decide a result, or who may write,
// it is refused: else it would be computed without what the other side asked for. What is only there to be looked at is
// read without it. So whoever adds a field to a kind that refuses makes older versions stop at it, and must say so.

/**
 * - `bad-layout`, `bad-description`: an InputError that tells people to take the version that wrote it
 * - `ZodError`: refused as well, by whoever parses it; a job is not done by this version then
 * - `dropped`: read without it
 * - `passed over`: that one is left alone, as if it were not there; the others are read
 */
type Fate = 'bad-layout' | 'bad-description' | 'ZodError' | 'dropped' | 'passed over'

interface Kind {
  readonly valid: object
  /** Where the unknown field is put; at the top unless it says otherwise. */
  readonly within?: readonly (string | number)[]
  /** Puts the value where others would have put it, and reads it as headlight does. */
  readonly read: (value: object) => Promise<unknown>
  readonly fate: Fate
}

let redis: Awaited<ReturnType<typeof startTestRedis>>
let client: Redis
let folder = ''
let output: Store

beforeAll(async () => {
  redis = await startTestRedis()
  client = new Redis(redis.connection.redis.path ?? '')
  folder = await mkdtemp(join(tmpdir(), 'headlight-unknown-'))
  output = openStore(join(folder, 'out'))
  await Promise.all([output.check('write'), openStore(dataset()).check('write')])
})
afterAll(async () => {
  client.disconnect()
  output.close()
  await redis.stop()
  await rm(folder, { recursive: true, force: true })
})

const dataset = () => join(folder, 'images')
const at = '2026-01-01T00:00:00Z'
const run = 'run-1'
const set = resultSet('file:///replaced/')

const put = (key: string, value: object) => output.put(key, JSON.stringify(value))

const runFile: Run = {
  schema: 1,
  run,
  state: 'completed',
  base: null,
  full: false,
  retry: { code: null },
  startedAt: at,
  closedAt: at,
  counts: { total: 1, computed: 1, unchanged: 0, failed: 0, gone: 0 },
}
const summary: Summary = {
  run,
  output: 'file:///out/set/',
  state: 'completed',
  counts: { total: 1, computed: 1, unchanged: 0, failed: 0, gone: 0 },
  mae: null,
  errors: null,
  failures: {},
  imagesPerSecond: null,
  engine: [],
  mapCorrelations: {},
  startedAt: at,
  closedAt: at,
  headlightVersion: '0.0.0',
}
const hold: HoldFile = { run, host: 'elsewhere', bootId: 'boot', pid: 1, processStart: '1', heartbeatAt: at }
const entry: ManifestEntry = {
  key: 'a.png',
  etag: 'e',
  sizeBytes: 1,
  fingerprint: '0123456789abcdef',
  companions: [{ key: 'a.txt', etag: 'f' }],
  truth: { pose: { yaw: 1, pitch: 2, roll: 3 }, box: null, subject: null, sequence: null, frame: null },
}
const header: ManifestHeader = { schema: 1, part: 0, through: 'a.png', count: 1, shardSize: 1, unchanged: 0, gone: [] }
const record = recordOf(entry, set.options.objectives)
const failedRecord: SampleRecord = { ...recordOf({ ...entry, key: 'broken' }, []), key: entry.key }
const shardJob: ShardJob = { run, output: 'file:///out/', set: set.id, part: 0, offset: 0, count: 1 }
const suspicion = { deaths: 1, current: null, alone: {} }
const runJob: RunJob = { output: 'file:///out/', set: set.id, full: false, prune: false, shardSize: null }
const schedule: Schedule = {
  schema: 1,
  name: 'nightly',
  cron: '0 3 1 1 *',
  timeZone: 'UTC',
  job: runJob,
  paused: true,
}
const scheduleOutcome: ScheduleOutcome = { at, outcome: 'completed', run, message: null }
const heartbeat: Heartbeat = {
  host: 'newer',
  pid: 1,
  version: '9.0.0',
  engine: 'onnxruntime:cpu',
  device: 'cpu',
  state: 'working',
  fault: null,
  units: 1,
  computed: 0,
  failed: 0,
  imagesPerSecond: 0,
  startedAt: at,
}

const readSet = async (value: object) => {
  await put(layout.set(set.id), { ...value, dataset: { ...dataOf(value), uri: openStore(dataset()).uri } })
  const runs = new WorkedRuns({ dataset: null, output: null }, silent)
  try {
    const { set: found } = await runs.of({ ...shardJob, output: output.uri })
    // As a unit does before its first image.
    storedDescription(found.network.description)
    return { ...found, dataset: { ...found.dataset, uri: set.dataset.uri } }
  } finally {
    runs.close()
  }
}
const dataOf = (value: object) => (value as typeof set).dataset

const readRun = async (value: object) => {
  await put(layout.run(set.id, run), value)
  return latestRun(output, set.id)
}
const readSummary = async (value: object) => {
  await put(layout.summary(set.id, run), value)
  return (await getJson(output, layout.summary(set.id, run), summarySchema))?.value
}
const putPart = (...lines: object[]) =>
  output.put(layout.manifestPart(set.id, run, 0), gzipSync(lines.map((line) => `${JSON.stringify(line)}\n`).join('')))
const asProducer = async () => {
  const [part] = await collected(new Manifest(output, set.id, run).parts())
  return { header: part?.header, entry: part?.entries()[0] }
}
const asWorker = async () => (await new ManifestSlices().read(output, shardJob))[0]

const readRecord = async (value: object) => {
  await putPart(header, entry)
  await output.put(layout.recordFile(set.id, run, 0, 0), `${JSON.stringify(value)}\n`)
  const [merged] = await collected(
    mergeState({
      output,
      set: set.id,
      run,
      manifest: new Manifest(output, set.id, run),
      state: new StateCursor((async function* () {})()),
      mayLack: false,
      objectives: [],
      log: silent,
    }),
  )
  expect(merged?.row).toEqual(tableRow(value as SampleRecord))
  return value
}

const readShardJob = async (value: object) => {
  const pulled: ShardJob[] = []
  const jobs = new ShardJobs({
    runs: { of: (job: ShardJob) => Promise.reject(pulled.push(job)) },
    log: silent,
    isPulling: () => true,
    pool: {},
    runFaults: { asideMs: () => 0 },
  } as unknown as ShardJobsOptions)
  try {
    await jobs.process({ id: 'shard', data: value } as Job<ShardJob, ShardResult>, 'token')
  } catch (error) {
    if (pulled.length === 0) throw error
  } finally {
    jobs.close()
  }
  return pulled[0]
}

const readSchedules = async (schedules: object, outcome: object = scheduleOutcome) => {
  await client.hset(schedulesKey, schedule.name, JSON.stringify(schedules))
  await client.del(scheduleOutcomesKey(schedule.name))
  await client.lpush(scheduleOutcomesKey(schedule.name), JSON.stringify(outcome))
  const reader = await Schedules.open(redis.connection, silent)
  try {
    return (await reader.statuses())[0]
  } finally {
    await reader.close()
    await client.del(schedulesKey)
  }
}

const readHeartbeat = async (value: object) => {
  await client.set(heartbeatKey('newer'), JSON.stringify(value), 'PX', heartbeatExpiryMs)
  await client.sadd(workersKey, 'newer')
  const [found] = await workerStatuses(redis.connection, silent)
  // Which Redis tells, not the worker.
  const { lastSignSecondsAgo: _, ...said } = found ?? { lastSignSecondsAgo: NaN }
  return said
}

const kinds: Record<string, Kind> = {
  'shard job': { valid: { ...shardJob, suspicion }, read: readShardJob, fate: 'ZodError' },
  'shard job, what is known of deaths': {
    valid: { ...shardJob, suspicion },
    within: ['suspicion'],
    read: readShardJob,
    fate: 'ZodError',
  },
  'shard progress': {
    valid: { computed: 1, failed: 0 },
    read: async (value) => shardProgressSchema.parse(value),
    fate: 'ZodError',
  },
  schedule: {
    valid: schedule,
    read: async (value) => (await readSchedules(value))?.schedule,
    fate: 'passed over',
  },
  'schedule, its job': {
    valid: schedule,
    within: ['job'],
    read: async (value) => (await readSchedules(value))?.schedule,
    fate: 'passed over',
  },
  'outcome of a schedule': {
    valid: scheduleOutcome,
    read: async (value) => (await readSchedules(schedule, value))?.outcomes[0],
    fate: 'passed over',
  },
  heartbeat: { valid: heartbeat, read: readHeartbeat, fate: 'dropped' },

  'set.json': { valid: set, read: readSet, fate: 'bad-layout' },
  'set.json, an option': { valid: set, within: ['options'], read: readSet, fate: 'bad-layout' },
  'set.json, an option of the adapter': {
    valid: set,
    within: ['options', 'adapter'],
    read: readSet,
    fate: 'bad-layout',
  },
  'set.json, of the dataset': { valid: set, within: ['dataset'], read: readSet, fate: 'bad-layout' },
  'set.json, of the network': { valid: set, within: ['network'], read: readSet, fate: 'bad-layout' },
  // The description is the business of saliency/, so that only a unit refuses it.
  'set.json, of the description': {
    valid: set,
    within: ['network', 'description'],
    read: readSet,
    fate: 'bad-description',
  },
  'set.json, of the description’s input': {
    valid: set,
    within: ['network', 'description', 'input'],
    read: readSet,
    fate: 'bad-description',
  },
  'set.json, of a head': {
    valid: set,
    within: ['network', 'description', 'heads', 0],
    read: readSet,
    fate: 'bad-description',
  },

  'run.json': { valid: runFile, read: readRun, fate: 'bad-layout' },
  'run.json, of the retry': { valid: runFile, within: ['retry'], read: readRun, fate: 'bad-layout' },
  'run.json, a count': { valid: runFile, within: ['counts'], read: readRun, fate: 'bad-layout' },
  'flags.json, as a producer reads it': {
    valid: { paused: true, cancelled: false },
    read: async (value) => {
      await put(layout.flags(set.id, run), value)
      return readFlags(output, set.id, run)
    },
    fate: 'bad-layout',
  },
  'lock.json, of who looks': {
    valid: { ...hold, heartbeatAt: '2999-01-01T00:00:00Z' },
    read: async (value) => {
      await put(layout.hold(set.id), value)
      return (await liveHold(output, set.id, new Date()))?.hold
    },
    fate: 'bad-layout',
  },
  'current.json': {
    valid: { run, publishedAt: at },
    read: async (value) => {
      await put(layout.current(set.id), value)
      expect(await currentRun(output, set.id)).toBe(run)
      return value
    },
    fate: 'bad-layout',
  },
  'summary.json': { valid: summary, read: readSummary, fate: 'dropped' },
  'left-out.json': {
    valid: { schema: 1, parts: [{ part: 0, leftOut: { name: { count: 1, example: 'a.jpg' } } }] },
    read: async (value) => {
      await put(layout.leftOut(set.id, run), value)
      const parts = await new Manifest(output, set.id, run).leftOut()
      return { schema: 1, parts }
    },
    fate: 'dropped',
  },
  'summary.json, a count': { valid: summary, within: ['counts'], read: readSummary, fate: 'bad-layout' },

  'manifest header, as a producer reads it': {
    valid: header,
    read: async (value) => (await putPart(value, entry), (await asProducer()).header),
    fate: 'bad-layout',
  },
  'manifest header, as a worker reads it': {
    valid: header,
    read: async (value) => (await putPart(value, entry), await asWorker(), value),
    fate: 'bad-layout',
  },
  'manifest entry, as a producer reads it': {
    valid: entry,
    read: async (value) => (await putPart(header, value), (await asProducer()).entry),
    fate: 'bad-layout',
  },
  'manifest entry, as a worker reads it': {
    valid: entry,
    read: async (value) => (await putPart(header, value), asWorker()),
    fate: 'bad-layout',
  },
  'manifest entry, what is known of the sample': {
    valid: entry,
    within: ['truth'],
    read: async (value) => (await putPart(header, value), asWorker()),
    fate: 'bad-layout',
  },
  'manifest entry, a companion': {
    valid: entry,
    within: ['companions', 0],
    read: async (value) => (await putPart(header, value), asWorker()),
    fate: 'bad-layout',
  },
  'end of the manifest': {
    valid: { parts: 1, toCompute: 1, unchanged: 0, gone: 0 },
    read: async (value) => {
      await put(layout.manifestDone(set.id, run), value)
      return new Manifest(output, set.id, run).done()
    },
    fate: 'bad-layout',
  },
  record: { valid: record, read: readRecord, fate: 'bad-layout' },
  'record, of an objective': { valid: record, within: ['objectives', 'sum'], read: readRecord, fate: 'bad-layout' },
  'record, of a binned head': { valid: record, within: ['bins', 'yaw'], read: readRecord, fate: 'bad-layout' },
  'record of a failure': { valid: failedRecord, read: readRecord, fate: 'bad-layout' },
}

test.each(Object.entries(kinds))('%s: is read without the unknown field', async (_name, { valid, read }) => {
  expect(await read(valid)).toEqual(valid)
})

test.each(Object.entries(kinds))('%s: with a field that this version does not know', async (_name, kind) => {
  const { valid, within = [], read, fate } = kind
  const changed = withUnknown(valid, within)
  if (fate === 'dropped') expect(await read(changed)).toEqual(valid)
  else if (fate === 'passed over') expect(await read(changed)).toBe(undefined)
  else await expect(read(changed)).rejects.toMatchObject(refusals[fate])
})

const unrecognised = { name: 'ZodError', issues: [{ code: 'unrecognized_keys', keys: ['somethingNew'] }] }
const refusedAs = (code: string) => ({
  name: 'InputError',
  code,
  message: expect.stringContaining('the version that wrote it') as string,
  cause: unrecognised,
})
const refusals = {
  'bad-layout': refusedAs('bad-layout'),
  'bad-description': refusedAs('bad-description'),
  ZodError: unrecognised,
}

function withUnknown(value: object, within: readonly (string | number)[]): object {
  const changed = structuredClone(value)
  let inner = changed as Record<string | number, unknown>
  for (const name of within) inner = inner[name] as Record<string | number, unknown>
  inner['somethingNew'] = 1
  return changed
}

describe('what follows from it', () => {
  test('a run that asks for something unknown is left to newer producers until its attempts are over, its output unseen', async () => {
    const queue = openQueue(redis.connection, runsQueue, silent)
    const job = await queue.add('run', { ...runJob, somethingNew: 1 }, { attempts: 10 })
    const opened: RunJob[] = []
    const stop = new AbortController()
    const serving = serveRunsQueue({
      connection: redis.connection,
      queueName: 'shards',
      openOutput: (asked) => {
        opened.push(asked)
        return output
      },
      openDataset: () => output,
      readNetwork: () => Promise.reject(new Error('no network is asked for')),
      headlightVersion: '0.0.0',
      signal: stop.signal,
      onProgress: () => undefined,
      log: silent,
    })
    await expect.poll(() => job.getState()).toBe('failed')
    expect((await queue.getJob(job.id ?? ''))?.attemptsMade).toBe(10)
    expect((await queue.getJob(job.id ?? ''))?.failedReason).toMatch(/is no run: .*somethingNew/s)
    expect(opened).toEqual([])
    stop.abort()
    await serving
    await queue.close()
  })

  test('a shard’s result that says more is not counted; the record file is what counts', async () => {
    const plain = { outcome: 'computed', computed: 1, failed: 0, engine: 'e', host: 'h', unit: 'u' } as const
    const heard: number[] = []
    const listeners = {
      onResult: ({ part }: { part: number }) => void heard.push(part),
      onProgress: () => undefined,
      onFailed: () => undefined,
    }
    const { connection } = redis
    const shards = new ShardQueue({ connection, queueName: 'told', job: shardJob, listeners, log: silent })
    const worker = openWorker<ShardJob, ShardResult>(
      connection,
      'told',
      async ({ data }) => ({ ...plain, wallMs: 1, engineMs: 1, ...(data.part % 2 === 1 ? { somethingNew: 1 } : {}) }),
      {},
      silent,
    )
    // The first may end before anybody listens. Between two that are heard there was one that was not.
    let part = 0
    const addTwo = () => shards.add([part++, part++].map((next) => ({ part: next, offset: 0, count: 1 })))
    await expect.poll(async () => (await addTwo(), heard.length)).toBeGreaterThanOrEqual(2)
    expect(heard.filter((one) => one % 2 === 1)).toEqual([])
    await worker.close()
    await shards.close()
  })

  test('a hold that says more is not taken over, however old it is', async () => {
    const { signal } = new AbortController()
    const onWait = () => undefined
    await put(layout.hold(set.id), { ...hold, somethingNew: 1 })
    const taking = Hold.take({ output, set: set.id, signal, patience: noPatience, onWait, log: silent })
    await expect(taking).rejects.toMatchObject(refusals['bad-layout'])
  })

  test('a worker takes flags that say more for unreadable, and those that it read last hold', async () => {
    await put(layout.set(set.id), { ...set, dataset: { uri: openStore(dataset()).uri, endpoint: null } })
    const runs = new WorkedRuns({ dataset: null, output: null }, silent)
    onTestFinished(() => runs.close())
    const worked = await runs.of({ ...shardJob, output: output.uri })
    const flags = async (said: object) => {
      await put(layout.flags(set.id, run), said)
      return worked.flags(0)
    }
    expect(await flags({ paused: false, cancelled: true, somethingNew: 1 })).toEqual({
      paused: false,
      cancelled: false,
    })
    expect(await flags({ paused: true, cancelled: false })).toEqual({ paused: true, cancelled: false })
    expect(await flags({ paused: false, cancelled: true, somethingNew: 1 })).toEqual({ paused: true, cancelled: false })
  })

  test('a column that a newer table has is read on request, and not written again', async () => {
    const columns = tableColumns(set.options)
    const row = tableRow(record)
    const newer = await tableOf([...columns, { name: 'somethingNew', kind: 'double', nullable: true }], {
      ...row,
      somethingNew: 1,
    })
    const [all] = await collected(readTable(newer))
    expect(all).toMatchObject({ key: row.key, somethingNew: 1 })
    expect(await collected(readTable(newer, ['key']))).toEqual([{ key: row.key }])
    // As a run merges the state before into its own table.
    const [again] = await collected(readTable(await tableOf(columns, all ?? row)))
    // Derived columns come with the writing.
    expect(again).toMatchObject(row)
    // And a column of this version that an older table lacks is null.
    expect(await collected(readTable(newer, ['key', 'yetNewer']))).toEqual([{ key: row.key, yetNewer: null }])
  })
})

async function tableOf(columns: readonly Column[], row: TableRow): Promise<Buffer> {
  const object = keptObject()
  const writer = new TableWriter(columns, [object])
  await writer.add(row)
  await writer.finish()
  return object.bytes()
}
