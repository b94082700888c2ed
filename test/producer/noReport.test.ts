import { afterEach, beforeEach, expect, it } from 'vitest'
import { layout } from '../../src/output/layout.ts'
import { putReportPictures, readReportPictures } from '../../src/output/reportPictures.ts'
import type { ResultSet } from '../../src/output/resultSet.ts'
import { latestRun } from '../../src/output/runs.ts'
import type { Summary } from '../../src/output/summary.ts'
import { World } from '../support/producerWorld.ts'
import { wholeRun } from '../support/wholeRun.ts'

let world: World
let set: ResultSet
beforeEach(async () => {
  world = await World.make(['a.jpg', 'b.jpg'])
  set = await world.prepare()
})
afterEach(() => world.remove())

const text = async (key: string) => Buffer.from((await world.output.get(key))?.bytes ?? []).toString()
const page = () => text(layout.report(set.id))
const run = (report: boolean) => wholeRun(world, set, { report })

/** That of the results of now. */
const isReportOf = (html: string, summary: Summary): boolean =>
  html.includes(summary.run) && html.includes('id="samples"') && !html.includes('--no-report')

/** As a report leaves them whose images can be drawn. */
const keepPictures = () => putReportPictures(world.output, set.id, new Map([['name', Buffer.from('of a face')]]))

it('a run without report publishes all else', async () => {
  const summary = await run(false)
  expect(await world.rows(set)).toHaveLength(2)
  expect(JSON.parse(await text(layout.current(set.id)))).toMatchObject({ run: summary.run })
  expect(await world.output.head(layout.report(set.id))).toBeUndefined()
  expect(await world.output.head(layout.reportPictures(set.id))).toBeUndefined()
  expect(await latestRun(world.output, set.id)).toMatchObject({ state: 'completed', report: false })
})

it('puts a page in the place of an earlier report that says there is none, and keeps no picture', async () => {
  const first = await run(true)
  expect(isReportOf(await page(), first)).toBe(true)
  expect(await latestRun(world.output, set.id)).not.toHaveProperty('report')
  await keepPictures()
  await world.removeImage('b.jpg')
  const second = await run(false)
  const html = await page()
  expect(html).toContain('There is no report of these results')
  expect(html).toContain(second.run)
  expect(html).toContain("default-src 'none'")
  expect(html).not.toMatch(/<script|data:image|b\.jpg/)
  expect(await readReportPictures(world.output, set.id)).toEqual(new Map())
  expect(await text(layout.reportPictures(set.id))).not.toContain('of a face')
})

it('leaves the report where nothing has changed, since it is of the results of now', async () => {
  const first = await run(true)
  await keepPictures()
  await run(false)
  expect(isReportOf(await page(), first)).toBe(true)
  expect((await readReportPictures(world.output, set.id))?.size).toBe(1)
})

it('is made up for by the next run with one, also where that changes nothing', async () => {
  await run(true)
  await world.removeImage('b.jpg')
  await run(false)
  await run(false)
  const last = await run(true)
  expect(last.counts).toMatchObject({ total: 1, computed: 0 })
  expect(isReportOf(await page(), last)).toBe(true)
  // Only once.
  const next = await run(true)
  expect(isReportOf(await page(), next)).toBe(false)
})
