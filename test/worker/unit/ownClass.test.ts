import { expect, test } from 'vitest'
import { recordSchema } from '../../../src/output/record.ts'
import { tableColumns, tableRow } from '../../../src/output/table.ts'
import { computeShard } from '../../../src/worker/unit/pipeline.ts'
import { description, newShard, type Shard } from '../../support/shard.ts'

// The objective class:label: each image's own class goes to the engine, and an image without one fails alone. Of it and
// class:top records tell the likeliest class.

const adapter = { name: 'csv' as const, applyExifOrientation: false, index: 'i.csv', columns: { class: 'category' } }
const classified = {
  ...description,
  heads: [...description.heads, { kind: 'classes' as const, output: 'fc', classes: 4 }],
}

/** Images with these classes, as a manifest holds them, and what the engine was given for each. */
async function computed(objectives: string[], classes: readonly (number | string | undefined)[], batch = 2) {
  const shard = await newShard({ batch, set: { objectives, adapter } })
  for (const [index, given] of classes.entries()) await listed(shard, `${index}.png`, given)
  const asked: [images: number, classes: readonly number[] | undefined][] = []
  shard.engine.corrupt = (explanation) => ({ ...explanation, outputs: { classes: Float32Array.of(1, 3, 2, 3) } })
  const engine = {
    engine: 'fake',
    batch,
    explain: (images: readonly Uint8Array[], own?: readonly number[]) => {
      asked.push([images.length, own])
      return shard.engine.explain(images)
    },
  }
  await computeShard({ ...shard.work, description: classified, engine: async () => engine })
  return { asked, records: await shard.records() }
}

async function listed(shard: Shard, key: string, given: number | string | undefined): Promise<void> {
  const fields = { pose: null, box: null, subject: null, sequence: null, frame: null }
  await shard.image(key, 1)
  const entry = (await shard.work.entries()).at(-1)
  Object.assign(entry ?? {}, { truth: { ...fields, ...(given === undefined ? {} : { class: given }) } })
}

test('images go to the engine with their classes, the others become failed records', async () => {
  const { asked, records } = await computed(['class:label'], [3, undefined, 0, 'cat', 4, 2])
  expect(asked).toEqual([
    [2, [3, 0]],
    [1, [2]],
  ])
  expect(records.map((record) => (record.status === 'ok' ? record.class : record.code))).toEqual([
    3,
    'bad-label',
    0,
    'bad-label',
    'bad-label',
    2,
  ])
  expect(records[4]).toMatchObject({
    message: expect.stringContaining('class 4, which the network does not') as string,
  })
  for (const record of records) expect(recordSchema.parse(record)).toEqual(record)
})

test('where no objective reads classes, none is asked for, and the record alone says what the index does', async () => {
  const { asked, records } = await computed(['class:1'], [3, undefined, 'cat', 17])
  expect(asked).toEqual([
    [2, undefined],
    [2, undefined],
  ])
  expect(records.map((record) => record.status === 'ok' && record.class)).toEqual([3, undefined, undefined, 17])
  expect(records[1]).not.toHaveProperty('class')
})

test('the table has a column of classes where an objective reads them, and nowhere else', async () => {
  const names = (objectives: string[]) => tableColumns({ objectives, logits: false }).map(({ name }) => name)
  expect(names(['class:1', '-class:label'])).toContain('class')
  expect(names(['class:1'])).not.toContain('class')
  const { records } = await computed(['class:label'], [2])
  expect(tableRow(records[0]!)).toMatchObject({ class: 2, mapClassLabel: 'maps/class-label/0.png' })
})

test.each(['class:top', '-class:top', 'class:label'])(
  '%s: record and table tell the likeliest class',
  async (objective) => {
    const { records } = await computed([objective], [2])
    // Of two as likely the first.
    const probability = Math.exp(3) / (Math.exp(1) + 2 * Math.exp(3) + Math.exp(2))
    const told = { topClass: 1, topClassProbability: expect.closeTo(probability, 7) as number }
    expect(records[0]).toMatchObject(told)
    expect(recordSchema.parse(records[0])).toEqual(records[0])
    expect(tableRow(records[0]!)).toMatchObject(told)
    expect(tableColumns({ objectives: [objective], logits: false }).map(({ name }) => name)).toEqual(
      expect.arrayContaining(['topClass', 'topClassProbability']),
    )
  },
)

test('other objectives leave records and table as earlier versions wrote them', async () => {
  const objectives = ['class:1', 'output:2']
  const { records } = await computed(objectives, [2])
  expect(Object.keys(records[0]!).join()).not.toContain('topClass')
  expect(Object.keys(tableRow(records[0]!)).join()).not.toContain('topClass')
  expect(tableColumns({ objectives, logits: false }).map(({ name }) => name)).not.toContain('topClass')
})
