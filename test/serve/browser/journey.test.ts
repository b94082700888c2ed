import { describe, expect, it } from 'vitest'
import { addresses } from '../../../src/serve/addresses.ts'
import { everything } from '../../../src/serve/selection.ts'
import { useAppInBrowser, type AppPage } from '../../support/appPage.ts'
import { browser } from '../../support/browser.ts'
import { firstNight, hostileKeys, publishSecondNight, secondNight } from '../../support/servedApp.ts'

describe.skipIf(browser === undefined)('a reader of the app', () => {
  const reader = useAppInBrowser()
  let shown: AppPage

  const focused = () =>
    shown.page.evaluate<string>(
      'document.activeElement.getAttribute("aria-label") ?? document.activeElement.textContent',
    )
  /** Keys of the cards or lines that are there, in their order. */
  const keys = () => shown.page.locator('.rows .item .key').allTextContents()

  it('goes by keyboard from the atlas to images, to one of them, and back', async () => {
    shown = await reader.newPage()
    const { page } = shown
    await shown.open(addresses.set(reader.set))
    await page.locator('table.heat a[tabindex="0"]').first().focus()
    await page.keyboard.press('Home')
    expect(await focused()).toContain('yaw −60 to −45°, pitch')
    await page.keyboard.press('ArrowRight')
    await page.keyboard.press('ArrowDown')
    const cell = await focused()
    expect(cell).toMatch(/^yaw −45 to −30°, pitch -?−?\d+ to .*: mean map, objective yaw of \d+ images?$/)
    const n = Number(/of (\d+) image/.exec(cell)?.[1])
    await page.keyboard.press('Enter')
    await page.locator('.browse .count', { hasText: `${n} of 99 images` }).waitFor()
    expect(page.url()).toContain('cell=-45%2C')
    expect(await page.locator('.chips').textContent()).toContain('yaw −45 to −30°')
    await page.locator('.rows .item a').first().waitFor()
    const listed = await keys()
    expect(listed).toHaveLength(n)
    await page.locator('.rows .item a[tabindex="0"]').focus()
    await page.keyboard.press('ArrowRight')
    await page.locator('.rows [data-active] a:focus').waitFor()
    expect(await page.locator('.rows .item a:focus .key').textContent()).toBe(listed[1])
    await page.keyboard.press('Enter')
    await page.locator('.sample h1', { hasText: listed[1] ?? '' }).waitFor()
    await page.locator('.turning', { hasText: `2 of ${n}` }).waitFor()
    await page.keyboard.press('ArrowRight')
    await page.locator('.sample h1', { hasText: listed[2] ?? '' }).waitFor()
    await page.goBack()
    await page.locator('.sample h1', { hasText: listed[1] ?? '' }).waitFor()
    await page.goBack()
    // Back is where the reader left: at the image that was opened, and at the cell.
    await page.locator('.rows .item a:focus .key', { hasText: listed[1] ?? '' }).waitFor()
    await page.locator('.browse .count', { hasText: `${n} of 99 images` }).waitFor()
    expect(await keys()).toEqual(listed)
    await page.goBack()
    await page.locator('table.heat a:focus').waitFor()
    expect(await focused()).toBe(cell)
  })

  it('comes back to a set as it was left: what was chosen, and how far it was scrolled', async () => {
    shown = await reader.newPage()
    const { page } = shown
    await shown.open(addresses.set(reader.set))
    await page.locator('#atlas select').nth(0).selectOption('pitch')
    await page.locator('#atlas select').nth(1).selectOption('difference')
    await page.locator('#pose-errors select').selectOption('bias-yaw')
    await page.locator('#subjects button', { hasText: 'images' }).first().click()
    await page.locator('#distributions').scrollIntoViewIfNeeded()
    await page.locator('#distributions .histogram').first().waitFor()
    expect(new URL(page.url()).search).toBe('?objective=pitch&atlas=difference&errors=bias-yaw&subjects=-images')
    const link = page.locator('#subjects a').last()
    await link.scrollIntoViewIfNeeded()
    const top = await page.evaluate<number>('scrollY')
    expect(top).toBeGreaterThan(1000)
    const name = await link.textContent()
    await link.click()
    await page.locator('.browse h1:focus').waitFor()
    await page.goBack()
    await page.locator('#subjects a:focus', { hasText: name ?? '' }).waitFor()
    await page.locator('#distributions .histogram').first().waitFor()
    await expect.poll(() => page.evaluate('scrollY')).toBe(top)
    expect(await page.locator('#atlas select').nth(0).inputValue()).toBe('pitch')
    expect(await page.locator('#atlas select').nth(1).inputValue()).toBe('difference')
    expect(await page.locator('#pose-errors select').inputValue()).toBe('bias-yaw')
    expect(await page.locator('#subjects [aria-sort="descending"]').first().textContent()).toBe('images ↓')
  })

  it('goes by keyboard along a histogram, which is one stop for the tab key, to the images of a bar', async () => {
    shown = await reader.newPage()
    const { page } = shown
    await shown.open(addresses.set(reader.set))
    await page.locator('#distributions').scrollIntoViewIfNeeded()
    const histogram = page.locator('ol.histogram').first()
    await histogram.locator('a[tabindex="0"]').focus()
    expect(await histogram.locator('a[tabindex="0"]').count()).toBe(1)
    for (const key of ['End', 'ArrowRight', 'ArrowLeft']) await page.keyboard.press(key)
    const n = Number(/: (\d+) images/.exec(await focused())?.[1])
    await page.keyboard.press('Enter')
    await page.locator('.browse .count', { hasText: `${n} of 99 images` }).waitFor()
  })

  it('narrows the images by typing, ticking and taking back, and the address says all of it', async () => {
    shown = await reader.newPage()
    const { page } = shown
    await shown.open(addresses.browse(reader.set, null, everything))
    await page.locator('.browse .count', { hasText: '99 images' }).waitFor()
    const chips = page.locator('.chips')
    await page.getByLabel('|yaw| from, degrees').fill('4')
    await chips.filter({ hasText: '|yaw| from 4°' }).waitFor()
    await page.getByLabel('|yaw| from, degrees').fill('40')
    await chips.filter({ hasText: '|yaw| from 40°' }).waitFor()
    await page.locator('.browse .count', { hasText: /of 99 images/ }).waitFor()
    // A bar is a step of its own, and so is all that was typed.
    await page.locator('.range', { hasText: 'mean error' }).locator('.hit').first().click()
    await chips.filter({ hasText: 'mean error up to' }).waitFor()
    await page.goBack()
    await chips.filter({ hasNotText: 'mean error' }).filter({ hasText: '|yaw| from 40°' }).waitFor()
    await page.goBack()
    await chips.waitFor({ state: 'detached' })
    await page.goForward()
    await chips.filter({ hasText: '|yaw| from 40°' }).waitFor()
    await page.getByLabel('person 7').check()
    const isSorted = page.waitForResponse(/\/rows\?.*sort=-absErrorYaw/)
    await page.getByLabel('sort by').selectOption('absErrorYaw')
    await isSorted
    await page.locator('.result:not(.stale)').waitFor()
    await page.locator('.chips', { hasText: 'subject person 7' }).waitFor()
    const count = page.locator('.browse .count')
    await count.filter({ hasText: /^\d of 99/ }).waitFor()
    const address = page.url()
    const listed = await keys()
    expect(address).toContain('absPoseYaw=40..&subject=person+7&sort=-absErrorYaw')
    // Somebody else, who is given the address.
    const other = await reader.newPage()
    await other.page.goto(address)
    await other.page.locator('.rows .item .key').first().waitFor()
    expect(await other.page.locator('.rows .item .key').allTextContents()).toEqual(listed)
    expect(await other.page.getByLabel('|yaw| from, degrees').inputValue()).toBe('40')
    expect(other.complaints()).toEqual([])
    await page.getByRole('button', { name: 'remove filter: |yaw| from 40°' }).click()
    await count.filter({ hasText: '10 of 99' }).waitFor()
    await page.goBack()
    await page.locator('.chips', { hasText: '|yaw| from 40°' }).waitFor()
    expect(page.url()).toBe(address)
  })

  it('sees keys, subjects and messages that would do harm as text', async () => {
    shown = await reader.newPage()
    const { page } = shown
    for (const as of ['cards', 'table'] as const) {
      await shown.open(addresses.browse(reader.set, null, { ...everything, subjects: ['<b>hostile</b>'] }, { as }))
      await page.locator('.browse .count', { hasText: '6 of 99 images' }).waitFor()
      await page.locator('.rows .item .key').nth(5).waitFor()
      expect(new Set(await keys())).toEqual(new Set(hostileKeys))
    }
    for (const key of hostileKeys) {
      await shown.open(addresses.sample(reader.set, firstNight, key, everything))
      await page.locator('.sample .files code').first().waitFor()
      expect(await page.locator('.sample h1').textContent()).toBe(key)
    }
    await shown.open(addresses.sample(reader.set, firstNight, 'bad.png', everything))
    await page.locator('.note', { hasText: '<script>document.title=2</script> ends early' }).first().waitFor()
    expect(await page.locator('[onerror], main script').count()).toBe(0)
    expect(await page.title()).toContain('headlight')
  })

  it('moves the border between input and map by the keys of the slider', async () => {
    shown = await reader.newPage()
    const { page } = shown
    await shown.open(addresses.sample(reader.set, firstNight, 'heads/001.png', everything))
    const slider = page.locator('.slider input').first()
    await slider.focus()
    await page.keyboard.press('End')
    expect(await slider.getAttribute('aria-valuetext')).toBe('100 % map of yaw')
    // The arrows move the border here, and do not turn to another image.
    await page.keyboard.press('ArrowLeft')
    expect(await slider.inputValue()).toBe('99')
    expect(await page.locator('.sample h1').textContent()).toBe('heads/001.png')
  })

  it('is told of a night that is published meanwhile, and keeps what is there until it wants the new one', async () => {
    // Maps that the new night overwrote are no longer those of the rows: their pictures are refused.
    shown = await reader.newPage({}, /status of 404/)
    const { page } = shown
    const refused: string[] = []
    page.on('response', (response) => {
      if (response.status() >= 400 && !response.url().includes('/picture?')) refused.push(response.url())
    })
    await page.clock.install()
    const selection = { ...everything, sort: 'errorYaw', isDescending: true } as const
    await shown.open(addresses.browse(reader.set, null, selection))
    await page.locator('.rows .item .key').first().waitFor()
    const error = () =>
      page.locator('.rows .item').first().locator('tbody tr').nth(2).locator('td').first().textContent()
    expect(await error()).toBe('+5.0')
    await publishSecondNight(reader.fixture)
    await page.clock.runFor(11_000)
    await page.locator('.newer', { hasText: 'A newer run has been published' }).waitFor()
    expect(await error()).toBe('+5.0')
    await page.getByLabel('key contains').fill('heads/0')
    await page.clock.runFor(1_000)
    await page.locator('.chips', { hasText: 'key contains heads/0' }).waitFor()
    expect(await error()).toBe('+5.0')
    await page.getByRole('link', { name: `Show ${secondNight}` }).click()
    await page.locator('.rows .item', { hasText: '+8.0' }).first().waitFor()
    expect(await page.locator('.newer').count()).toBe(0)
    expect(refused).toEqual([])
    // From an image of the earlier night to the set of that night.
    await shown.open(addresses.sample(reader.set, firstNight, 'heads/001.png', everything))
    await page.locator('.newer', { hasText: `You are looking at run ${firstNight}` }).waitFor()
    const toSet = page.getByRole('link', { name: reader.set, exact: true })
    expect(await toSet.getAttribute('href')).toBe(addresses.set(reader.set, firstNight))
  })
})
