import { afterEach, beforeEach, expect, it } from 'vitest'
import { readAggregates } from '../../src/output/aggregates.ts'
import { layout } from '../../src/output/layout.ts'
import type { ResultSet } from '../../src/output/resultSet.ts'
import { readSummary } from '../../src/output/summary.ts'
import { Aggregator } from '../../src/report/aggregates/aggregator.ts'
import { World } from '../support/producerWorld.ts'
import { wholeRun } from '../support/wholeRun.ts'

let world: World
let set: ResultSet

beforeEach(async () => {
  world = await World.make(['a.jpg', 'b.jpg', 'c broken.jpg', 'd.jpg'])
  set = await world.prepare()
})
afterEach(() => world.remove())

const errorOf = async (key: string) => {
  const row = (await world.rows(set)).find((found) => found.key === key)
  return Math.abs(row?.errorYaw ?? Number.NaN)
}

it('says of the first run itself what it says of the state', async () => {
  const { thisRun, mae, bias, errors, failures, counts } = await wholeRun(world, set)
  expect(thisRun).toEqual({ n: counts.computed, mae, bias, errors, failures })
  expect(failures).toEqual({ 'corrupt-image': 1 })
})

it('says of a run what its own images say, those that failed among them', async () => {
  await wholeRun(world, set)
  await world.addImage('b.jpg', 'another picture')
  await world.addImage('e vanished.jpg')
  const { run, thisRun, mae, failures } = await wholeRun(world, set)
  expect(thisRun).toMatchObject({ n: 2, errors: { n: 1 }, failures: { vanished: 1 } })
  expect(thisRun?.mae?.yaw).toBe(await errorOf('b.jpg'))
  expect(failures).toEqual({ 'corrupt-image': 1, vanished: 1 })
  const all = await Promise.all(['a.jpg', 'b.jpg', 'd.jpg'].map(errorOf))
  expect(mae?.yaw).toBeCloseTo(all.reduce((sum, error) => sum + error) / all.length)
  expect((await readSummary(world.output, set.id, run))?.thisRun).toEqual(thisRun)
})

it('says nothing of a run that computed nothing', async () => {
  await wholeRun(world, set)
  expect(await wholeRun(world, set)).not.toHaveProperty('thisRun')
  await world.removeImage('a.jpg')
  expect(await wholeRun(world, set)).not.toHaveProperty('thisRun')
})

it('puts what the rows amount to beside each table, in the bytes of a fresh run, and nothing where there is no table', async () => {
  const bytesOf = async (run: string) => {
    const object = await world.output.get(layout.aggregates(set.id, run))
    return object && Buffer.from(object.bytes).toString()
  }
  await wholeRun(world, set)
  await world.addImage('b.jpg', 'another picture')
  await world.removeImage('a.jpg')
  const { run } = await wholeRun(world, set)
  const aggregator = new Aggregator()
  for (const row of await world.rows(set)) aggregator.addRow(row)
  expect(await readAggregates(world.output, set.id, run)).toEqual(aggregator.finish())
  const unchanged = await wholeRun(world, set)
  expect(await bytesOf(unchanged.run)).toBeUndefined()
  const fresh = await wholeRun(world, set, { full: true })
  expect(await bytesOf(fresh.run)).toBe(await bytesOf(run))
})
