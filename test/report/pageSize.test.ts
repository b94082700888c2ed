import { expect, it } from 'vitest'
import { Aggregator } from '../../src/report/aggregates/aggregator.ts'
import { atlasGrid } from '../../src/report/atlas/atlasGrid.ts'
import { atlasBudget, type DrawnAtlas } from '../../src/report/atlas/drawAtlas.ts'
import { galleryBudget } from '../../src/report/fitGallery.ts'
import { renderPage } from '../../src/report/page.ts'
import type { GallerySample, PageContent } from '../../src/report/pageContent.ts'
import { emptyPage } from '../support/emptyPage.ts'
import { labelledRows } from '../support/labelledRows.ts'
import { cellOf, poseMaps } from '../support/poseMaps.ts'

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

/** Half of the circle, four objectives, and pictures that use up what they may take. */
function fullAtlas(): DrawnAtlas {
  const cells = Array.from({ length: 300 }, (_, cell) => [cell, cellOf(200, () => 1)] as const)
  const grid = atlasGrid(poseMaps(['yaw'], cells)) ?? null
  const common = { scale: { low: 0, high: 9.87 }, n: 60_000, counts: new Map(cells.map(([cell]) => [cell, 1234])) }
  // As text it is a third longer.
  const webp = new Uint8Array((atlasBudget / 9) * 0.75)
  const maps = ['yaw', 'pitch', 'roll', 'sum'].flatMap((objective) =>
    (['mean', 'difference'] as const).map((view) => ({ ...common, view, objective, webp })),
  )
  return { grid, pictures: [...maps, { ...common, view: 'input', objective: null, webp }], left: 0 }
}

/** 400 samples that use up what the gallery may take. */
function fullGallery(): GallerySample[] {
  const samples = Array.from({ length: 400 }, (_, order) => ({
    key: `a folder of some length/another/${order}.png`,
    order,
    estimate: [-12.345678, 1.234567, 2.345678],
    label: [-12, 1, 2],
    error: [-0.345678, 0.234567, 0.345678],
    top: null,
    mean: 0.3089743,
    worst: true,
    spaced: false,
    picture: '',
    notes: [],
  }))
  const picture = 'x'.repeat((galleryBudget - JSON.stringify(samples).length) / samples.length)
  return samples.map((sample) => ({ ...sample, picture }))
}

it('a page of everything is below 3 MB', () => {
  const objectives = ['yaw', 'pitch', 'roll', 'sum']
  const page = renderPage({ ...fullPage(), atlas: fullAtlas(), samples: fullGallery(), objectives })
  expect(Buffer.byteLength(page)).toBeGreaterThan(galleryBudget + atlasBudget)
  expect(Buffer.byteLength(page)).toBeLessThan(3_000_000)
})

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
