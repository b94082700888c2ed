import { describe, expect, it } from 'vitest'
import type { TableRow } from '../../../src/output/table.ts'
import { angleNames, type Pose } from '../../../src/pose/euler.ts'
import { Aggregator } from '../../../src/report/aggregates/aggregator.ts'
import { shareWithin } from '../../../src/report/charts/cumulativeErrors.ts'
import { poseErrorsSection } from '../../../src/report/charts/poseErrors.ts'
import { yawBands } from '../../../src/report/charts/yawBands.ts'
import { emptyPage } from '../../support/emptyPage.ts'
import { labelledRows } from '../../support/labelledRows.ts'
import { tableRowOf } from '../../support/tableRows.ts'

function aggregated(rows: readonly TableRow[]) {
  const aggregator = new Aggregator()
  for (const row of rows) aggregator.addRow(row)
  return aggregator.finish()
}

function section(rows: readonly TableRow[]): string {
  return poseErrorsSection({ ...emptyPage(), aggregates: aggregated(rows) })
}

/** The grids in the order of the page, the cells of each by what stands in them. */
function grids(html: string): { name: string; numbers: string[]; titles: string[]; hatched: number }[] {
  return [...html.matchAll(/<svg[^>]*aria-label="([^"]*over yaw and pitch[^"]*)"[^>]*>(.*?)<\/svg>/gs)].map(
    ([, name = '', svg = '']) => ({
      name,
      numbers: [
        ...(/<g class="numbers.*?<path class="centre"/s.exec(svg)?.[0] ?? '').matchAll(/<text[^>]*>([^<]*)</g),
      ].map(([, text = '']) => text),
      titles: [...svg.matchAll(/<title>(.*?)<\/title>/g)].map(([, text = '']) => text),
      hatched: svg.split('class="few"').length - 1,
    }),
  )
}

const at = (yaw: number, pitch: number, error: Partial<Pose>, count: number): TableRow[] =>
  Array.from({ length: count }, () =>
    tableRowOf({
      label: { yaw, pitch, roll: 0 },
      estimate: { yaw: yaw + (error.yaw ?? 0), pitch: pitch + (error.pitch ?? 0), roll: error.roll ?? 0 },
    }),
  )

describe('the grids of errors over pose', () => {
  it('show in each cell what the rows in it amount to', () => {
    const rows = labelledRows({ count: 4000 })
    const [mean, ...others] = grids(section(rows))
    expect(others.map(({ name }) => name.split(',')[0])).toEqual([
      ...angleNames.map((angle) => `Error in ${angle}`),
      ...angleNames.map((angle) => `Bias in ${angle}`),
    ])
    const inCell = rows.filter(
      ({ labelYaw, labelPitch }) =>
        labelYaw !== null &&
        labelYaw >= 30 &&
        labelYaw < 45 &&
        labelPitch !== null &&
        labelPitch >= -15 &&
        labelPitch < 0,
    )
    const average = (value: (row: TableRow) => number) =>
      inCell.reduce((sum, row) => sum + value(row), 0) / inCell.length
    const place = mean?.titles.indexOf(`yaw 30 to 45°, pitch −15 to 0°, n ${inCell.length}`) ?? -1
    expect(mean?.numbers[place]).toBe(
      average(
        ({ errorYaw, errorPitch, errorRoll }) =>
          (Math.abs(errorYaw ?? 0) + Math.abs(errorPitch ?? 0) + Math.abs(errorRoll ?? 0)) / 3,
      ).toFixed(1),
    )
    const table = section(rows)
    const row = new RegExp(`<tr><th scope="row">30<td>−15<td>${inCell.length}<td>(.*?)<tr>`)
      .exec(table)?.[1]
      ?.split('<td>')
    expect(row?.slice(1)).toEqual([
      average(({ errorYaw }) => Math.abs(errorYaw ?? 0)).toFixed(2),
      average(({ errorPitch }) => Math.abs(errorPitch ?? 0)).toFixed(2),
      average(({ errorRoll }) => Math.abs(errorRoll ?? 0)).toFixed(2),
      ...[
        average(({ errorYaw }) => errorYaw ?? 0),
        average(({ errorPitch }) => errorPitch ?? 0),
        average(({ errorRoll }) => errorRoll ?? 0),
      ].map((bias) => (bias > 0 ? '+' : '−') + Math.abs(bias).toFixed(2)),
    ])
  })

  it('give bias its sign, and a colour on its own side of the middle', () => {
    const html = section([...at(5, 5, { yaw: 3 }, 20), ...at(-5, 5, { yaw: -3 }, 20)])
    const svg = /aria-label="Bias in yaw[^>]*>(.*?)<\/svg>/s.exec(html)?.[1] ?? ''
    expect([...svg.matchAll(/<g class="d(\d)">.*?<text[^>]*>(.*?)</gs)].map(([, step, text]) => [step, text])).toEqual([
      ['1', '−3.0'],
      ['7', '+3.0'],
    ])
  })

  it('hatch cells of fewer than 20 images, which do not count for where the error is largest', () => {
    const html = section([...at(5, 5, { yaw: 3 }, 20), ...at(50, 5, { yaw: 60 }, 19)])
    expect(grids(html).map(({ hatched }) => hatched)).toEqual([1, 1, 1, 1, 1, 1, 1])
    expect(html).toContain('All of it is 1.0° at yaw 0 to 15°, pitch 0 to 15° (n 20).')
  })

  it('say by what images are placed, and leave out those whose label lies beyond ±99°', () => {
    const html = poseErrorsSection({
      ...emptyPage(),
      aggregates: aggregated([
        ...at(5, 5, { yaw: 3 }, 20),
        tableRowOf({ estimate: { yaw: 80, pitch: 0, roll: 0 } }),
        ...at(120, 5, { yaw: 9 }, 1),
      ]),
      summary: {
        ...emptyPage().summary,
        partialErrors: { n: 20, excluded: 1, mae: {}, median: {}, bias: {} },
      },
    })
    expect(html).toContain(
      'Images are placed by their labels (21). Those without a label are placed by their estimates and have no error (1).',
    )
    expect(html).toContain('an image with a label beyond ±99° has no error (1 of these).')
    expect(grids(html)[0]?.titles).toEqual(['yaw 0 to 15°, pitch 0 to 15°, n 20'])
  })

  it('of a network with one angle are one of the error and one of the bias', () => {
    const rows = at(5, 5, { yaw: 3 }, 30).map((row) => ({
      ...row,
      pitch: null,
      roll: null,
      errorPitch: null,
      errorRoll: null,
    }))
    expect(grids(section(rows)).map(({ name }) => name.split(',')[0])).toEqual(['Mean absolute error', 'Bias in yaw'])
  })
})

describe('errors over pose', () => {
  it('are left out where there is none, and for runs of earlier versions', () => {
    expect(poseErrorsSection(emptyPage())).toBe('')
    expect(section([])).toBe('')
    expect(
      section([tableRowOf({ estimate: { yaw: 1, pitch: 2, roll: 3 } }), tableRowOf({ code: 'corrupt-image' })]),
    ).toBe('')
  })

  it('without a place in the grid are their spread alone', () => {
    const rows = labelledRows({ count: 50 }).map((row) => ({ ...row, labelYaw: null, yaw: null, errorYaw: null }))
    const html = section(rows)
    expect(html).toContain('Share of images within an error')
    expect(grids(html)).toEqual([])
  })
})

describe('bands of |yaw|', () => {
  it('add up both sides, as if their rows had been in one cell', () => {
    const rows = labelledRows({ count: 3000 })
    const band = yawBands(aggregated(rows).cells, angleNames).find(({ from }) => from === 30)
    const within = rows.filter(({ labelYaw }) => Math.abs(labelYaw ?? 0) >= 30 && Math.abs(labelYaw ?? 0) < 45)
    const { yaw } = aggregated(within).all.errors
    expect(band?.errors.yaw?.n).toBe(within.length)
    expect(band?.errors.yaw?.histogram).toEqual(yaw?.histogram)
    expect(band?.errors.yaw?.absoluteSum).toBeCloseTo(yaw?.absoluteSum ?? 0, 6)
  })
})

describe('the cumulative curve', () => {
  it('is exact at the edges of bins, and ends at all', () => {
    const rows = labelledRows({ count: 1000 })
    const histogram = aggregated(rows).all.errors.pitch?.histogram ?? []
    for (const limit of [0.5, 2, 5, 10]) {
      const within = rows.filter(({ errorPitch }) => Math.abs(errorPitch ?? 0) < limit).length
      expect(shareWithin(histogram, limit)).toBeCloseTo(within / 1000, 12)
    }
    expect(shareWithin(histogram, 180)).toBe(1)
  })
})
