import { describe, expect, it } from 'vitest'
import type { TableRow } from '../../../src/output/table.ts'
import { Aggregator } from '../../../src/report/aggregates/aggregator.ts'
import { findings } from '../../../src/report/charts/findings.ts'
import { worseGroups } from '../../../src/report/charts/standsOut.ts'
import type { PageContent } from '../../../src/report/pageContent.ts'
import { emptyPage } from '../../support/emptyPage.ts'
import { labelledRows } from '../../support/labelledRows.ts'
import { figures, trendRun } from '../../support/trendRuns.ts'

function aggregated(rows: readonly TableRow[]) {
  const aggregator = new Aggregator()
  for (const row of rows) aggregator.addRow(row)
  return aggregator.finish()
}

const told = (content: Partial<PageContent>) => findings({ ...emptyPage(), ...content })
const ordinary = labelledRows({ count: 3000 })
/** Each fifth image belongs to a night, in turn; those of the fourth are off by twice as much. */
const nights = ordinary.map((row, i) => {
  const factor = i % 5 === 3 ? 2 : 1
  const scaled = (error: number | null) => (error === null ? null : error * factor)
  const errors = {
    errorYaw: scaled(row.errorYaw),
    errorPitch: scaled(row.errorPitch),
    errorRoll: scaled(row.errorRoll),
  }
  return { ...row, ...errors, sequence: `night <${i % 5}>` }
})

describe('what stands out, at the top of the page', () => {
  it('is a subject with a bias of its own, a sequence with large errors, and a run with them', () => {
    const shifted = labelledRows({ count: 3000, shifted: { subject: 2, by: 10 } })
    const subject = told({ aggregates: aggregated(shifted) })
    expect(subject).toMatch(/<a href="#subjects">subject<\/a> <span class="key">person 2<\/span>: bias in yaw \+(9|10)/)
    const sequence = told({ aggregates: aggregated(nights) })
    expect(sequence).toMatch(/sequence<\/a> <span class="key">night &lt;3&gt;<\/span>: error \d+\.\d°, the median/)
    expect(sequence.match(/<li>/g)).toHaveLength(1)
    const runs = [trendRun(0, figures(4)), trendRun(1, figures(8, 40)), trendRun(2, figures(4))]
    expect(told({ aggregates: aggregated(ordinary), runs })).toContain(
      '<span class="key">run 1</span>: error 8.0° over its own 40 labelled images, more than 1.5 times the usual',
    )
  })

  it('is said to be nothing where rules were applied and found nothing', () => {
    expect(told({ aggregates: aggregated(ordinary) })).toContain('No run, subject or sequence stands out')
  })

  it('is no word of a dataset without labels, nor of a result set of an earlier version', () => {
    const unlabelled = ordinary.map((row) => ({ ...row, errorYaw: null, errorPitch: null, errorRoll: null }))
    expect(told({ aggregates: aggregated(unlabelled) })).toBe('')
    expect(told({})).toBe('')
  })
})

it('an error stands out from those of two others at least, over 20 images', () => {
  const { sequences } = aggregated(nights)
  expect(worseGroups(sequences.named).map(({ name }) => name)).toEqual(['night <3>'])
  const ofThree = sequences.named.filter(({ name }) => /[123]/.test(name))
  expect(worseGroups(ofThree)).toHaveLength(1)
  expect(worseGroups(ofThree.slice(1))).toEqual([])
  expect(worseGroups(aggregated(nights.slice(0, 95)).sequences.named)).toEqual([])
})
