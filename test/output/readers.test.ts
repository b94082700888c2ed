import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { currentRun, publish } from '../../src/output/current.ts'
import { changeFlags, readFlags } from '../../src/output/flags.ts'
import { liveHold, readHold } from '../../src/output/hold.ts'
import { layout } from '../../src/output/layout.ts'
import { Manifest } from '../../src/output/manifest.ts'
import { putResultSet, readResultSet, resultSetIds } from '../../src/output/resultSet.ts'
import { closeRun, latestRun, openRun, readRun, runIds } from '../../src/output/runs.ts'
import { putSummary, readSummary, type Summary } from '../../src/output/summary.ts'
import { emptySummary } from '../support/emptySummary.ts'
import { collected, World } from '../support/producerWorld.ts'

const [set, run] = ['set', 'run']
const counts = { total: 1, computed: 1, unchanged: 0, failed: 0, gone: 0 }

let world: World
beforeEach(async () => {
  world = await World.make()
})
afterEach(() => world.remove())

describe.each([
  ['set.json', layout.set(set), () => readResultSet(world.output, set), undefined],
  ['lock.json', layout.hold(set), () => readHold(world.output, set), undefined],
  [
    'lock.json, when a live one is asked for',
    layout.hold(set),
    () => liveHold(world.output, set, new Date()),
    undefined,
  ],
  ['current.json', layout.current(set), () => currentRun(world.output, set), null],
  ['run.json', layout.run(set, run), () => readRun(world.output, set, run), undefined],
  ['run.json of the newest run', layout.run(set, run), () => latestRun(world.output, set), undefined],
  ['summary.json', layout.summary(set, run), () => readSummary(world.output, set, run), undefined],
  ['flags.json', layout.flags(set, run), () => readFlags(world.output, set, run), { paused: false, cancelled: false }],
  ['manifest/done', layout.manifestDone(set, run), () => new Manifest(world.output, set, run).done(), undefined],
] as const)('the reader of %s', (_, key, read, nothing) => {
  it('says when there is none', async () => {
    expect(await read()).toEqual(nothing)
  })

  it.each(['{"schema":99}', 'half a fi'])('refuses another’s: %s', async (text) => {
    await world.output.put(key, text)
    await expect(read()).rejects.toMatchObject({
      code: 'bad-layout',
      message: expect.stringContaining(`${world.output.uri}${key} is not what this version of headlight writes`),
    })
  })
})

it('lists the folders that hold a set.json, whatever else lies in the output', async () => {
  const yaw = await world.prepare(['yaw'])
  const pitch = await world.prepare(['pitch'])
  await world.output.put('other/file', '')
  expect(await collected(resultSetIds(world.output))).toEqual([yaw.id, pitch.id].toSorted())
})

it('puts a result set once', async () => {
  const made = await world.prepare()
  expect(await putResultSet(world.output, { ...made, headlightVersion: 'later' })).toBe(false)
  expect(await readResultSet(world.output, made.id)).toEqual(made)
})

it('lists runs in the order of their start, also one that left nothing but flags', async () => {
  const { output } = world
  const options = { output, set, base: null, full: false, latest: undefined }
  const later = await openRun({ ...options, now: new Date('2026-11-25T02:00:00Z') })
  const first = await openRun({ ...options, now: new Date('2026-11-24T02:00:00Z') })
  await changeFlags(output, set, '20261124T120000Z-abcdef', { paused: true })
  expect(await runIds(output, set)).toEqual([first.run, '20261124T120000Z-abcdef', later.run])
})

it('closes a run, puts its summary and publishes it', async () => {
  const { output } = world
  const opened = await openRun({ output, set, base: null, full: false, latest: undefined, now: new Date() })
  await closeRun(output, set, opened, { state: 'completed', counts })
  const closed = await readRun(output, set, opened.run)
  expect(closed).toEqual({ ...opened, state: 'completed', counts, closedAt: expect.any(String) })
  const summary: Summary = { ...emptySummary, run: opened.run, output: `${output.uri}${set}/`, counts }
  await putSummary(output, set, summary)
  expect(await readSummary(output, set, opened.run)).toEqual(summary)
  await publish(output, set, opened.run)
  expect(await currentRun(output, set)).toBe(opened.run)
})
