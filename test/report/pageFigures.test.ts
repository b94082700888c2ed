import { expect, it } from 'vitest'
import type { Summary } from '../../src/output/summary.ts'
import { renderPage } from '../../src/report/page.ts'
import { emptyPage } from '../support/emptyPage.ts'

const mae = (mean: number) => ({ yaw: mean, pitch: mean, roll: mean, mean })
const errors = { n: 50, excluded: 0, median: mae(1), geodesicMean: 1 }

function figure(parts: Partial<Summary>): string | undefined {
  const { summary } = emptyPage()
  const counts = { ...summary.counts, total: 60, computed: 9 }
  const html = renderPage({ ...emptyPage(), summary: { ...summary, counts, mae: mae(4), errors, ...parts } })
  return /<dt>mean absolute error<\/dt><dd>(.*?)<\/dd>/.exec(html)?.[1]
}

it('the error at the top of the page has this run’s own beside it, where that is over other images', () => {
  const thisRun = { n: 9, mae: mae(8.25), bias: null, errors: { ...errors, n: 9 }, failures: {} }
  expect(figure({ thisRun })).toBe('4.0° <small>this run’s own 8.3°</small>')
  expect(figure({ thisRun: { ...thisRun, n: 60, mae: mae(4) } })).toBe('4.0°')
  expect(figure({ thisRun: { ...thisRun, mae: null, errors: null } })).toBe('4.0°')
  expect(figure({})).toBe('4.0°')
})
