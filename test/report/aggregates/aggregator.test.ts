import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { aggregatesSchema, type AngleErrors } from '../../../src/output/aggregates.ts'
import type { TableRow } from '../../../src/output/table.ts'
import { angleError, angleNames, type AngleName } from '../../../src/pose/euler.ts'
import { geodesicError } from '../../../src/pose/geodesic.ts'
import { Aggregator } from '../../../src/report/aggregates/aggregator.ts'
import { errorBinEdges } from '../../../src/report/aggregates/errorBins.ts'
import { countedNames, namedBytes, namedGroups } from '../../../src/report/aggregates/nameGroups.ts'
import { tableRowOf } from '../../support/tableRows.ts'

type Kind = AngleName | 'geodesic'

/** Not `fc.double`: nearly all of its numbers lie close to 0. */
const between = (least: number, most: number) => fc.integer({ min: least * 100, max: most * 100 }).map((n) => n / 100)
const angle = between(-180, 180)
const somewhere = fc.record({ yaw: angle, pitch: angle, roll: angle })
/** Most labels lie within the limit. */
const labelled = fc.record({ yaw: between(-110, 110), pitch: between(-90, 90), roll: between(-90, 90) })
const name = fc.option(fc.constantFrom('a', 'b', 'ä', ''))
const probability = fc.option(between(0, 1))

const rows: fc.Arbitrary<TableRow[]> = fc.array(
  fc
    .record({
      estimate: somewhere,
      label: fc.option(labelled),
      angles: fc.constantFrom<readonly AngleName[]>(angleNames, angleNames, ['yaw', 'pitch'], ['roll'], []),
      code: fc.option(fc.constantFrom('corrupt-image', 'bad-label'), { freq: 4 }),
      subject: name,
      sequence: name,
      probability,
    })
    .map(({ code, ...rest }) => (code === null ? tableRowOf(rest) : tableRowOf({ code }))),
  { maxLength: 60 },
)

/** The same again, each number for itself over all rows. */
function plain(all: readonly TableRow[]) {
  const ok = all.filter(({ status }) => status === 'ok')
  const group = (members: readonly TableRow[]) => ({ n: members.length, errors: errorsOf(members) })
  const named = (column: 'subject' | 'sequence') => {
    const names = [...new Set(ok.map((row) => row[column]).filter((found) => found !== null))]
    const groups = names.map((found) => ({ name: found, ...group(ok.filter((row) => row[column] === found)) }))
    const unnamed = ok.filter((row) => row[column] === null)
    return {
      named: groups.sort((a, b) => b.n - a.n || Buffer.compare(Buffer.from(a.name), Buffer.from(b.name))),
      others: null,
      unnamed: unnamed.length === 0 ? null : group(unnamed),
    }
  }
  const corner = (degrees: number | null) => {
    const wrapped = angleError(degrees ?? Number.NaN, 0)
    // A border belongs to the cell further from 0°, and −180° to the last one.
    return wrapped < 0 ? Math.max(-180, -15 - Math.floor(-wrapped / 15) * 15) : Math.floor(wrapped / 15) * 15
  }
  const placed = ok.flatMap((row) => {
    if (row.labelYaw !== null) return [{ row, by: 'label', yaw: corner(row.labelYaw), pitch: corner(row.labelPitch) }]
    if (row.yaw === null || row.pitch === null) return []
    return [{ row, by: 'estimate', yaw: corner(row.yaw), pitch: corner(row.pitch) }]
  })
  const cells = [...new Set(placed.map(({ yaw, pitch }) => pitch * 1000 + yaw))].sort((a, b) => a - b)
  return {
    schema: 1,
    errorBinEdges,
    all: group(ok),
    placedBy: {
      label: placed.filter(({ by }) => by === 'label').length,
      estimate: placed.filter(({ by }) => by === 'estimate').length,
      none: ok.length - placed.length,
    },
    cells: cells.map((number) => {
      const members = placed.filter(({ yaw, pitch }) => pitch * 1000 + yaw === number)
      return { yaw: members[0]?.yaw, pitch: members[0]?.pitch, ...group(members.map(({ row }) => row)) }
    }),
    subjects: named('subject'),
    sequences: named('sequence'),
    failures: Object.fromEntries(
      ['bad-label', 'corrupt-image']
        .map((code) => [code, all.filter((row) => row.code === code).length] as const)
        .filter(([, count]) => count > 0),
    ),
    confidence: Object.fromEntries(
      angleNames.flatMap((angle) => {
        const sure = ok.filter((row) => typeof row[`${angle}TopProbability`] === 'number')
        const tenthOf = (row: TableRow) => Math.min(9, Math.floor(Number(row[`${angle}TopProbability`]) * 10))
        const tenths = Array.from({ length: 10 }, (_, tenth) => sure.filter((row) => tenthOf(row) === tenth))
        const tenth = (members: TableRow[]) => ({ rows: members.length, ...sums(signedErrors(members, angle)) })
        return sure.length === 0 ? [] : [[angle, tenths.map(tenth)]]
      }),
    ),
  }
}

function errorsOf(members: readonly TableRow[]) {
  return Object.fromEntries(
    ([...angleNames, 'geodesic'] as const).flatMap((kind) => {
      const { signedSum, ...found } = sums(signedErrors(members, kind))
      if (found.n === 0) return []
      return [[kind, kind === 'geodesic' ? found : { ...found, signedSum }]]
    }),
  )
}

function signedErrors(members: readonly TableRow[], kind: Kind): number[] {
  return members.flatMap((row) => {
    const { labelYaw, labelPitch, labelRoll, yaw, pitch, roll } = row
    if (labelYaw === null || labelPitch === null || labelRoll === null) return []
    if ([labelYaw, labelPitch, labelRoll].some((label) => Math.abs(label) > 99)) return []
    if (kind !== 'geodesic') {
      const error = { yaw: row.errorYaw, pitch: row.errorPitch, roll: row.errorRoll }[kind]
      return error === null ? [] : [error]
    }
    if (yaw === null || pitch === null || roll === null) return []
    return [geodesicError({ yaw, pitch, roll }, { yaw: labelYaw, pitch: labelPitch, roll: labelRoll })]
  })
}

function sums(errors: readonly number[]): AngleErrors {
  const between = (bin: number) => {
    const [from = 0, to = 0] = errorBinEdges.slice(bin, bin + 2)
    return errors.map(Math.abs).filter((error) => error >= from && (error < to || (to === 180 && error === 180))).length
  }
  const counts = errorBinEdges.slice(1).map((_, bin): [number, number] => [bin, between(bin)])
  const sum = (values: readonly number[]) => values.reduce((total, value) => total + Math.round(value * 1e4), 0) / 1e4
  return {
    n: errors.length,
    absoluteSum: sum(errors.map((error) => Math.abs(Math.round(error * 1e4) / 1e4))),
    signedSum: sum(errors),
    histogram: counts.filter(([, count]) => count > 0),
  }
}

function aggregate(all: Iterable<TableRow>) {
  const aggregator = new Aggregator()
  for (const row of all) aggregator.addRow(row)
  return aggregator.finish()
}

describe('aggregates', () => {
  it('are what each number gives, reckoned for itself', () => {
    fc.assert(
      fc.property(rows, (all) => {
        const found = aggregate(all)
        expect(found).toEqual(plain(all))
        expect(aggregatesSchema.parse(structuredClone(found))).toEqual(found)
      }),
    )
  })

  it('know no order but that of keys: named groups by size, then name; cells by pitch, then yaw; codes by name', () => {
    const row = (subject: string, yaw: number, pitch: number) =>
      tableRowOf({ subject, sequence: null, estimate: { yaw, pitch, roll: 0 } })
    const all = [row('b', 20, 40), row('a', 50, -40), row('c', -20, 40), row('c', 3, 3), tableRowOf({ code: 'z' })]
    const found = aggregate([...all, tableRowOf({ code: 'a' })])
    expect(found.subjects.named.map((group) => group.name)).toEqual(['c', 'a', 'b'])
    expect(found.cells.map(({ yaw, pitch }) => [pitch, yaw])).toEqual([
      [-45, 45],
      [0, 0],
      [30, -30],
      [30, 15],
    ])
    expect(Object.keys(found.failures)).toEqual(['a', 'z'])
    expect(JSON.stringify(aggregate([tableRowOf({ code: 'a' }), ...all.toReversed()]))).toBe(JSON.stringify(found))
  })

  it('count the first names apart, write the largest of them, and pool the rest with their number', () => {
    const names = Array.from({ length: countedNames + 5 }, (_, i) => `name ${i}`)
    const row = (subject: string) => tableRowOf({ subject })
    const { subjects } = aggregate([...names.map(row), row('name 7'), row(`name ${countedNames + 4}`)])
    expect(subjects.named).toHaveLength(namedGroups)
    expect(subjects.named[0]).toMatchObject({ name: 'name 7', n: 2 })
    expect(subjects.others).toMatchObject({
      names: countedNames - namedGroups,
      isMore: true,
      n: countedNames - namedGroups + 6,
    })
    expect(aggregate(names.slice(0, countedNames).map(row)).subjects.others?.isMore).toBe(false)
  })

  it('stay below a megabyte with every cell, every bin and the longest names', () => {
    const found = aggregate(worstCase())
    expect(found.cells).toHaveLength(576)
    const full = found.cells.filter((cell) => cell.errors.geodesic?.histogram.length === errorBinEdges.length - 1)
    expect(full).toHaveLength(14 * 14)
    expect(found.all.errors.geodesic?.histogram).toHaveLength(errorBinEdges.length - 1)
    // As many digits in each count as 600 million images give; what names may take is fixed, however large counts are.
    const { subjects, sequences, ...rest } = found
    const text = JSON.stringify(rest, (name, value: unknown) => (name === 'histogram' ? many(value) : value))
    const written = Buffer.byteLength(text) + Buffer.byteLength(JSON.stringify({ subjects, sequences }))
    expect(written).toBeLessThan(1_000_000)
    expect(Buffer.byteLength(JSON.stringify(found.subjects.named))).toBeGreaterThan(0.9 * namedBytes)
  })
})

/** Errors in every bin of every angle in each cell that a label within ±99° can be in, and a row in each other cell. */
function* worstCase(): Generator<TableRow> {
  const corners = Array.from({ length: 24 }, (_, i) => i * 15 - 180)
  for (const [at, { yaw, pitch }] of corners.flatMap((y) => corners.map((p) => ({ yaw: y, pitch: p }))).entries()) {
    const name = `${'ä'.repeat(398)}${at}`
    // The cells at the edge begin at −105° and at 90°.
    // Within the cell: a border may be another's.
    const label = { yaw: Math.max(-99, yaw + 1), pitch: Math.max(-99, pitch + 1), roll: 0 }
    if (yaw < -105 || yaw > 90 || pitch < -105 || pitch > 90) {
      yield tableRowOf({ estimate: { yaw: yaw + 1, pitch: pitch + 1, roll: 0 }, subject: name, sequence: name })
      continue
    }
    for (const [bin, error] of errorBinEdges.slice(0, -1).entries()) {
      for (const angle of angleNames) {
        const estimate = { ...label, [angle]: angleError(label[angle] + error + 0.1, 0) }
        yield tableRowOf({ estimate, label, subject: name, sequence: name, probability: ((at + bin) % 10) / 10 })
      }
    }
  }
}

function many(histogram: unknown): unknown {
  return Array.isArray(histogram)
    ? histogram.map(([bin, count]: [number, number]) => [bin, count * 100_000])
    : histogram
}
