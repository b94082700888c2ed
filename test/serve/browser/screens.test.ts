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
      /** What an expression gives of the elements. */
      const each = async (selector: string, expression: string) =>
        new Set(
          await page.evaluate<unknown[]>(
            `[...document.querySelectorAll(${JSON.stringify(selector)})].map((element) => ${expression})`,
          ),
        )
      for (const [name, path, ready] of screens) {
        await shown.open(path(reader.set))
        if (name === 'set') await page.locator('#distributions').scrollIntoViewIfNeeded()
        await page.locator(ready).first().waitFor()
        expect([name, await violationsOf(page)]).toEqual([name, []])
        expect([name, await page.evaluate('document.documentElement.scrollWidth')]).toEqual([name, width])
        expect(await page.title()).toMatch(/ – headlight$/)
        if (name === 'set') {
          // No cell has enough images to choose the scale alone: all of them choose it.
          expect((await each('#pose-errors td a', 'element.parentElement.className')).size).toBeGreaterThan(2)
          expect(await page.locator('#pose-errors .scale').textContent()).toContain('and more')
          const size = 'element.clientWidth + " × " + element.clientHeight'
          expect(await each('#atlas .heat td:not(.corner)', size)).toEqual(new Set(['60 × 60']))
          // Each on one line.
          expect((await each('.runs tbody tr :is(th, td)', 'element.clientHeight')).size).toBe(1)
        }
        if (name === 'browse, cards') {
          expect(await page.locator('.rows a.card').first().locator('.tag').count()).toBeGreaterThan(0)
          expect(await each('.rows a.card', 'element.scrollHeight - element.clientHeight')).toEqual(new Set([0]))
        }
        if (name === 'browse, table') {
          const heads = await page.locator('.rows .head [role="columnheader"]').allTextContents()
          expect(heads.slice(0, 3)).toEqual(['key', 'mean error ↑', 'subject'])
          const key = page.locator('.rows .item .key').first()
          const left = (await key.boundingBox())?.x
          await page.evaluate('document.querySelector(".rows").scrollLeft = 200')
          expect((await key.boundingBox())?.x).toBe(left)
        }
      }
    },
  )
})
