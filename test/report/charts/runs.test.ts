import { describe, expect, it } from 'vitest'
import { drawnRuns } from '../../../src/report/charts/drawnRuns.ts'
import { runsSection } from '../../../src/report/charts/runs.ts'
import type { ErrorFigures } from '../../../src/report/errorFigures.ts'
import type { TrendRun } from '../../../src/report/trend.ts'
import { emptyPage } from '../../support/emptyPage.ts'
import { figures, trendRun as run } from '../../support/trendRuns.ts'

const section = (runs: readonly TrendRun[]) => runsSection({ ...emptyPage(), runs })
/** How many dots of own errors there are; the legend's comes before them, and stems have the same heads after them. */
const ownErrors = (html: string) => {
  const [, drawn] = [...html.matchAll(/<path class="own-error" d="([^"]*)"/g)]
  return (drawn?.[1] ?? '').split('M').length - 1
}

describe('a run that stands out', () => {
  it('has more than 1.5 times the median error of the runs before it', () => {
    const errors = [4, 4.2, 3.9, 6.5, 6.4, 4, 6]
    const worse = drawnRuns(errors.map((error, i) => run(i, figures(error)))).map(({ isWorse }) => isWorse)
    // The median before the fourth is 4, before the fifth 4.1: one bad night does not make the next one usual.
    expect(worse).toEqual([false, false, false, true, true, false, false])
  })

  it('is none of fewer than 20 labelled images, which do not count for those after it either', () => {
    const runs = [run(0, figures(4)), run(1, figures(40, 19)), run(2, figures(9))]
    expect(drawnRuns(runs).map(({ isWorse }) => isWorse)).toEqual([false, false, true])
  })

  it('is told above the chart, marked in it, and in the table', () => {
    const html = section([run(0, figures(4)), run(1, figures(8.5)), run(2, figures(4))])
    expect(html).toContain('Standing out: <span class="key">run 1</span> with 8.5° over its own 1,000 labelled images.')
    expect(html).toContain('text-anchor="middle">8.5</text>')
    expect(html).toContain('<td class="out">◆ 8.50')
    expect(ownErrors(html)).toBe(2)
  })

  it('by a network of one angle is found by that angle', () => {
    const only = (roll: number): ErrorFigures => ({ ...figures(0), columns: ['roll'], mae: { roll } })
    const [, second] = drawnRuns([run(0, only(4)), run(1, only(9))])
    expect(second).toMatchObject({ ownError: 9, isWorse: true })
  })
})

describe('the course of runs', () => {
  it('leaves a gap for runs of earlier versions, and says so', () => {
    const old = { ownFailed: null }
    const html = section([run(0, null, old), run(1, null, old), run(2, figures(4))])
    expect(html).toContain('2 of them are of an earlier version')
    expect(ownErrors(html)).toBe(1)
    expect(section([run(0, null, old), run(1, null, old)])).toContain('These runs are of an earlier version')
  })

  it('breaks the line where the state has no error', () => {
    const html = section([run(0, figures(4)), run(1, null, { stateErrors: null }), run(2, figures(4))])
    const [, line] = [...html.matchAll(/<path class="state" d="([^"]*)"/g)]
    expect(line?.[1]).toMatch(/^M[\d.]+ [\d.]+h0M[\d.]+ [\d.]+h0$/)
  })

  it('needs two runs, and holds 60', () => {
    expect(section([run(0, figures(4))])).toBe('')
    const html = section(Array.from({ length: 60 }, (_, i) => run(i, figures(4))))
    expect(html.split('class="hit"')).toHaveLength(61)
    expect(html).toContain('No run stands out by its own error.')
  })

  it('lets no run’s name be markup', () => {
    const html = section([run(0, figures(4)), run(1, figures(9), { run: '<script>x</script>' })])
    expect(html).not.toContain('<script')
    expect(html.split('&lt;script&gt;')).toHaveLength(4)
  })

  it('has a point where a run computed nothing, and no speed', () => {
    const idle = {
      counts: { total: 9, computed: 0, unchanged: 9, failed: 0, gone: 0 },
      imagesPerSecond: null,
      ownFailed: 0,
    }
    const html = section([run(0, figures(4)), run(1, null, idle)])
    expect(html).not.toContain('of a version')
    expect(html).toContain('<td>0<td>0<td>9<td>0<td>–<td>–<td>4.00')
  })
})
