import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { layout } from '../../../src/output/layout.ts'
import { StoredRows } from '../../../src/serve/pictures/storedRows.ts'
import { openStore } from '../../../src/storage/open.ts'
import type { Store } from '../../../src/storage/store.ts'
import { wrapped } from '../../../src/storage/wrapped.ts'
import { placeIn, putComparedRun, resultSetOf, runIds, type ComparedSample } from '../../support/comparedOutput.ts'

const set = resultSetOf({})
const [first, second, third] = runIds
const keys = ['again.png', 'changed.png', 'fails.png', 'stays.png']

let folder: string
let output: Store

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'headlight-rows-'))
  output = openStore(folder)
  const night = keys.map((key): ComparedSample => ({ key, maps: [0.5], subject: `of ${key}` }))
  await putComparedRun(output, set, night, { run: first })
  const [again, changed, fails, stays] = night
  const rows = [
    again!,
    { ...changed!, fingerprint: 'another' },
    { key: fails!.key, failed: 'corrupt-image' },
    { ...stays!, place: placeIn(first, 3, 4) },
  ]
  await putComparedRun(output, set, rows, { run: second, base: first })
  await putComparedRun(output, set, rows, { run: third, base: second, hasPlaces: false })
})
afterAll(async () => {
  output.close()
  await rm(folder, { recursive: true, force: true })
})

it.each([
  ['stands', 'stays.png'],
  ['overwritten', 'again.png'],
  ['overwritten', 'changed.png'],
  ['overwritten', 'fails.png'],
])('a map %s where the run of the state has this row: %s', async (fate, key) => {
  const row = keys.indexOf(key)
  const rows = new StoredRows(output)
  expect(await rows.fate(set.id, { run: first, row }, { run: second, row })).toBe(fate)
  // Of the state itself it always stands.
  expect(await rows.fate(set.id, { run: second, row }, { run: second, row })).toBe('stands')
})

it('a map is gone where the state has no such image, and nobody knows where its place was not written down', async () => {
  const rows = new StoredRows(output)
  expect(await rows.fate(set.id, { run: first, row: 3 }, { run: second, row: null })).toBe('gone')
  expect(await rows.fate(set.id, { run: first, row: 3 }, { run: third, row: 3 })).toBe('unknown')
})

it('gives cells of one row, of the columns that are asked for', async () => {
  const cells = await new StoredRows(output).row(set.id, first, 1, ['key', 'subject', 'imageWidth', 'none such'])
  expect([cells.get('key'), cells.get('subject'), cells.get('imageWidth')]).toEqual([
    'changed.png',
    'of changed.png',
    64,
  ])
  expect([...cells].slice(3)).toEqual([['none such', null]])
  expect((await new StoredRows(output).row(set.id, first, 4, ['key'])).size).toBe(0)
})

it('opens a table once for many rows, and tells a fate again without reading', async () => {
  let reads = 0
  const counted = wrapped(output, {
    get: (key, options) => {
      reads++
      return output.get(key, options)
    },
  })
  const rows = new StoredRows(counted)
  const fate = () => rows.fate(set.id, { run: first, row: 3 }, { run: second, row: 3 })
  await fate()
  const once = reads
  expect(once).toBeGreaterThan(0)
  await fate()
  expect(reads).toBe(once)
  await rows.row(set.id, first, 0, ['key'])
  await rows.row(set.id, first, 0, ['key'])
  expect(reads).toBeLessThan(2 * once)
})

it('asks again for a table that could not be read', async () => {
  let isDown = true
  const failing = wrapped(output, {
    head: async (key) => {
      if (isDown) throw new Error('the store is down')
      return output.head(key)
    },
    get: async (key, options) => {
      if (isDown) throw new Error('the store is down')
      return output.get(key, options)
    },
  })
  const rows = new StoredRows(failing)
  await expect(rows.row(set.id, first, 0, ['key'])).rejects.toThrow('the store is down')
  isDown = false
  expect((await rows.row(set.id, first, 0, ['key'])).get('key')).toBe('again.png')
})

it('says of a run without a table that there is none', async () => {
  const gone = '20261128T010000Z-dddddd'
  await expect(new StoredRows(output).row(set.id, gone, 0, ['key'])).rejects.toMatchObject({
    code: 'no-such-run',
    message: expect.stringContaining(layout.runTable(set.id, gone)) as string,
  })
})
