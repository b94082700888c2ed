import { createHash } from 'node:crypto'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { InputError, TransientError } from '../../src/base/errors.ts'
import { createLogger } from '../../src/base/telemetry.ts'
import { layout } from '../../src/output/layout.ts'
import { readReportPictures } from '../../src/output/reportPictures.ts'
import { drawingVersion } from '../../src/report/thumbnail.ts'
import { writeReport, type ReportOptions } from '../../src/report/writeReport.ts'
import type { Store } from '../../src/storage/store.ts'
import { wrapped } from '../../src/storage/wrapped.ts'
import {
  makeResultSet,
  putNight,
  solidPng,
  type Fixture,
  type FixtureSample,
  type Triple,
} from '../support/reportFixture.ts'

const samples: FixtureSample[] = ['a.png', 'b.png', 'c.png', 'd.png', 'e.png'].map((key, i) => ({
  key,
  estimate: [i, 0, 0],
  label: [0, 0, 0],
}))
/** No two images look alike, so that their pictures can be told apart. */
const colourOf = (i: number): Triple => [40 * i, 200 - 40 * i, 90]
const another = () => solidPng(64, 48, [9, 99, 199])

let fixture: Fixture
let pictures: string
beforeEach(async () => {
  fixture = await makeResultSet({
    samples,
    objectives: ['yaw', 'pitch'],
    image: (i) => solidPng(64, 48, colourOf(i)),
    map: (i, objective) => solidPng(32, 32, [128, objective === 'yaw' ? 160 : 90, 100 + i]),
  })
  pictures = layout.reportPictures(fixture.set.id)
})
afterEach(() => fixture.remove())

/** Draws the report: how many of its pictures had to be drawn, what was warned of, and a digest of the page. */
async function report(
  changes: Partial<ReportOptions> = {},
): Promise<{ drawn: number; warnings: string[]; page: string }> {
  const lines: { level: string; msg: string; drawn?: number }[] = []
  const log = createLogger('debug', { write: (line) => void lines.push(JSON.parse(line) as (typeof lines)[number]) })
  await writeReport({ ...fixture, signal: new AbortController().signal, log, ...changes })
  return {
    drawn: lines.find(({ msg }) => msg === 'wrote the report')?.drawn ?? Number.NaN,
    warnings: lines.filter(({ level }) => level === 'warn').map(({ msg }) => msg),
    page: createHash('sha256')
      .update(await pageText())
      .digest('hex'),
  }
}

async function pageText(): Promise<string> {
  return Buffer.from((await fixture.output.get(layout.report(fixture.set.id)))?.bytes ?? []).toString('utf8')
}

/** The page as it is where no picture was kept. */
async function drawnAnew(changes: Partial<ReportOptions> = {}): Promise<string> {
  await fixture.output.delete(pictures)
  const { drawn, page } = await report(changes)
  expect(drawn).toBe((changes.summary ?? fixture.summary).counts.total)
  return page
}

async function kept(): Promise<Set<string>> {
  const found = await readReportPictures(fixture.output, fixture.set.id)
  return new Set(
    [...(found ?? new Map<string, Uint8Array>()).values()].map((bytes) => Buffer.from(bytes).toString('hex')),
  )
}

const mapKey = (key: string) => `${fixture.set.id}/${layout.map('pitch', key)}`

describe('a report', () => {
  it('draws nothing where nothing has changed, and puts no pictures then', async () => {
    const first = await report()
    expect(first.drawn).toBe(5)
    const put: string[] = []
    const output = wrapped(fixture.output, {
      put: (key, bytes, options) => {
        put.push(key)
        return fixture.output.put(key, bytes, options)
      },
    })
    expect(await report({ output })).toEqual({ drawn: 0, warnings: [], page: first.page })
    expect(put).toEqual([layout.report(fixture.set.id)])
  })

  it.each([
    ['image', async () => fixture.dataset.put('b.png', await another())],
    ['map', async () => fixture.output.put(mapKey('b.png'), await another())],
  ])('draws the one picture whose %s has changed', async (_what, change) => {
    const before = await report()
    await change()
    const after = await report()
    expect(after.drawn).toBe(1)
    expect(after.page).not.toBe(before.page)
    expect(after.page).toBe(await drawnAnew())
  })

  it('draws those whose rectangle has changed', async () => {
    await report()
    // The table is another, the objects are the same.
    const summary = await putNight(fixture.output, fixture.set, 'later', { samples, imageSize: [60, 48] })
    const later = await report({ summary })
    expect(later.drawn).toBe(5)
    expect(later.page).toBe(await drawnAnew({ summary }))
  })

  it('tells how many of its pictures are there', async () => {
    const told: string[] = []
    const onProgress = ({ drawn, of }: { drawn: number; of: number }) => void told.push(`${drawn}/${of}`)
    await report({ onProgress })
    expect(told).toEqual(['0/5', '1/5', '2/5', '3/5', '4/5', '5/5'])
  })
})

describe('of what is kept', () => {
  it('a picture goes with its image', async () => {
    await report()
    const before = await kept()
    const left = samples.filter(({ key }) => key !== 'b.png')
    const summary = await putNight(fixture.output, fixture.set, 'later', { samples: left })
    const { drawn } = await report({ summary })
    expect(drawn).toBe(0)
    const after = await kept()
    expect([...after].filter((picture) => !before.has(picture))).toEqual([])
    expect(before.size - after.size).toBe(1)
  })

  it('all is drawn by another version of the drawing, and nothing of the former stays', async () => {
    const { page } = await report()
    const next = await report({ version: drawingVersion + 1 })
    expect(next).toEqual({ drawn: 5, warnings: [], page })
    expect((await readReportPictures(fixture.output, fixture.set.id))?.size).toBe(5)
    expect((await report()).drawn).toBe(5)
  })

  it.each([
    ['empty', () => Buffer.alloc(0)],
    ['no pictures of ours', () => Buffer.from('something else that is long enough to be read as a head, and more')],
    ['cut off', (bytes: Buffer) => bytes.subarray(0, bytes.byteLength - 100)],
    ['damaged in one bit of a picture', (bytes: Buffer) => withBitChanged(bytes, bytes.byteLength - 50)],
    ['damaged in its index', (bytes: Buffer) => withBitChanged(bytes, 60)],
  ])('nothing is used that is %s: all is drawn and kept again', async (_what, damage) => {
    const { page } = await report()
    const whole = Buffer.from((await fixture.output.get(pictures))?.bytes ?? [])
    await fixture.output.put(pictures, damage(Buffer.from(whole)))
    expect(await report()).toEqual({ drawn: 5, warnings: [], page })
    expect(whole.equals((await fixture.output.get(pictures))?.bytes ?? Buffer.alloc(0))).toBe(true)
  })
})

describe('a placeholder is never kept', () => {
  it.each([
    ['gone', (store: Store, key: string) => store.delete(key)],
    ['no image', async (store: Store, key: string) => void (await store.put(key, 'no image'))],
  ])('where image or map is %s', async (_what, spoil) => {
    for (const [store, key] of [
      [fixture.dataset, 'b.png'],
      [fixture.output, mapKey('d.png')],
    ] as const) {
      const { bytes = new Uint8Array() } = (await store.get(key)) ?? {}
      const { page } = await report()
      const whole = await kept()
      await spoil(store, key)
      for (const _time of [1, 2]) {
        const lacking = await report()
        expect(lacking.drawn).toBe(1)
        expect(await pageText()).toContain(
          store === fixture.dataset ? 'image cannot be read now' : 'map cannot be read now',
        )
      }
      expect((await kept()).size).toBe(4)
      await store.put(key, bytes)
      expect(await report()).toEqual({ drawn: 1, warnings: [], page })
      expect(await kept()).toEqual(whole)
    }
  })

  it('where the rectangle shows nothing of the image', async () => {
    const summary = await putNight(fixture.output, fixture.set, 'later', { samples, imageSize: [4000, 48] })
    for (const _time of [1, 2]) expect((await report({ summary })).drawn).toBe(5)
    expect((await kept()).size).toBe(0)
  })
})

describe('where an image is replaced while the report is drawn', () => {
  it('its picture is kept as that of the image that was drawn', async () => {
    const { page } = await report()
    await fixture.output.delete(pictures)
    const present = await fixture.dataset.head('b.png')
    if (present === undefined) throw new Error('b.png is gone')
    const bytes = await another()
    const meanwhile = wrapped(fixture.dataset, {
      get: async (key, options) =>
        key === 'b.png' ? { info: { ...present, etag: 'another' }, bytes } : fixture.dataset.get(key, options),
    })
    await report({ dataset: meanwhile })
    expect(await report()).toEqual({ drawn: 1, warnings: [], page })
  })
})

describe('where pictures cannot be put', () => {
  const refusing = (error: Error) =>
    wrapped(fixture.output, {
      put: (key, bytes, options) =>
        key === pictures ? Promise.reject(error) : fixture.output.put(key, bytes, options),
    })

  it('since that is not allowed, the report is there all the same, with a warning', async () => {
    const output = refusing(new InputError('access-denied', 'the store refused'))
    const { page, warnings } = await report({ output })
    expect(warnings).toEqual([expect.stringContaining('not kept for the next one: the store refused')])
    expect(page).toBe(await drawnAnew())
  })

  it('for a fault that passes, that is raised, and nothing of the report is there', async () => {
    const output = refusing(new TransientError('store-busy', 'the store did not answer'))
    await expect(report({ output })).rejects.toThrow('the store did not answer')
    expect(await fixture.output.head(layout.report(fixture.set.id))).toBeUndefined()
  })
})

function withBitChanged(bytes: Buffer, at: number): Buffer {
  bytes[at] = (bytes[at] ?? 0) ^ 1
  return bytes
}
