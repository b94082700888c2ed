import { expect, it } from 'vitest'
import { Aggregator } from '../../../src/report/aggregates/aggregator.ts'
import { renderPage } from '../../../src/report/page.ts'
import type { PageContent } from '../../../src/report/pageContent.ts'
import { emptyPage } from '../../support/emptyPage.ts'
import { labelledRows } from '../../support/labelledRows.ts'

/** Every cell that an error can be in, 200 subjects and 200 sequences shown, and 60 runs. */
function fullPage(): PageContent {
  const aggregator = new Aggregator()
  for (const row of labelledRows({ count: 12_000, subjects: 210, reach: 99, pitchReach: 99 })) {
    aggregator.addRow({ ...row, subject: `a person called ${row.subject}`, sequence: `a sequence of ${row.sequence}` })
  }
  const mae = { yaw: 4, pitch: 4, roll: 4, mean: 4 }
  const figures = {
    columns: ['yaw', 'pitch', 'roll', 'mean'],
    mae,
    median: mae,
    bias: undefined,
    n: 1000,
    excluded: 0,
    geodesicMean: 5,
  } as const
  const runs = Array.from({ length: 60 }, (_, i) => ({
    run: `20261101T0200${String(i).padStart(2, '0')}Z-a1b2c3`,
    closedAt: '2026-11-01T02:00:00.000Z',
    state: 'completed' as const,
    counts: { total: 1_000_000, computed: 12_345, unchanged: 987_655, failed: 1234, gone: 0 },
    imagesPerSecond: 812.3,
    stateErrors: figures,
    ownErrors: figures,
    ownFailed: 12,
  }))
  return { ...emptyPage(), aggregates: aggregator.finish(), runs }
}

it('charts and tables over the whole dataset take at most 250 KiB of the page, however large it is', () => {
  const content = fullPage()
  expect(content.aggregates?.cells).toHaveLength(14 * 14)
  expect(content.aggregates?.subjects.named.length).toBeGreaterThanOrEqual(200)
  expect(content.aggregates?.sequences.named.length).toBeGreaterThanOrEqual(200)
  const without = renderPage({ ...emptyPage() })
  const bytes = Buffer.byteLength(renderPage(content)) - Buffer.byteLength(without)
  expect(bytes).toBeGreaterThan(100_000)
  expect(bytes).toBeLessThan(250 * 1024)
})
