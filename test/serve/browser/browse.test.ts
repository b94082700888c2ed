import { describe, expect, it } from 'vitest'
import { addresses } from '../../../src/serve/addresses.ts'
import { everything } from '../../../src/serve/selection.ts'
import { useAppInBrowser, type AppPage } from '../../support/appPage.ts'
import { browser } from '../../support/browser.ts'
import { firstNight, publishSecondNight, secondNight } from '../../support/servedApp.ts'

describe.skipIf(browser === undefined)('who browses the images', () => {
  const reader = useAppInBrowser()
  let shown: AppPage

  const focusedPosition = () =>
    shown.page.evaluate<string | null>('document.activeElement.closest(".item")?.getAttribute("aria-posinset") ?? null')

  it('asks for the rows of a view once, and for all else of the run that they are of', async () => {
    shown = await reader.newPage()
    const { page } = shown
    const asked: string[] = []
    page.on('response', (response) => {
      const { pathname, searchParams } = new URL(response.url())
      // 202: the table is still being read.
      if (response.status() === 200 && /\/(rows|facets)$/.test(pathname))
        asked.push(`${pathname.split('/').at(-1)} ${searchParams.get('run')}`)
    })
    // Without what cannot be read the address would mean something else: nothing is shown until the reader wants that.
    const unread = `${addresses.browse(reader.set, null, everything)}?sort=foo&yaw=abc`
    await shown.open(unread)
    expect(await page.getByRole('alert').textContent()).toMatch(/yaw=abc is no range.*sort=foo: you can sort by/)
    await page.getByRole('link', { name: 'Clear them' }).click()
    await page.getByLabel('|yaw| from, degrees').waitFor()
    await page.locator('.rows .item .key').first().waitFor()
    expect(new URL(page.url()).search).toBe('')
    expect(asked).toEqual(['rows null', `facets ${firstNight}`])
    await page.locator('.rows .item a[tabindex="0"]').focus()
    await page.keyboard.press('End')
    await page.locator('.rows .item[aria-posinset="99"] a:focus').waitFor()
    expect(asked.slice(2)).toEqual([`rows ${firstNight}`])
  })

  it('may fill in two ranges at once: neither takes the other back', async () => {
    shown = await reader.newPage()
    const { page } = shown
    await page.clock.install()
    const estimated = { ...everything, ranges: { yaw: { from: 0, to: null } } }
    await shown.open(addresses.browse(reader.set, null, estimated))
    const estimate = page.getByLabel('estimated yaw from, degrees')
    await estimate.fill('')
    await page.clock.runFor(1000)
    await page.locator('.chips').waitFor({ state: 'detached' })
    // Its group stays open for what is typed next.
    await estimate.and(page.locator(':focus')).waitFor()
    await page.getByLabel('|yaw| from, degrees').fill('40')
    await page.clock.runFor(200)
    await page.getByLabel('pitch to, degrees', { exact: true }).fill('0.0')
    await page.clock.runFor(1000)
    await page.locator('.chips', { hasText: 'pitch up to 0°' }).waitFor()
    await page.locator('.chips', { hasText: '|yaw| from 40°' }).waitFor()
    // What is typed stays as it is typed.
    expect(await page.getByLabel('pitch to, degrees', { exact: true }).inputValue()).toBe('0.0')
    await page.getByRole('button', { name: 'remove filter: |yaw| from 40°' }).press('Enter')
    await page.getByRole('button', { name: 'remove filter: pitch up to 0°' }).and(page.locator(':focus')).waitFor()
    expect(await page.getByLabel('|yaw| from, degrees').inputValue()).toBe('')
  })

  it('comes by the tab key to what is in sight, and keeps the keys when the wheel takes the focused image away', async () => {
    shown = await reader.newPage()
    const { page } = shown
    await shown.open(addresses.browse(reader.set, null, everything))
    await page.locator('.rows .item .key').first().waitFor()
    await page.getByRole('button', { name: 'skip to the images' }).press('Enter')
    expect(await focusedPosition()).toBe('1')
    await page.evaluate('document.querySelector(".rows").scrollTop = 4400')
    await page.locator('.rows:focus').waitFor()
    const first = Number(await page.locator('.rows .item[data-active]').getAttribute('aria-posinset'))
    expect(first).toBeGreaterThan(20)
    await page.keyboard.press('ArrowRight')
    await page.locator(`.rows .item[aria-posinset="${first + 1}"] a:focus`).waitFor()
  })

  it('comes back to the rows that were seen, though a newer night has been published meanwhile', async () => {
    shown = await reader.newPage({}, /status of 404/)
    const { page } = shown
    const selection = { ...everything, sort: 'errorYaw', isDescending: true } as const
    await shown.open(addresses.browse(reader.set, null, selection))
    const error = page.locator('.rows .item').first().locator('tbody tr').nth(2).locator('td').first()
    await error.filter({ hasText: '+5.0' }).waitFor()
    await page.getByLabel('|yaw| from, degrees').waitFor()
    const address = page.url()
    expect(address).not.toContain('run=')
    // What was refused of another selection is not said of this one.
    await page.route(/rows\?.*subject=/, (route) =>
      route.fulfill({ status: 404, json: { error: { code: 'lost', message: 'nobody of this name' } } }),
    )
    await page.getByLabel('person 7').check()
    await page.getByRole('alert').filter({ hasText: 'nobody of this name' }).waitFor()
    await page.goBack()
    await page.getByRole('alert').waitFor({ state: 'detached' })
    await error.filter({ hasText: '+5.0' }).waitFor()
    await page.locator('.rows .item a').first().click()
    await page.locator('.sample h1').waitFor()
    await publishSecondNight(reader.fixture)
    await page.goBack()
    await error.filter({ hasText: '+5.0' }).waitFor()
    expect(page.url()).toBe(address)
    await page.getByRole('link', { name: `Show ${secondNight}` }).click()
    await error.filter({ hasText: '+8.0' }).waitFor()
  })
})
