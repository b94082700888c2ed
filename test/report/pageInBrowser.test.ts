import { fileURLToPath, pathToFileURL } from 'node:url'
import axe, { type AxeResults } from 'axe-core'
import { chromium, type Browser, type Page } from 'playwright-core'
import sharp from 'sharp'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { createLogger } from '../../src/base/telemetry.ts'
import { layout } from '../../src/output/layout.ts'
import { writeReport } from '../../src/report/writeReport.ts'
import { browser } from '../support/browser.ts'
import { makeResultSet, type Fixture, type FixtureSample } from '../support/reportFixture.ts'

/** Poses from −40° to 40°, one of each kind of trouble, and every section that a report can have. */
function samples(): FixtureSample[] {
  const ok = Array.from({ length: 60 }, (_, i): FixtureSample => {
    const [yaw, pitch] = [15 * (i % 6) - 38, 15 * (Math.floor(i / 6) % 4) - 22]
    const label = [yaw, pitch, 0] as const
    const names = { subject: `person ${i % 9}`, sequence: `take ${i % 4}` }
    return { key: `k/${i}.png`, label, estimate: [yaw + (i % 5), pitch - 1, 2], confidence: (i % 10) / 10, ...names }
  })
  return [
    ...ok,
    { key: 'no label/50%#1?.PNG', label: null },
    { key: 'ü:頭/faulty.jpg', labelFault: 'yaw is no number' },
    { key: 'bad.png', failed: { code: 'corrupt-image', message: 'the file ends early' } },
  ]
}

describe.skipIf(browser === undefined)('a report in a browser', () => {
  let fixture: Fixture
  let opened: Browser
  let page: Page
  /** What the browser complained of: the policy of the page, and scripts that threw. */
  const complaints: string[] = []

  beforeAll(async () => {
    fixture = await makeResultSet({
      samples: samples(),
      objectives: ['yaw', '-yaw', 'pitch'],
      mapCorrelations: { 'yaw~-yaw': 0.91, 'yaw~pitch': 0.93 },
      aggregated: true,
    })
    const { output, dataset, set, summary } = fixture
    const { signal } = new AbortController()
    await writeReport({ output, dataset, set, summary, signal, log: createLogger('silent') })
    opened = await chromium.launch({ executablePath: browser ?? '', args: ['--no-sandbox', '--disable-quic'] })
  })

  afterAll(async () => {
    await opened?.close()
    await fixture?.remove()
  })

  afterEach(async () => {
    await page.context().close()
    expect(complaints.splice(0)).toEqual([])
  })

  async function open(options: Parameters<Browser['newContext']>[0]): Promise<void> {
    const context = await opened.newContext(options)
    page = await context.newPage()
    page.on('pageerror', ({ message }) => complaints.push(message))
    page.on('console', (message) => complaints.push(message.text()))
    const { output, set } = fixture
    await page.goto(pathToFileURL(`${fileURLToPath(output.uri)}${layout.report(set.id)}`).href)
  }

  it.each([
    ['light', 1200],
    // Colours depend on the scheme alone, and the layout on the width alone.
    ['dark', 400],
  ] as const)(
    'has nothing that axe finds fault with, and fits the window: %s, %i pixels',
    async (colorScheme, width) => {
      await open({ colorScheme, viewport: { width, height: 900 } })
      expect(await page.locator('h2').allTextContents()).toContain('Atlas over pose')
      await page.evaluate(axe.source)
      const { violations } = await page.evaluate<AxeResults>('axe.run(document, { resultTypes: ["violations"] })')
      expect(violations.map(({ id, nodes }) => [id, nodes.map(({ html }) => html)])).toEqual([])
      expect(await page.evaluate('document.documentElement.scrollWidth')).toBe(width)
    },
  )

  it('sorts a table by its heads, with the keyboard too, and says by which and how', async () => {
    await open({ viewport: { width: 1200, height: 900 } })
    const table = page.locator('#subjects table').first()
    const column = (at: number) => table.locator(`tbody tr > :nth-child(${at + 1})`).allTextContents()
    const sorted = () =>
      table.locator('th[aria-sort]').evaluateAll((heads) => heads.map((head) => [head.textContent, head.ariaSort]))
    const numbers = (texts: readonly string[]) => texts.map((text) => Math.abs(Number(text.replace('−', '-'))))
    expect(await sorted()).toEqual([['error', 'descending']])
    await table.getByRole('button', { name: 'yaw bias' }).click()
    expect(await sorted()).toEqual([['yaw bias', 'descending']])
    const down = numbers(await column(6))
    expect(down).toEqual(down.toSorted((a, b) => b - a))
    expect(new Set(down).size).toBeGreaterThan(1)
    await page.keyboard.press('Enter')
    expect(await sorted()).toEqual([['yaw bias', 'ascending']])
    expect(numbers(await column(6))).toEqual(down.toReversed())
    await table.getByRole('button', { name: 'subject' }).click()
    expect(await column(0)).toEqual(Array.from({ length: 9 }, (_, i) => `person ${i}`))
  })

  it('links to the stored maps of an image, whatever its key', async () => {
    await open({ viewport: { width: 1200, height: 900 }, reducedMotion: 'reduce' })
    const { output, set } = fixture
    for (const key of ['no label/50%#1?.PNG', 'ü:頭/faulty.jpg']) {
      await page.locator('#search').fill(key)
      await page.locator('.card button').click()
      const links = await page
        .locator('#large a')
        .evaluateAll((found) => found.map((link) => Reflect.get(link, 'href')))
      const maps = ['yaw', '-yaw', 'pitch'].map((objective) => `${set.id}/${layout.map(objective, key)}`)
      expect(links.map((link) => fileURLToPath(String(link)))).toEqual(
        maps.map((map) => `${fileURLToPath(output.uri)}${map}`),
      )
      expect(await Promise.all(maps.map(async (map) => (await output.head(map))?.key))).toEqual(maps)
      await page.locator('#sample-close').click()
    }
  })

  describe('the atlas', () => {
    const focused = () => page.evaluate<string>('document.activeElement.getAttribute("aria-label")')
    const title = () => page.locator('#atlas-title').textContent()

    it('is walked through by keyboard: one stop for the tab key, arrows within', async () => {
      await open({ viewport: { width: 1200, height: 900 } })
      await page.locator('#atlas-save').focus()
      await page.keyboard.press('Tab')
      await page.keyboard.press('Control+Home')
      expect(await focused()).toContain('pitch 15 to 30°')
      await page.keyboard.press('Home')
      expect(await focused()).toContain('yaw −45 to −30°, pitch 15 to 30°')
      await page.keyboard.press('ArrowLeft')
      expect(await focused()).toContain('yaw −45 to −30°, pitch 15 to 30°')
      await page.keyboard.press('ArrowRight')
      await page.keyboard.press('ArrowDown')
      expect(await focused()).toMatch(/^yaw −30 to −15°, pitch 0 to 15°, \d+ images?, yaw mean error \d\.\d°/)
      expect(await page.locator('#atlas-cell').textContent()).toBe('yaw −30 to −15°, pitch 0 to 15°')
      expect(await page.locator('#atlas-numbers tbody tr').count()).toBe(3)
      // The arrows turn the gallery's pages elsewhere.
      expect(await page.locator('#position').textContent()).toBe('page 1 of 3')
      await page.keyboard.press('Tab')
      expect(await page.locator('#atlas-grid [tabindex="0"]').count()).toBe(1)
      expect(await page.evaluate('document.activeElement.closest("#atlas-grid")')).toBeNull()
    })

    it('changes objective and view by its buttons, and the counts to those of the inputs', async () => {
      await open({ viewport: { width: 1200, height: 900 }, reducedMotion: 'reduce' })
      expect(await title()).toBe('mean map, objective yaw')
      const counts = () => page.locator('#atlas-grid .n').allTextContents()
      const maps = await counts()
      await page.locator('[name=atlas-objective]').first().focus()
      await page.keyboard.press('ArrowDown')
      expect(await title()).toBe('mean map, objective -yaw')
      await page.getByText('difference from the overall mean', { exact: true }).click()
      expect(await title()).toBe('difference from the overall mean map, objective -yaw')
      expect(await counts()).toEqual(maps)
      await page.getByText('mean input', { exact: true }).click()
      expect(await title()).toBe('mean input')
      const total = (texts: readonly string[]) => texts.reduce((sum, text) => sum + Number(text), 0)
      expect([total(maps), total(await counts())]).toEqual([62, 55])
    })

    it('blinks between map and input until it is told to stop', async () => {
      await open({ viewport: { width: 1200, height: 900 } })
      await page.clock.install()
      await page.locator('#atlas-blink').click()
      const seen = [await title()]
      for (let i = 0; i < 2; i++) {
        await page.clock.runFor(700)
        seen.push(await title())
      }
      expect(seen).toEqual(['mean input', 'mean map, objective yaw', 'mean input'])
      await page.keyboard.press('b')
      await page.clock.runFor(5000)
      expect(await title()).toBe('mean input')
    })

    it('never blinks by itself for who wants no motion', async () => {
      await open({ viewport: { width: 1200, height: 900 }, reducedMotion: 'reduce' })
      await page.clock.install()
      await page.locator('#atlas-blink').press('b')
      expect(await title()).toBe('mean input')
      await page.clock.runFor(5000)
      expect(await title()).toBe('mean input')
      await page.locator('#atlas-blink').click()
      expect(await title()).toBe('mean map, objective yaw')
    })

    it('is saved as a picture with its tiles and their hatching', async () => {
      await open({ viewport: { width: 1200, height: 900 } })
      const [download] = await Promise.all([page.waitForEvent('download'), page.locator('#atlas-save').click()])
      expect(download.suggestedFilename()).toBe('atlas-mean-map-objective-yaw.png')
      const corner = { left: 2 * 52, top: 2 * 36, width: 10, height: 10 }
      const pixels = await sharp(await download.path())
        .extract(corner)
        .flatten()
        .raw()
        .toBuffer()
      // Of the first tile: dark, as what the network does not react to is, on a white page.
      expect(pixels.reduce((sum, level) => sum + level, 0) / pixels.length).toBeLessThan(60)
      // It is of few images, so that a bright line of the hatching crosses it.
      expect(Math.max(...pixels)).toBeGreaterThan(100)
    })
  })
})
