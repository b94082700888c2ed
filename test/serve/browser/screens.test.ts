import { describe, expect, it } from 'vitest'
import { addresses } from '../../../src/serve/addresses.ts'
import { everything } from '../../../src/serve/selection.ts'
import { useAppInBrowser, violationsOf } from '../../support/appPage.ts'
import { browser } from '../../support/browser.ts'
import { firstNight, publishSecondNight, secondNight } from '../../support/servedApp.ts'

describe.skipIf(browser === undefined)('every screen of the app', () => {
  const reader = useAppInBrowser(publishSecondNight)

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
      const shown = await reader.newPage({ colorScheme, viewport: { width, height: 800 } })
      const { page } = shown
      for (const [name, path, ready] of screens) {
        await shown.open(path(reader.set))
        if (name === 'set') await page.locator('#distributions').scrollIntoViewIfNeeded()
        await page.locator(ready).first().waitFor()
        expect([name, await violationsOf(page)]).toEqual([name, []])
        expect([name, await page.evaluate('document.documentElement.scrollWidth')]).toEqual([name, width])
        expect([name, await page.title()]).not.toEqual([name, 'headlight'])
      }
    },
  )
})
