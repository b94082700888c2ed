import { describe, expect, it } from 'vitest'
import type { TableRow } from '../../../src/output/table.ts'
import { Aggregator } from '../../../src/report/aggregates/aggregator.ts'
import { standingOut } from '../../../src/report/charts/standsOut.ts'
import { subjectsSection } from '../../../src/report/charts/subjects.ts'
import { emptyPage } from '../../support/emptyPage.ts'
import { labelledRows } from '../../support/labelledRows.ts'

function aggregated(rows: readonly TableRow[]) {
  const aggregator = new Aggregator()
  for (const row of rows) aggregator.addRow(row)
  return aggregator.finish()
}

const section = (rows: readonly TableRow[]) => subjectsSection({ ...emptyPage(), aggregates: aggregated(rows) })
const bodies = (html: string) =>
  [...html.matchAll(/<tbody>(.*?)<\/table>/gs)].map(([, body = '']) =>
    body
      .split('<tr>')
      .slice(1)
      .map((row) => row.split(/<t[dh][^>]*>/).slice(1)),
  )

describe('a subject that stands out', () => {
  it('is one whose bias is unlike the others, and only in the angle in which it is', () => {
    const { subjects } = aggregated(labelledRows({ count: 3000, shifted: { subject: 2, by: 10 } }))
    const found = standingOut(subjects.named)
    expect(found.map(({ name, angle }) => [name, angle])).toEqual([['person 2', 'yaw']])
    expect(found[0]?.bias).toBeCloseTo(10, 0)
  })

  it('is none where all are off alike: that is the network', () => {
    const rows = labelledRows({ count: 3000 }).map((row) => ({ ...row, errorYaw: (row.errorYaw ?? 0) + 10 }))
    expect(standingOut(aggregated(rows).subjects.named)).toEqual([])
    const without = rows.map((row) =>
      row.subject === 'person 3' ? { ...row, errorYaw: (row.errorYaw ?? 0) - 10 } : row,
    )
    expect(standingOut(aggregated(without).subjects.named).map(({ name }) => name)).toEqual(['person 3'])
  })

  it('is none of fewer than five, nor one of fewer than 20 images', () => {
    const rows = labelledRows({ count: 3000, subjects: 4, shifted: { subject: 2, by: 10 } })
    expect(standingOut(aggregated(rows).subjects.named)).toEqual([])
    const few = labelledRows({ count: 3000, shifted: { subject: 2, by: 10 } })
    const kept = few.filter((row, i) => row.subject !== 'person 2' || i < 114)
    expect(kept.filter(({ subject }) => subject === 'person 2')).toHaveLength(19)
    expect(standingOut(aggregated(kept).subjects.named)).toEqual([])
  })

  it('is told above the table, marked in it, and drawn', () => {
    const html = section(labelledRows({ count: 3000, shifted: { subject: 2, by: 10 } }))
    expect(html).toMatch(/Standing out: <span class="key">person 2<\/span> with a bias in yaw of \+(9|10)\.\d°/)
    expect(html).toMatch(/<td class="out">◆ \+\d+\.\d\d/)
    expect(html).toMatch(
      /aria-label="Bias of each of 6 subjects, by angle; standing out: person 2 \+(9|10)\.\d° in yaw"/,
    )
  })
})

it('where no subject has enough images, none can stand out, and no empty chart is drawn', () => {
  const html = section(labelledRows({ count: 60 }))
  expect(html).toContain('None of the subjects can stand out: none of them has 20 labelled images or more.')
  expect(html).not.toContain('Bias of subjects')
  expect(html).toContain('<table')
})

describe('the table of subjects', () => {
  it('has what their rows amount to, the largest error first', () => {
    const rows = labelledRows({ count: 3000, shifted: { subject: 2, by: 10 } })
    const [subjects = []] = bodies(section(rows))
    expect(subjects[0]?.[0]).toBe('person 2')
    const errors = subjects.map((cells) => Number(cells[2]))
    expect(errors).toEqual(errors.toSorted((a, b) => b - a))
    const own = rows.filter(({ subject }) => subject === 'person 4')
    const mean = (value: (row: TableRow) => number) => own.reduce((sum, row) => sum + value(row), 0) / own.length
    const cells = subjects.find(([name]) => name === 'person 4') ?? []
    expect(cells[1]).toBe('500')
    expect(Number(cells[4])).toBeCloseTo(
      mean(({ errorPitch }) => Math.abs(errorPitch ?? 0)),
      2,
    )
    expect(Number(cells[7]?.replace('−', '-'))).toBeCloseTo(
      mean(({ errorPitch }) => errorPitch ?? 0),
      2,
    )
  })

  it('leaves sequences out that are the subjects under other names', () => {
    const rows = labelledRows({ count: 600 })
    expect(bodies(section(rows))).toHaveLength(2)
    const alike = rows.map((row) => ({ ...row, sequence: `take of ${row.subject}` }))
    expect(bodies(section(alike))).toHaveLength(1)
    expect(section(alike)).not.toContain('sequences')
  })

  it('has sequences alone where no subject is named, and nothing where neither is', () => {
    const rows = labelledRows({ count: 600 }).map((row) => ({ ...row, subject: null }))
    expect(bodies(section(rows)).map((table) => table.length)).toEqual([12])
    expect(section(rows.map((row) => ({ ...row, sequence: null })))).toBe('')
    expect(subjectsSection(emptyPage())).toBe('')
  })

  it('has the 200 largest, and says how many more there are', () => {
    const html = section(labelledRows({ count: 900, subjects: 230 }))
    expect(bodies(html)[0]).toHaveLength(200)
    expect(html).toContain('Smaller subjects that are not shown: 30.')
  })

  it('has a smaller one too that stands out among all that are named', () => {
    // All have 20 images, so that the order of names decides; this one's is the last.
    const rows = labelledRows({ count: 4600, subjects: 230, shifted: { subject: 99, by: 10 } })
    const html = section(rows)
    expect(html).toContain('Standing out: <span class="key">person 99</span>')
    expect(html).toContain('The 200 largest subjects and 1 smaller that stands out')
    expect(html).toContain('that of all subjects with 20 images or more')
    expect(bodies(html)[0]?.map(([name]) => name)).toContain('person 99')
    expect(bodies(html)[0]).toHaveLength(201)
    expect(html).toContain('Smaller subjects that are not shown: 29.')
    expect(html).toContain('Bias of each of 230 subjects')
  })

  it('lets no name be markup', () => {
    const hostile = `<script>alert('x')</script>"><img src=x>`
    const rows = labelledRows({ count: 600, shifted: { subject: 0, by: 20 } }).map((row) =>
      row.subject === 'person 0' ? { ...row, subject: hostile } : row,
    )
    const html = section(rows)
    expect(html).not.toMatch(/<script|<img/)
    // In the line above, as the name of its row and, cut short, in the drawing and its own name.
    expect(html.split('&lt;img src=x&gt;').length - 1).toBeGreaterThanOrEqual(4)
  })
})
