import { afterEach, beforeEach, expect, it } from 'vitest'
import { layout } from '../../src/output/layout.ts'
import type { Record as SampleRecord } from '../../src/output/record.ts'
import { committedShards, readRecordFile, recordLines } from '../../src/output/recordFile.ts'
import { collected, recordOf, World } from '../support/producerWorld.ts'

let world: World
beforeEach(async () => {
  world = await World.make()
})
afterEach(() => world.remove())

const records: SampleRecord[] = ['a.png', 'broken.png'].map((key) =>
  recordOf({ key, etag: 'e', sizeBytes: 1, fingerprint: 'abcdef0123456789', companions: [] }, ['yaw']),
)
const shard = { part: 1, offset: 256 }
const putFile = (text: string) => world.output.put(layout.recordFile('set', 'run', shard.part, shard.offset), text)
const read = () => readRecordFile(world.output, 'set', 'run', shard)

it('a record file is read as it was written', async () => {
  expect(await read()).toBeUndefined()
  await putFile(recordLines(records))
  const found = await read()
  expect(found?.count).toBe(2)
  expect([...(found?.records() ?? [])]).toEqual(records)
})

it('a line that is no record is refused when it is come to', async () => {
  await putFile(`${recordLines(records.slice(0, 1))}{"status":"odd"}\n`)
  const found = await read()
  expect(found?.count).toBe(2)
  const each = found?.records()
  expect(each?.next().value).toEqual(records[0])
  expect(() => each?.next()).toThrow(/^line 2 of file:.*\.jsonl is not what this version/)
})

it('the shards that are committed are those with a record file', async () => {
  for (const [part, offset] of [
    [0, 0],
    [1, 256],
    [0, 8],
  ] as const)
    await world.output.put(layout.recordFile('set', 'run', part, offset), '')
  await world.output.put(layout.magnitudeFile('set', 'run', 2, 0), '')
  expect(await collected(committedShards(world.output, 'set', 'run'))).toEqual([
    { part: 0, offset: 0 },
    { part: 0, offset: 8 },
    { part: 1, offset: 256 },
  ])
})
