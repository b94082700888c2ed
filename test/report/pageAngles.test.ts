import { expect, test } from 'vitest'
import type { Summary } from '../../src/output/summary.ts'
import { anglesSection } from '../../src/report/pageAngles.ts'
import { emptyPage } from '../support/emptyPage.ts'
import { emptySummary } from '../support/emptySummary.ts'

const summary: Summary = { ...emptySummary, counts: { ...emptySummary.counts, total: 3, computed: 3 } }

function section(partialErrors: Summary['partialErrors']): string {
  return anglesSection({
    ...emptyPage(),
    summary: partialErrors === undefined ? summary : { ...summary, partialErrors },
  })
}

test('the report shows the errors of a network that gives only some of the angles', () => {
  const html = section({
    n: 2,
    excluded: 1,
    mae: { yaw: 2.5, pitch: 3 },
    median: { yaw: 2, pitch: 3.25 },
    bias: { yaw: -1.5, pitch: 1 },
  })
  const cells = [...html.matchAll(/<td class="number">(.*?)<\/td>/g)].map(([, text]) => text)
  expect(cells).toEqual(['2.50°', '3.00°', '2.00°', '3.25°', '−1.50°', '+1.00°'])
  expect(html).not.toMatch(/<th[^>]*>(?:roll|mean)</)
  expect(html).toContain('Over n = 2 images. 1 more is excluded by convention')
  expect(html).toContain('The network gives no roll, so there is no geodesic error.')
})

test('and says so where there is none', () => {
  expect(section(undefined)).toContain('there is no angle error to report')
})
