import { expect, test } from 'vitest'
import type { TableRow } from '../../../src/output/table.ts'
import { Aggregator } from '../../../src/report/aggregates/aggregator.ts'
import { confidenceSection } from '../../../src/report/charts/confidence.ts'
import { emptyPage } from '../../support/emptyPage.ts'
import { tableRowOf } from '../../support/tableRows.ts'

function section(rows: readonly TableRow[]): string {
  const aggregator = new Aggregator()
  for (const row of rows) aggregator.addRow(row)
  return confidenceSection({ ...emptyPage(), aggregates: aggregator.finish() })
}

const rows = (probability: number | null, error: number, count: number) =>
  Array.from({ length: count }, () =>
    tableRowOf({ probability, estimate: { yaw: error, pitch: -error, roll: 0 }, label: { yaw: 0, pitch: 0, roll: 0 } }),
  )

test('error by confidence has the mean error and the share of images of each tenth', () => {
  const html = section([...rows(0.15, 12, 30), ...rows(0.95, 2, 60), ...rows(1, 5, 10)])
  expect(html).toContain('Error in yaw: 12.0° at a probability of 0.1 to 0.2, 2.4° at 0.9 to 1.0.')
  expect(html).toContain('<tr><th scope="row">0.9 to 1.0<td>70<td>2.43<td>70<td>2.43<td>70<td>0.00')
  expect(html).toContain('<tr><th scope="row">0.0 to 0.1<td>0<td>–')
  const svg = /aria-label="Error in yaw[^>]*>(.*?)<\/svg>/s.exec(html)?.[1] ?? ''
  expect([...svg.matchAll(/text-anchor="middle">(12\.0|2\.4|30|70)</g)].map(([, text]) => text)).toEqual([
    '12.0',
    '2.4',
    '30',
    '70',
  ])
})

test('tenths of fewer than 20 images are hollow, and no finding', () => {
  const html = section([...rows(0.15, 12, 19), ...rows(0.95, 2, 60)])
  expect(html).not.toContain('Error in yaw is')
  expect(html).toMatch(/<path class="yaw hollow" d="M/)
})

test('it is left out of heads without bins, without labels, and of earlier versions', () => {
  expect(section(rows(null, 3, 30))).toBe('')
  expect(section([tableRowOf({ probability: 0.5 })])).toBe('')
  expect(confidenceSection(emptyPage())).toBe('')
})
