import { beforeEach, describe, expect, it, vi } from 'vitest'
import { createLogger } from '../../src/base/telemetry.ts'
import { Hold } from '../../src/output/hold.ts'
import { layout } from '../../src/output/layout.ts'
import { openMapPlaces } from '../../src/output/mapPlaces.ts'
import { correlationStep, readAtlas, readInputAtlas, type PoseMaps } from '../../src/output/poseMaps.ts'
import { atlasOfState } from '../../src/producer/backfillAlone.ts'
import { History, historySet } from '../support/history.ts'
import { collected, noPatience } from '../support/producerWorld.ts'
import { silent } from '../support/redis.ts'

const writeReport = vi.hoisted(() => vi.fn<() => Promise<void>>(() => Promise.resolve()))
vi.mock('../../src/report/writeReport.ts', () => ({ writeReport }))

const { id: set } = historySet
const noFailure = { failure: () => null }
let history: History
let said: (string | undefined)[]

beforeEach(async () => {
  history = new History()
  said = []
  history.say = (message) => said.push(message)
  for (let i = 0; i < 9; i++) await history.dataset.put(`${i}.jpg`, `image ${i}`)
  writeReport.mockClear()
})

const rowsOf = ({ cells }: PoseMaps) => [...cells.values()].reduce((sum, { n }) => sum + n, 0)
const beside = [layout.aggregates, layout.atlas, layout.inputAtlas] as const
const present = () => Promise.all(beside.map(async (key) => (await history.stateFile(key))?.toString('base64')))

describe('a result set of an earlier version', () => {
  it('gets its atlas by a run that changes nothing, which says what it costs and draws the report', async () => {
    await history.run(noFailure)
    const wanted = await present()
    await history.forget()
    writeReport.mockClear()
    const state = await history.stateRun()
    const summary = await history.run(noFailure)
    expect(summary.counts).toMatchObject({ computed: 0, unchanged: 9 })
    expect(await history.stateRun()).toBe(state)
    expect(await present()).toEqual(wanted)
    expect(said).toEqual([
      'adding up, once for this result set, the small maps of 9 images by pose: 1 MB are read',
      undefined,
    ])
    expect(writeReport).toHaveBeenCalledOnce()
    // Once.
    await history.run(noFailure)
    expect(said).toHaveLength(2)
    expect(writeReport).toHaveBeenCalledOnce()
  })

  it('says nothing where there is nothing to add up', async () => {
    await history.run({ failure: () => 'corrupt-image' })
    await history.forget()
    await history.run(noFailure)
    expect(said).toEqual([undefined])
    expect(rowsOf((await readAtlas(history.output, set, await history.stateRun()))!)).toBe(0)
  })

  it('gets none that a run over everything replaces', async () => {
    await history.run(noFailure)
    const first = await history.stateRun()
    await history.forget()
    await history.run({ ...noFailure, full: true })
    expect(said).toEqual([])
    expect(await history.output.head(layout.atlas(set, first))).toBeUndefined()
  })

  it('finds where maps lie in the records of many runs as each of these wrote it down', async () => {
    await history.run(noFailure)
    for (let run = 1; run < 7; run++) {
      for (const i of [run, (5 * run) % 9]) await history.dataset.put(`${i}.jpg`, `image ${i} of run ${run}`)
      await history.dataset.put(`${run}-new.jpg`, `new in run ${run}`)
      await history.run({ failure: ({ key }) => (run % 2 === 1 && key === `${run}.jpg` ? 'vanished' : null) })
    }
    const written = await history.stateFile(layout.mapPlaces)
    const wanted = await present()
    await history.forget()
    await history.run({ failure: () => 'vanished' })
    expect(await present()).toEqual(wanted)
    expect((await history.stateFile(layout.mapPlaces))?.toString('hex')).toBe(written?.toString('hex'))
  })

  it('says which file does not fit its table', async () => {
    await history.run(noFailure)
    const first = history.output.objects.get(layout.mapPlaces(set, await history.stateRun()))
    await history.dataset.put('new.jpg', 'new')
    await history.run(noFailure)
    const key = layout.mapPlaces(set, await history.stateRun())
    await history.output.put(key, first ?? '')
    await history.dataset.put('newer.jpg', 'newer')
    await expect(history.run(noFailure)).rejects.toThrow(
      `${key} does not have as many rows as the table beside it; remove`,
    )
    await history.output.delete(key)
    expect((await history.run(noFailure)).mapCorrelationImages).toEqual({ 'yaw~pitch': 11 })
  })

  it('has no maps of images that failed when they were computed again', async () => {
    await history.run(noFailure)
    await history.run({ failure: ({ key }) => (key === '4.jpg' ? 'corrupt-image' : null), full: true })
    await history.forget()
    await history.run(noFailure)
    expect(rowsOf((await readAtlas(history.output, set, await history.stateRun()))!)).toBe(8)
  })

  it('leaves out images whose small maps are gone, and keeps no place for them', async () => {
    await history.run(noFailure)
    const state = await history.stateRun()
    await history.forget()
    await history.output.delete(layout.magnitudeFile(set, state, 0, 3))
    await history.output.delete(layout.inputFile(set, state, 0, 6))
    const { mapCorrelationImages } = await history.run(noFailure)
    expect(mapCorrelationImages).toEqual({ 'yaw~pitch': 6 })
    expect(rowsOf((await readAtlas(history.output, set, state))!)).toBe(6)
    expect(rowsOf((await readInputAtlas(history.output, set, state))!)).toBe(3)
    const places = await openMapPlaces(history.output, set, state)
    expect((await collected(places!.places())).map((place) => place && [place.file.offset, place.slot])).toEqual([
      ...[0, 1, 2].map((slot) => [0, slot]),
      null,
      null,
      null,
      ...[0, 1, 2].map((slot) => [6, slot]),
    ])
    expect(places!.files.map(({ hasInputs }) => hasInputs)).toEqual([true, false])
  })
})

describe('what lies beside a table', () => {
  it.each([layout.aggregates, layout.atlas, layout.inputAtlas, layout.mapPlaces])(
    'is made again when one is damaged or missing: %o',
    async (key) => {
      await history.run(noFailure)
      const wanted = await present()
      const name = key(set, await history.stateRun())
      await history.output.delete(name)
      await history.run(noFailure)
      expect(await present()).toEqual(wanted)
      await history.output.put(name, 'damaged')
      await history.run(noFailure)
      expect(await present()).toEqual(wanted)
      expect(said.filter((message) => message !== undefined)).toHaveLength(2)
    },
  )

  it('is made again where inputs are damaged that no row has any more', async () => {
    await history.run(noFailure)
    const state = await history.stateRun()
    for (const offset of [0, 3, 6]) await history.output.delete(layout.inputFile(set, state, 0, offset))
    await history.output.put(layout.inputAtlas(set, state), 'damaged')
    await history.run(noFailure)
    expect(rowsOf((await readInputAtlas(history.output, set, state))!)).toBe(0)
    await history.output.put(layout.inputAtlas(set, state), 'damaged once more')
    await history.run(noFailure)
    expect(rowsOf((await readInputAtlas(history.output, set, state))!)).toBe(0)
  })

  it('is summed anew from what is there when small maps that are to be taken back are gone', async () => {
    await history.run(noFailure)
    const first = await history.stateRun()
    // Of 0.jpg to 2.jpg, of which one changes and two stay.
    await history.output.delete(layout.magnitudeFile(set, first, 0, 0))
    await history.dataset.put('1.jpg', 'another')
    await history.run(noFailure)
    const atlas = await readAtlas(history.output, set, await history.stateRun())
    expect(rowsOf(atlas!)).toBe(7)
    // Once: the rows whose maps are gone have no place any more.
    await history.dataset.put('0.jpg', 'another')
    said.length = 0
    await history.run(noFailure)
    expect(said).toEqual([])
    expect(rowsOf((await readAtlas(history.output, set, await history.stateRun()))!)).toBe(8)
  })

  it.each([layout.magnitudeFile, layout.inputFile])(
    'is summed anew when small maps that are to be taken back have been written over by a late worker: %o',
    async (keyOf) => {
      await history.run(noFailure)
      const key = keyOf(set, await history.stateRun(), 0, 0)
      // Of the same size, with the numbers of another engine: of 0.jpg to 2.jpg, of which one changes and two stay.
      const bytes = Buffer.from(history.output.objects.get(key) ?? '')
      bytes[bytes.length - 2]! ^= 1
      await history.output.put(key, bytes)
      await history.dataset.put('0.jpg', 'another')
      await history.run(noFailure)
      expect(history.warnings).toEqual([
        expect.stringContaining('written over since'),
        'adding up anew, since some that had been added up are gone or others by now, the small maps of 9 images by ' +
          'pose: 1 MB are read',
      ])
      const [own, places] = [await present(), await history.stateFile(layout.mapPlaces)]
      await history.forget()
      await history.run(noFailure)
      expect(await present()).toEqual(own)
      expect(await history.stateFile(layout.mapPlaces)).toEqual(places)
      // Once: their checksums are now those of what is there.
      history.warnings.length = 0
      await history.dataset.put('1.jpg', 'another')
      await history.run(noFailure)
      expect(history.warnings).toEqual([])
    },
  )
})

it('the likeness of maps is that of the whole state, though a run computes one image', async () => {
  const first = await history.run(noFailure)
  await history.dataset.put('new.jpg', 'new')
  const second = await history.run(noFailure)
  expect(first.mapCorrelationImages).toEqual({ 'yaw~pitch': 9 })
  expect(second.mapCorrelationImages).toEqual({ 'yaw~pitch': 10 })
  const pair = (await readAtlas(history.output, set, second.run))?.pairs.get('yaw~pitch')
  expect(second.mapCorrelations).toEqual({ 'yaw~pitch': (pair!.steps * correlationStep) / 10 })
})

describe('the atlas of a state that no run is at work on', () => {
  let warned: string[]
  beforeEach(() => {
    warned = []
  })
  const log = createLogger('warn', {
    write: (line: string) => void warned.push((JSON.parse(line) as { msg: string }).msg),
  })
  const atlas = () =>
    atlasOfState({
      output: history.output,
      set: historySet,
      signal: noPatience.signal,
      say: (message) => said.push(message),
      log,
    })

  it('is made under the hold, which is given back', async () => {
    await history.run(noFailure)
    await history.forget()
    expect(rowsOf((await atlas())!.magnitudes)).toBe(9)
    expect(warned).toEqual([expect.stringContaining('9 images')])
    expect(await history.output.head(layout.hold(set))).toBeUndefined()
    // Once.
    expect(rowsOf((await atlas())!.magnitudes)).toBe(9)
    expect(warned).toHaveLength(1)
    expect(said).toEqual([])
  })

  it('is left to whoever writes to the result set', async () => {
    await history.run(noFailure)
    await history.forget()
    const { output } = history
    const onWait = () => undefined
    const hold = await Hold.take({ output, set, signal: noPatience.signal, patience: noPatience, onWait, log: silent })
    expect(await atlas()).toBeUndefined()
    const why = 'set is being written, and the run at work adds them up'
    expect(said).toEqual([`the small maps of set are not added up by pose now: ${why}`])
    await hold.release()
    expect(await atlas()).toBeDefined()
  })

  it('is none where there is no state', async () => {
    expect(await atlas()).toBeUndefined()
    expect(said).toEqual([])
  })
})
