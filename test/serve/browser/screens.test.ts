import type { Browser } from 'playwright-core'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { addresses } from '../../../src/serve/addresses.ts'
import { everything } from '../../../src/serve/selection.ts'
import { appPage, launch, violationsOf, type AppPage } from '../../support/appPage.ts'
import { browser } from '../../support/browser.ts'
import type { Fixture } from '../../support/reportFixture.ts'
import {
  firstNight,
  publishSecondNight,
  secondNight,
  servedApp,
  servedOutput,
  type ServedApp,
} from '../../support/servedApp.ts'

describe.skipIf(browser === undefined)('every screen of the app', () => {
  let fixture: Fixture
  let app: ServedApp
  let opened: Browser
  let shown: AppPage | undefined

  beforeAll(async () => {
    fixture = await servedOutput()
    await publishSecondNight(fixture)
    app = await servedApp(fixture.output)
    opened = await launch()
  })
  afterAll(async () => {
    await opened?.close()
    await app?.close()
    await fixture?.remove()
  })
  afterEach(async () => {
    const complaints = shown?.complaints() ?? []
    await shown?.close()
    expect(complaints).toEqual([])
  })

  const screens: readonly (readonly [name: string, path: (set: string) => string, ready: string])[] = [
    ['sets', () => '/', '.sets-list a'],
    ['set', (set) => addresses.set(set), '#distributions .histogram'],
    ['browse, cards', (set) => addresses.browse(set, null, everything), '.rows img'],
    [
      'browse, table',
      (set) => addresses.browse(set, null, { ...everything, sort: 'meanError' }, { as: 'table' }),
      '.rows a',
    ],
    ['sample', (set) => addresses.sample(set, secondNight, 'heads/001.png', everything), '.neighbours img'],
    ['sample that failed', (set) => addresses.sample(set, secondNight, 'bad.png', everything), '.note'],
    ['compare', (set) => addresses.compare(`${set}/${firstNight}`, `${set}/${secondNight}`), 'main h2'],
    ['live', () => '/live', 'main h1'],
    ['nothing', () => '/nothing', 'main h1'],
  ]

  // Colours depend on the scheme alone, and the layout on the width alone.
  it.each([
    ['light', 1280],
    ['dark', 400],
  ] as const)(
    'has nothing that axe finds fault with, and fits the window: %s, %i pixels',
    async (colorScheme, width) => {
      shown = await appPage(opened, app, { colorScheme, viewport: { width, height: 800 } })
      const { page } = shown
      for (const [name, path, ready] of screens) {
        await shown.open(path(fixture.set.id))
        if (name === 'set') await page.locator('#distributions').scrollIntoViewIfNeeded()
        await page.locator(ready).first().waitFor()
        expect([name, await violationsOf(page)]).toEqual([name, []])
        expect([name, await page.evaluate('document.documentElement.scrollWidth')]).toEqual([name, width])
        expect([name, await page.title()]).not.toEqual([name, 'headlight'])
      }
    },
  )
})
