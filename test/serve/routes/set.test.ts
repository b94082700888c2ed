import { afterEach, beforeEach, expect, it } from 'vitest'
import { layout } from '../../../src/output/layout.ts'
import { addresses } from '../../../src/serve/addresses.ts'
import type { SetReply, SetsReply } from '../../../src/serve/wire.ts'
import type { Fixture } from '../../support/reportFixture.ts'
import {
  firstNight,
  publishSecondNight,
  secondNight,
  servedApp,
  servedOutput,
  type ServedApp,
} from '../../support/servedApp.ts'

let fixture: Fixture
let app: ServedApp
let set: string

beforeEach(async () => {
  fixture = await servedOutput()
  set = fixture.set.id
  app = await servedApp(fixture.output)
})
afterEach(async () => {
  await app?.close()
  await fixture?.remove()
})

const damage = (key: string) => fixture.output.put(key, '{"formatVersion": ', { contentType: 'application/json' })

it('shows a set that cannot be read with its problem, beside those that can', async () => {
  await damage('damaged-00000000/set.json')
  const { sets } = await app.json<SetsReply>(addresses.setsReply())
  expect(sets).toHaveLength(2)
  expect(sets.find(({ id }) => id === set)).toMatchObject({ images: 99, problem: null })
  expect(sets.find(({ id }) => id !== set)?.problem).toContain('damaged-00000000/set.json')
})

it('shows the rest of a set whose aggregates or atlas are damaged', async () => {
  for (const key of [layout.aggregates(set, firstNight), layout.atlas(set, firstNight)]) await damage(key)
  const response = await app.get(addresses.setReply(set, null))
  expect(response.status).toBe(200)
  const reply = (await response.json()) as SetReply
  expect([reply.aggregates, reply.atlas]).toEqual([null, null])
  expect(reply.summary?.counts.total).toBe(99)
})

it('shows an earlier night as it was, and what is the state now', async () => {
  const before = await app.json<SetReply>(addresses.setReply(set, null))
  await publishSecondNight(fixture)
  const [now, then] = [
    await app.json<SetReply>(addresses.setReply(set, null)),
    await app.json<SetReply>(addresses.setReply(set, firstNight)),
  ]
  expect([now.run, now.stateRun]).toEqual([secondNight, secondNight])
  expect([then.run, then.stateRun]).toEqual([firstNight, secondNight])
  expect(then.aggregates).toEqual(before.aggregates)
  expect(now.aggregates).not.toEqual(before.aggregates)
})

it('refuses a run that is none', async () => {
  const response = await app.get(addresses.setReply(set, '20200101T000000Z-000000'))
  expect(response.status).toBe(404)
})

it('tells of a night whose table retention removed that it has none', async () => {
  await publishSecondNight(fixture)
  await fixture.output.delete(layout.runTable(set, firstNight))
  const { runs } = await app.json<SetReply>(addresses.setReply(set, null))
  expect(runs.map(({ run, hasTable }) => [run, hasTable])).toEqual([
    [firstNight, false],
    [secondNight, true],
  ])
})
