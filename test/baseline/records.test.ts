import { createHash } from 'node:crypto'
import { parquetMetadata } from 'hyparquet'
import { expect, test } from 'vitest'
import { FailureList } from '../../src/output/failureList.ts'
import { layout, refuseKey } from '../../src/output/layout.ts'
import { magnitudeBlock } from '../../src/output/magnitudeFile.ts'
import { automaticShardSize, partEntries, shardsOf, type ManifestEntry } from '../../src/output/manifest.ts'
import { retriedCodes } from '../../src/output/record.ts'
import { recordLines } from '../../src/output/recordFile.ts'
import { resultVersion } from '../../src/output/resultSet.ts'
import { newRunId } from '../../src/output/runs.ts'
import { tableColumns, tableRow } from '../../src/output/table.ts'
import { TableWriter } from '../../src/output/tableWriter.ts'
import { shardJobId, shardsQueue } from '../../src/queue/jobs.ts'
import { failedRecord, okRecord } from '../../src/worker/unit/makeRecord.ts'
import { frozen, frozenCases } from '../support/frozen.ts'
import { keptObject } from '../support/producerWorld.ts'
import { description, resultSet } from '../support/shard.ts'

// Records are bytes that earlier runs left, and the table is what people's programs read. Both may gain fields; what is
// there keeps its place, its name and its meaning.

const entry: ManifestEntry = {
  key: 'a/ü b.png',
  etag: 'e',
  sizeBytes: 1,
  fingerprint: 'abcdef0123456789',
  companions: [],
}
const shown = (scale: number) => ({
  map: new Uint8Array(),
  gradient: null,
  mean: Math.fround(0.1 * scale),
  std: Math.fround(0.2 * scale),
  maxAbs: Math.fround(0.7 * scale),
  magnitude: Float32Array.from({ length: 784 }, (_, i) => ((i % 29) + scale) / 11_000),
})
const explanation = {
  angles: { yaw: Math.fround(175.3), pitch: Math.fround(-4.7), roll: null },
  outputs: { yaw: Float32Array.of(0, 3, 0.25), pitch: Float32Array.of(-4.7) },
  objectives: { sum: shown(1), '-yaw': shown(2), 'yaw:bin:3': shown(3) },
}
const objectives = Object.keys(explanation.objectives)
const view = { imageWidth: 640, imageHeight: 480, crop: [80.5, 0, 560.25, 480] as const }
const truth = { pose: { yaw: -179, pitch: 2, roll: 1 }, box: null, subject: 's', sequence: null, frame: '0001' }
const options = { ...resultSet('file:///d/').options, objectives }

const records = {
  'with a label': okRecord(entry, truth, view, explanation, description, options),
  'without a label': okRecord(entry, { ...truth, pose: null }, view, explanation, description, options),
  'with logits and gradients': okRecord(entry, truth, view, explanation, description, {
    ...options,
    logits: true,
    gradients: 'float16',
  }),
  failed: failedRecord(entry, 'truncated-image', 'a "sentence", with commas'),
}

test.each(Object.entries(records))('the line of a record %s has the same bytes as ever', (name, record) => {
  const line = recordLines([record])
  expect(line).toBe(frozen('records.json', `line ${name}`, line))
})

test.each(Object.entries(records))('the row of a record %s has the same cells as ever', (name, record) => {
  const row = tableRow(record)
  expect(row).toMatchObject(frozen('records.json', `row ${name}`, row) as object)
})

test('small magnitude maps have the same bytes as ever', () => {
  const sha256 = createHash('sha256').update(magnitudeBlock(explanation, objectives)).digest('hex')
  expect(sha256).toBe(frozen('records.json', 'magnitude block', sha256))
})

test.each([true, false])('the table has its columns, in their order (logits: %s)', async (logits) => {
  const columns = tableColumns({ objectives, logits }).map(
    ({ name, kind, nullable }) => `${name}: ${kind}${nullable ? ' or null' : ''}`,
  )
  const held = frozen('records.json', `columns ${logits ? 'with' : 'without'} logits`, columns) as string[]
  // New ones may come between them.
  expect(columns.filter((column) => held.includes(column))).toEqual(held)

  const object = keptObject()
  const writer = new TableWriter(tableColumns({ objectives, logits }), [object])
  await writer.add(tableRow(records['with a label']))
  await writer.finish()
  const stored = parquetMetadata(Uint8Array.from(object.bytes()).buffer)
    .schema.slice(1)
    .map(({ name, type, converted_type, repetition_type }) => `${name}: ${type} ${converted_type} ${repetition_type}`)
  const storedBefore = frozen('records.json', `stored ${logits ? 'with' : 'without'} logits`, stored) as string[]
  expect(stored.filter((column) => storedBefore.includes(column))).toEqual(storedBefore)
})

test('every file lies where it lay', () => {
  const keys = {
    set: layout.set('S'),
    hold: layout.hold('S'),
    current: layout.current('S'),
    network: layout.network('S', 'model.pkl'),
    table: layout.table('S'),
    report: layout.report('S'),
    runs: layout.runs('S'),
    run: layout.run('S', 'R'),
    flags: layout.flags('S', 'R'),
    manifest: layout.manifest('S', 'R'),
    manifestPart: layout.manifestPart('S', 'R', 7),
    manifestDone: layout.manifestDone('S', 'R'),
    records: layout.records('S', 'R'),
    recordFile: layout.recordFile('S', 'R', 7, 256),
    magnitudeFile: layout.magnitudeFile('S', 'R', 7, 256),
    summary: layout.summary('S', 'R'),
    failures: layout.failures('S', 'R'),
    runTable: layout.runTable('S', 'R'),
    map: layout.map('yaw:bin:3', 'a/b.JPG'),
    mapOfPng: layout.map('-yaw', 'a/b.PNG'),
    gradient: layout.gradient('yaw:bin:3', 'a/b.png'),
    shardJob: shardJobId({ run: 'R', part: 7, offset: 256 }),
  }
  expect(keys).toMatchObject(frozen('records.json', 'layout', keys) as object)
})

test('a listing is cut into parts and shards as ever', () => {
  const sizes = [0, 1, 7, 8, 9, 63, 64, 65, 1_000, 10_000, partEntries]
  const cut = {
    partEntries,
    shardSizes: Object.fromEntries(sizes.map((count) => [count, automaticShardSize(count)])),
    shards: shardsOf({ part: 1, count: 10, shardSize: 4 }),
  }
  expect(cut).toEqual(frozen('records.json', 'cut', cut))
})

test('ids of runs sort and look as ever', () => {
  const id = newRunId(new Date('2026-11-24T17:00:00.123Z'), '4f9a1c')
  expect(id).toBe(frozen('records.json', 'run id', id))
})

test('the list of failures has the same bytes as ever', async () => {
  const object = keptObject()
  const failures = new FailureList(object)
  await failures.add({ key: 'a,"b".png', code: 'corrupt-image', message: 'it is "bad"' })
  await failures.add({ key: 'c.png', code: 'vanished', message: null })
  await failures.finish()
  const text = object.bytes().toString()
  expect(text).toBe(frozen('records.json', 'failures', text))
})

test('another result version goes with another queue: workers of this one would compute it in their own way', () => {
  const pair = { resultVersion, shardsQueue }
  expect(pair).toEqual(frozen('records.json', 'result version and queue', pair))
})

test('no case has been dropped', () => {
  const compared = [
    ...Object.keys(records).flatMap((name) => [`line ${name}`, `row ${name}`]),
    ...['with', 'without'].flatMap((how) => [`columns ${how} logits`, `stored ${how} logits`]),
    'magnitude block',
    'layout',
    'keys',
    'retried',
    'cut',
    'run id',
    'failures',
    'result version and queue',
  ]
  expect(compared).toEqual(expect.arrayContaining(Object.keys(frozenCases('records.json'))))
})

test('the same keys are refused, and the same failures tried again, as ever', () => {
  const judged = Object.fromEntries(
    [
      'a.png',
      'a/../b.png',
      'a/./b.png',
      '/a.png',
      'a//b.png',
      'a\\b.png',
      `${'x'.repeat(260)}.png`,
      'a\tb.png',
      'ü/😀.png',
    ].map((key) => [key, refuseKey(key) ?? 'taken']),
  )
  expect(judged).toEqual(frozen('records.json', 'keys', judged))
  expect([...retriedCodes]).toEqual(expect.arrayContaining(frozen('records.json', 'retried', [...retriedCodes]) as []))
})
