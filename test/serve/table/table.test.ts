import { mkdtemp, readFile, rm, stat, truncate, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { beyondLabelLimit } from '../../../src/output/rowErrors.ts'
import { rowPose } from '../../../src/output/rowPose.ts'
import { tableColumns, type TableRow } from '../../../src/output/table.ts'
import { TableWriter } from '../../../src/output/tableWriter.ts'
import { geodesicError } from '../../../src/pose/geodesic.ts'
import { poseCell } from '../../../src/pose/poseCell.ts'
import { binRange } from '../../../src/serve/bins.ts'
import { measures, type Measure } from '../../../src/serve/measures.ts'
import { everything, readSelection, writeSelection, type Selection } from '../../../src/serve/selection.ts'
import { buildTable } from '../../../src/serve/table/buildTable.ts'
import { Table } from '../../../src/serve/table/table.ts'
import { readTableFile, tableFilePath, writeTableFile } from '../../../src/serve/table/tableFile.ts'
import { compareKeys } from '../../../src/storage/keyOrder.ts'
import { memoryOutput } from '../../support/memoryOutput.ts'
import { tableRowOf } from '../../support/tableRows.ts'

async function tableBytes(rows: readonly TableRow[]): Promise<Uint8Array> {
  const output = memoryOutput()
  const object = output.write('table')
  const writer = new TableWriter(tableColumns({ objectives: ['sum'], logits: false }), [object])
  for (const row of rows.toSorted((a, b) => compareKeys(a.key, b.key))) await writer.add(row)
  await writer.finish()
  await object.commit()
  return (await output.get('table'))!.bytes
}

async function tableOf(rows: readonly TableRow[]): Promise<Table> {
  return new Table(await buildTable(await tableBytes(rows)))
}

const names = [null, '7', 'Ж <b>', '8']
const angle = fc.integer({ min: -110, max: 110 })
const pose = fc.record({ yaw: angle, pitch: angle, roll: angle })
const key = fc.oneof(
  fc.string({ unit: 'grapheme', minLength: 1, maxLength: 6 }),
  fc.constantFrom('Take1/A.png', 'take1/b.png'),
)
const row = fc.oneof(
  { weight: 1, arbitrary: fc.record({ key, code: fc.constantFrom('corrupt-image', 'vanished') }) },
  {
    weight: 6,
    arbitrary: fc.record({
      key,
      estimate: pose,
      label: fc.option(pose),
      subject: fc.constantFrom(...names),
      sequence: fc.constantFrom(...names),
      probability: fc.option(fc.constantFrom(0.1, 0.25, 1)),
    }),
  },
)
const rows = fc
  .uniqueArray(row, { selector: ({ key: name }) => name, maxLength: 40 })
  .map((parts) => parts.map((part) => tableRowOf(part)).toSorted((a, b) => compareKeys(a.key, b.key)))

/** One measure of one row, read from the row as a person would. */
function naive(measure: Measure, row: TableRow): number | null {
  const placed = rowPose(row)
  const left = beyondLabelLimit(row)
  const errors = [row.errorYaw, row.errorPitch, row.errorRoll].filter((error) => error !== null)
  const size = (value: number | null) => (value === null ? null : Math.abs(value))
  const ofPose = (label: number | null, estimate: number | null) =>
    placed === null ? null : placed.by === 'label' ? label : estimate
  switch (measure) {
    case 'poseYaw':
      return ofPose(row.labelYaw, row.yaw)
    case 'absPoseYaw':
      return size(ofPose(row.labelYaw, row.yaw))
    case 'posePitch':
      return ofPose(row.labelPitch, row.pitch)
    case 'poseRoll':
      return ofPose(row.labelRoll, row.roll)
    case 'meanError':
      return left || errors.length === 0
        ? null
        : errors.reduce((sum, error) => sum + Math.abs(error), 0) / errors.length
    case 'absErrorYaw':
      return left ? null : size(row.errorYaw)
    case 'absErrorPitch':
      return left ? null : size(row.errorPitch)
    case 'absErrorRoll':
      return left ? null : size(row.errorRoll)
    case 'errorYaw':
    case 'errorPitch':
    case 'errorRoll':
      return left ? null : row[measure]
    case 'errorGeodesic':
      return left || row.labelYaw === null
        ? null
        : geodesicError(
            { yaw: row.yaw!, pitch: row.pitch!, roll: row.roll! },
            { yaw: row.labelYaw, pitch: row.labelPitch!, roll: row.labelRoll! },
          )
    case 'yaw':
    case 'pitch':
    case 'roll':
    case 'labelYaw':
    case 'labelPitch':
    case 'labelRoll':
    case 'yawTopProbability':
    case 'pitchTopProbability':
    case 'rollTopProbability':
    case 'class':
    case 'topClass':
    case 'topClassProbability':
      return (row[measure] as number | null | undefined) ?? null
  }
}

function fits(row: TableRow, selection: Selection): boolean {
  const { ranges, cells, subjects, sequences, status, codes, key: text } = selection
  const cell = rowPose(row)?.cell
  const named = (chosen: readonly string[], name: string | null) => chosen.length === 0 || chosen.includes(name ?? '')
  const lower = (value: string) => value.replace(/[A-Z]/g, (letter) => letter.toLowerCase())
  return (
    Object.entries(ranges).every(([measure, range]) => {
      const value = naive(measure as Measure, row)
      if (value === null) return false
      const single = Math.fround(value)
      return single >= Math.fround(range.from ?? -Infinity) && single <= Math.fround(range.to ?? Infinity)
    }) &&
    (cells.length === 0 || cells.some(({ yaw, pitch }) => poseCell(yaw + 1, pitch + 1) === cell)) &&
    named(subjects, row.subject) &&
    named(sequences, row.sequence) &&
    (status === null || row.status === status) &&
    named(codes, row.code) &&
    lower(row.key).includes(lower(text))
  )
}

function chosen(all: readonly TableRow[], selection: Selection): TableRow[] {
  const found = all.filter((row) => fits(row, selection))
  const { sort, isDescending } = selection
  if (sort === 'key') return isDescending ? found.toReversed() : found
  return found.toSorted((a, b) => {
    const [x, y] = [naive(sort, a), naive(sort, b)]
    if (x === null || y === null) return Number(x === null) - Number(y === null)
    return (isDescending ? -1 : 1) * (Math.fround(x) - Math.fround(y))
  })
}

const bound = fc.option(fc.integer({ min: -60, max: 60 }))
const measureName = fc.constantFrom(...(Object.keys(measures) as Measure[]))
const selection: fc.Arbitrary<Selection> = fc.record({
  ranges: fc.dictionary(measureName, fc.record({ from: bound, to: bound }), { maxKeys: 2 }),
  cells: fc.array(fc.record({ yaw: fc.constantFrom(-30, -15, 0, 15, 30), pitch: fc.constantFrom(-30, -15, 0, 15) }), {
    maxLength: 3,
  }),
  subjects: fc.subarray(names.map((name) => name ?? '')),
  sequences: fc.subarray(names.map((name) => name ?? '')),
  status: fc.constantFrom(null, null, 'ok', 'failed'),
  codes: fc.constantFrom([], [], ['vanished']),
  key: fc.oneof(fc.constantFrom('', '', 'TAKE', '/b', '.png'), fc.string({ unit: 'grapheme', maxLength: 2 })),
  sort: fc.oneof(fc.constant('key' as const), measureName),
  isDescending: fc.boolean(),
})

describe('a table in memory', () => {
  it('chooses and sorts as a person would who reads row by row', async () => {
    await fc.assert(
      fc.asyncProperty(rows, fc.array(selection, { minLength: 1, maxLength: 6 }), async (all, selections) => {
        const table = await tableOf(all)
        for (const each of selections) {
          const expected = chosen(all, each).map((row) => row.key)
          const { count, rows: page } = table.page(each, 1, 4)
          expect(count).toBe(expected.length)
          expect(page.map((facts) => facts.key)).toEqual(expected.slice(1, 5))
          const facets = table.facets(each)
          expect([facets.total, facets.count]).toEqual([all.length, expected.length])
          const middle = expected[expected.length >> 1]
          if (middle === undefined) continue
          const at = expected.indexOf(middle)
          expect(table.positionOf(each, middle)).toEqual({
            position: at,
            count,
            previous: expected[at - 1] ?? null,
            next: expected[at + 1] ?? null,
          })
        }
      }),
      { numRuns: 60 },
    )
  })

  it('counts what a selection can be narrowed by', async () => {
    const all = [
      ...[0, 10, 20, 30].map((yaw) =>
        tableRowOf({ key: `a${yaw}`, label: { yaw, pitch: 0, roll: 0 }, subject: yaw < 20 ? 'one' : 'two' }),
      ),
      tableRowOf({ key: 'b', label: null }),
      tableRowOf({ key: 'c', code: 'vanished' }),
    ]
    const table = await tableOf(all)
    const facets = table.facets({ ...everything, subjects: ['two'] })
    expect([facets.count, facets.failed]).toEqual([2, 0])
    expect(facets.meanError).toBeCloseTo(25 / 3, 4)
    // What could be chosen instead is told beside what is chosen.
    expect(facets.subjects).toEqual({
      named: [
        ['two', 2],
        ['one', 2],
        ['', 2],
      ],
      more: 0,
    })
    expect(table.facets(everything).codes).toEqual({ named: [['vanished', 1]], more: 0 })
    const yaw = facets.measures.find(({ measure }) => measure === 'labelYaw')
    expect([yaw?.least, yaw?.greatest]).toEqual([0, 30])
    expect(yaw?.bins.flatMap((n, bin) => (n > 0 ? [bin] : []))).toEqual([16, 23])
  })

  it('counts in each bin of a measure the very rows that the range of the bin chooses', async () => {
    await fc.assert(
      fc.asyncProperty(rows, async (all) => {
        const table = await tableOf(all)
        for (const { measure, bins, ...span } of table.facets(everything).measures) {
          if (bins.length === 1) continue
          const chosen = bins.map((_, at) => {
            const ranges = { [measure]: binRange(span, bins.length, at) }
            // As it comes back out of an address.
            const address = new URLSearchParams(writeSelection({ ...everything, ranges }))
            return table.page(readSelection(address).selection, 0, 0).count
          })
          expect([measure, chosen]).toEqual([measure, bins])
        }
      }),
    )
  })

  it('finds the nearest poses by the rotation between them', async () => {
    const all = Array.from({ length: 60 }, (_, i) =>
      tableRowOf({ key: `${i}`, label: { yaw: (i * 37) % 91, pitch: (i * 53) % 71, roll: (i * 29) % 61 } }),
    )
    const table = await tableOf(all)
    const poseOf = (row: TableRow) => ({ yaw: row.labelYaw!, pitch: row.labelPitch!, roll: row.labelRoll! })
    const own = all.find((each) => each.key === '7')!
    const expected = all
      .filter((each) => each !== own)
      .toSorted((a, b) => geodesicError(poseOf(a), poseOf(own)) - geodesicError(poseOf(b), poseOf(own)))
    expect(table.neighbours('7', 5).map((facts) => facts.key)).toEqual(expected.slice(0, 5).map((each) => each.key))
  })

  it('has nothing to say of a key that it does not hold, and of no rows at all', async () => {
    const table = await tableOf([tableRowOf({ key: 'a' })])
    expect([table.row('b'), table.drawn('../a'), table.positionOf(everything, 'b')]).toEqual([null, null, null])
    expect((await tableOf([])).page(everything, 0, 10)).toEqual({ count: 0, rows: [] })
    expect((await tableOf([])).facets(everything).measures).toEqual([])
  })

  it('gives numbers as the record has them', async () => {
    const table = await tableOf([
      tableRowOf({ key: 'a', estimate: { yaw: 12.3, pitch: -0.0001, roll: 5 }, probability: 0.7 }),
    ])
    expect(table.row('a')).toMatchObject({ estimate: [12.3, -0.0001, 5], confidence: [0.7, 0.7, 0.7] })
    expect(table.drawn('a')).toEqual({ row: 0, status: 'ok', crop: { x0: 0, y0: 0, x1: 10, y1: 10 } })
  })
})

describe('the address of a selection', () => {
  it('says all of it', () => {
    fc.assert(
      fc.property(selection, (given) => {
        const open = Object.entries(given.ranges).filter(([, { from, to }]) => from !== null || to !== null)
        const read = readSelection(new URLSearchParams(new URLSearchParams(writeSelection(given)).toString()))
        expect(read).toEqual({ selection: { ...given, ranges: Object.fromEntries(open) }, problems: [] })
      }),
    )
  })

  it('says what of it cannot be read', () => {
    const { selection: read, problems } = readSelection(
      new URLSearchParams('poseYaw=40&cell=1;2&cell=7,0&cell=180,0&status=good&sort=-size&subject=7'),
    )
    expect(read).toEqual({ ...everything, subjects: ['7'] })
    expect(problems).toHaveLength(6)
  })
})

describe('the file that keeps a table', () => {
  let folder: string
  const info = { key: 'angles.parquet', etag: 'one', sizeBytes: 7 }
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'headlight-tables-'))
  })
  afterAll(() => rm(folder, { recursive: true, force: true }))

  it('gives back the same arrays, to this user alone', async () => {
    const all = [
      tableRowOf({ key: 'ü/1.png', label: { yaw: 1, pitch: 2, roll: 3 }, subject: 'Ж' }),
      tableRowOf({ key: 'z', code: 'vanished' }),
    ]
    const arrays = await buildTable(await tableBytes(all))
    const path = tableFilePath(join(folder, 'new'), 'file:///out/set')
    await writeTableFile(path, info, arrays)
    expect(await readTableFile(path, info)).toEqual(arrays)
    expect((await stat(path)).mode & 0o777).toBe(0o600)
  })

  it('is of no use for another table, or when it is damaged, truncated or no such file', async () => {
    const path = tableFilePath(folder, 'file:///out/other')
    await writeTableFile(path, info, await buildTable(await tableBytes([tableRowOf({ key: 'a' })])))
    const whole = await readFile(path)
    expect(await readTableFile(path, { ...info, etag: 'two' })).toBeUndefined()
    expect(await readTableFile(path, { ...info, sizeBytes: 8 })).toBeUndefined()
    const damaged = Buffer.from(whole)
    damaged[damaged.length - 1] = (damaged.at(-1) ?? 0) ^ 1
    await writeFile(path, damaged)
    expect(await readTableFile(path, info)).toBeUndefined()
    await truncate(path, whole.length - 3)
    expect(await readTableFile(path, info)).toBeUndefined()
    await writeFile(path, 'something else')
    expect(await readTableFile(path, info)).toBeUndefined()
    expect(await readTableFile(join(folder, 'none'), info)).toBeUndefined()
  })
})
