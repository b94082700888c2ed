import { createHash } from 'node:crypto'
import axe, { type AxeResults } from 'axe-core'
import { chromium, type Browser } from 'playwright-core'
import sharp from 'sharp'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createLogger } from '../../../src/base/telemetry.ts'
import { layout } from '../../../src/output/layout.ts'
import type { ResultSet } from '../../../src/output/resultSet.ts'
import { changePictures, picturedObjectives } from '../../../src/report/compare/changePictures.ts'
import { compareTables } from '../../../src/report/compare/compareTables.ts'
import { renderComparison } from '../../../src/report/compare/page/comparePage.ts'
import { browser } from '../../support/browser.ts'
import {
  placeIn,
  putComparedRun,
  resultSetOf,
  runIds,
  type ComparedSample,
  type Triple,
} from '../../support/comparedOutput.ts'
import { memoryOutput } from '../../support/memoryOutput.ts'
import { solidPng } from '../../support/reportFixture.ts'

const { signal } = new AbortController()
const log = createLogger('silent')
const [first, second] = runIds
const setA = resultSetOf({ id: 'a-all-00000001', network: 'a.pkl' })
const setB = resultSetOf({ id: 'b-all-00000002', network: 'b.pkl' })

interface Side {
  readonly set: ResultSet
  readonly samples: readonly ComparedSample[]
  readonly run?: string
}

/** The page of two runs of one output in which image and maps of each key in `stored` lie. */
async function page(a: Side, b: Side, stored: readonly string[] = []) {
  const output = memoryOutput()
  const dataset = memoryOutput()
  for (const { set, samples, run = first } of [a, b]) {
    await putComparedRun(output, set, samples, { run })
    for (const key of stored) {
      await dataset.put(key, await solidPng(64, 48, [200, 120, 40]))
      await output.put(`${set.id}/${layout.map('yaw', key)}`, await solidPng(32, 32, [90, 90, 90]))
    }
  }
  const stateRun = b.run ?? first
  const [tableA, tableB] = [a, b].map(({ set, run = first }) => ({ output, set, run, stateRun })) as never as [T, T]
  type T = Parameters<typeof compareTables>[0]['a']
  const { comparison, largest } = await compareTables({
    a: tableA,
    b: tableB,
    notes: [],
    signal,
    onProgress: () => undefined,
  })
  const datasets = { a: dataset, b: dataset }
  const pictures = await changePictures({ a: tableA, b: tableB, datasets, largest, signal, log })
  const objectives = picturedObjectives(tableA, tableB)
  const html = renderComparison({ comparison, pictures, objectives, headlightVersion: '0.0.0' })
  return { html, pictures, comparison }
}

const labelled = (
  error: (i: number) => number,
  names = (_i: number): Partial<ComparedSample> => ({}),
): ComparedSample[] =>
  Array.from({ length: 16 }, (_, i) => {
    const yaw = -75 + 10 * i
    return {
      key: `k${String(i).padStart(2, '0')}.png`,
      estimate: [yaw + error(i), 1, 1] as Triple,
      label: [yaw, 0, 0] as Triple,
      maps: [0.2],
      ...names(i),
    }
  })

const sectionsOf = (html: string) => [...html.matchAll(/<section id="([a-z]+)"/g)].map(([, id]) => id)

describe('the page of a comparison', () => {
  it('needs nothing beside itself and runs nothing: pictures inside, no script, one style known by its digest', async () => {
    const { html } = await page(
      { set: setA, samples: labelled(() => 1) },
      { set: setB, samples: labelled((i) => i / 4) },
      ['k15.png'],
    )
    const style = /<style>(.*?)<\/style>/s.exec(html)?.[1] ?? ''
    const digest = createHash('sha256').update(style).digest('base64')
    expect(html).toContain(
      `default-src 'none'; img-src data:; style-src 'sha256-${digest}'; base-uri 'none'; form-action 'none'`,
    )
    expect(html).not.toMatch(/<script|\sstyle="|\son\w+="|(src|href)="(?!data:image\/webp|#)|url\(/)
    const picture = /<img src="data:image\/webp;base64,([^"]+)" width="(\d+)"/.exec(html)
    const { format, width } = await sharp(Buffer.from(picture?.[1] ?? '', 'base64')).metadata()
    expect([format, String(width)]).toEqual(['webp', picture?.[2]])
    expect(html.length).toBeLessThan(3_000_000)
  })

  it('shows the difference with its interval, over pose, by subject, and the images that changed most', async () => {
    const subject = (i: number) => ({ subject: `s${i % 12}` })
    const far = (i: number) => (Math.abs(-75 + 10 * i) > 60 ? 9 : 1)
    const { html } = await page(
      { set: setA, samples: labelled(() => 1, subject) },
      { set: setB, samples: labelled(far, subject) },
    )
    expect(sectionsOf(html)).toEqual(['difference', 'pose', 'subjects', 'images', 'maps', 'changes', 'made'])
    expect(html).toMatch(
      /The mean error of B is 0\.\d\d° larger than that of A; the interval, \+0\.\d\d° to \+\d\.\d\d°, does not hold 0\./,
    )
    expect(html).toContain('Intervals by resampling 12 subjects')
    // Grids of yaw, which changed, and of the mean; not of pitch and roll, which did not.
    expect(html).toContain('<h3>B − A of the error in yaw</h3>')
    expect(html).not.toContain('<h3>B − A of the error in roll</h3>')
    expect(html.match(/<li class="card">/g)).toHaveLength(4)
  })

  it('says that chance alone may have made a difference whose interval holds 0', async () => {
    const { html } = await page(
      { set: setA, samples: labelled(() => 2) },
      { set: setB, samples: labelled((i) => (i % 2 === 0 ? 1 : 3.1)) },
    )
    expect(html).toContain('the interval holds 0, so that chance alone may have made the difference')
  })

  it('of tables without labels shows how far the estimates lie apart', async () => {
    const without = (error: number) => labelled(() => error).map((sample) => ({ ...sample, label: null }))
    const { html } = await page({ set: setA, samples: without(1) }, { set: setB, samples: without(5) })
    expect(html).toContain('No image that is compared has a label')
    expect(html).toContain('How far the estimates lie apart')
    expect(html).not.toMatch(/NaN|undefined|Infinity/)
  })

  it('of tables that say the same has no section without anything to say', async () => {
    const { html } = await page({ set: setA, samples: labelled(() => 1) }, { set: setB, samples: labelled(() => 1) })
    expect(sectionsOf(html)).toEqual(['difference', 'images', 'maps', 'made'])
    expect(html).toContain('No estimate differs.')
    expect(html).not.toMatch(/NaN|undefined|Infinity/)
  })

  it('says first what a night has brought and changed, which no pair shows', async () => {
    const added = { key: 'z.png', estimate: [24, 0, 0], label: [0, 0, 0], maps: [0.2] } as const
    const corrected = labelled(() => 1).map((sample, i) => (i === 0 ? { ...sample, fingerprint: 'another' } : sample))
    const { html } = await page(
      { set: setA, samples: labelled(() => 1) },
      { set: setA, samples: [...corrected, added], run: second },
    )
    expect(html).toContain('Labelled images only in B (1) have a mean error of 8.00°, all of A 1.00°.')
    expect(html).toContain('Changed ones (1) had a mean error of 1.00° in A and have 1.00° in B.')
    expect(html).toContain('<dt>only in B</dt><dd>1 <small>mean error 8.00°</small></dd>')
  })

  it('escapes what comes from the dataset', async () => {
    const evil = '<img src=x onerror=alert(1)>"\'&'
    const samples = (yaw: number): ComparedSample[] => [
      { key: `${evil}.png`, estimate: [yaw, 0, 0], label: [0, 0, 0], subject: evil, sequence: `q${evil}` },
      { key: `z${evil}.png`, ...(yaw > 1 ? { failed: 'corrupt-image' } : {}) },
    ]
    const { html } = await page({ set: setA, samples: samples(1) }, { set: setB, samples: samples(4) })
    expect(html).not.toContain(evil)
    expect(html).not.toMatch(/<img src=x/)
    expect(html).toContain('&lt;img src=x onerror=alert(1)&gt;')
  })
})

describe('maps of two runs of one result set', () => {
  const rows = (error: number, places: readonly (number | undefined)[]): ComparedSample[] =>
    places.map((slot, i) => ({
      key: `k${i}.png`,
      estimate: [error + i, 0, 0],
      label: [0, 0, 0],
      ...(slot === undefined ? { maps: [0.3] } : { place: placeIn(first, slot, 2) }),
    }))

  it('are shown where the state still has the row, and are placeholders with the reason where it does not', async () => {
    const { pictures, html } = await page(
      { set: setA, samples: rows(1, [undefined, undefined]), run: first },
      // The second row's maps are those of the first run still, though its estimate is told otherwise.
      { set: setA, samples: rows(5, [undefined, 1]), run: second },
      ['k0.png', 'k1.png'],
    )
    expect(pictures.map(({ a, b }) => [a.notes, b.notes])).toEqual([
      [['a later run has overwritten its map'], []],
      [[], []],
    ])
    expect(html).toContain('<span class="tag caution">a later run has overwritten its map</span>')
    expect(html).toContain('an earlier state')
  })

  it('that cannot be read now are placeholders, too', async () => {
    const { pictures } = await page(
      { set: setA, samples: labelled(() => 1) },
      { set: setB, samples: labelled((i) => i) },
    )
    expect(pictures[0]?.a.notes).toEqual(['the image cannot be read now', 'its map cannot be read now'])
  })
})

describe.skipIf(browser === undefined)('in a browser', () => {
  let opened: Browser
  beforeAll(async () => {
    opened = await chromium.launch({ executablePath: browser ?? '', args: ['--no-sandbox', '--disable-quic'] })
  })
  afterAll(() => opened?.close())

  it.each([
    ['light', 1200],
    ['dark', 400],
  ] as const)('axe finds no fault with the page, and it fits the window: %s, %i pixels', async (colorScheme, width) => {
    const names = (i: number) => ({ subject: `person ${i % 5}`, sequence: `take ${i % 8}` })
    const failed = { key: 'z.png', failed: 'corrupt-image' }
    const { html } = await page(
      { set: setA, samples: [...labelled(() => 1, names), failed] },
      { set: setB, samples: [...labelled((i) => i - 4, names), { key: 'z.png' }] },
      ['k15.png'],
    )
    const context = await opened.newContext({ colorScheme, viewport: { width, height: 900 } })
    const shown = await context.newPage()
    const complaints: string[] = []
    shown.on('console', (message) => complaints.push(message.text()))
    await shown.setContent(html)
    await shown.evaluate(axe.source)
    const { violations } = await shown.evaluate<AxeResults>('axe.run(document, { resultTypes: ["violations"] })')
    expect(violations.map(({ id, nodes }) => [id, nodes.map((node) => node.html)])).toEqual([])
    expect(await shown.evaluate('document.documentElement.scrollWidth')).toBe(width)
    expect(complaints).toEqual([])
    await context.close()
  })
})
