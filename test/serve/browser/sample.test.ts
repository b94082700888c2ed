import { describe, expect, it } from 'vitest'
import { addresses } from '../../../src/serve/addresses.ts'
import { everything } from '../../../src/serve/selection.ts'
import { useAppInBrowser, type AppPage } from '../../support/appPage.ts'
import { browser } from '../../support/browser.ts'
import { firstNight } from '../../support/servedApp.ts'

describe.skipIf(browser === undefined)('a reader of one image', () => {
  const selection = { ...everything, key: 'heads/' }
  const reader = useAppInBrowser()
  let shown: AppPage

  const look = async (key: string) => {
    shown = await reader.newPage()
    await shown.open(addresses.sample(reader.set, firstNight, key, selection))
    await shown.page.locator('.files code').first().waitFor()
    return shown.page
  }
  const turnedTo = async (key: string, text: string) => {
    await shown.page.locator('.sample h1', { hasText: key }).waitFor()
    await shown.page.locator('.turning', { hasText: text }).waitFor()
    await shown.page.locator('.files code', { hasText: key }).first().waitFor()
  }
  const focus = () => shown.page.evaluate<string>('document.activeElement.getAttribute("aria-label")')

  it('turns to the next image by its link again and again, which keeps the focus', async () => {
    const page = await look('heads/003.png')
    await turnedTo('heads/003.png', '4 of 90')
    await page.locator('a.step[aria-label="next image"]').focus()
    for (const [key, text] of [
      ['heads/004.png', '5 of 90'],
      ['heads/005.png', '6 of 90'],
    ] as const) {
      await page.keyboard.press('Enter')
      await turnedTo(key, text)
      expect(await focus()).toBe('next image')
    }
  })

  it('turns by the arrow keys, without the page moving, unless they move a slider', async () => {
    const page = await look('heads/003.png')
    await page.locator('.neighbours li').first().waitFor()
    const top = () => page.evaluate<number>('document.querySelector(".pictures-row").getBoundingClientRect().top')
    await page.evaluate('scrollTo(0, 100)')
    const before = await top()
    await page.evaluate('document.querySelector(".sample").dataset.since = "before"')
    // Faster than any answer.
    await page.evaluate(
      'for (let i = 0; i < 4; i++) dispatchEvent(new KeyboardEvent("keydown", { key: "ArrowRight", cancelable: true }))',
    )
    await turnedTo('heads/007.png', '8 of 90')
    expect(await page.locator('.sample[data-since="before"]').count()).toBe(1)
    await page.goBack()
    await turnedTo('heads/006.png', '7 of 90')
    await page.keyboard.press('ArrowLeft')
    await turnedTo('heads/005.png', '6 of 90')
    await page.keyboard.press('ArrowLeft')
    await turnedTo('heads/004.png', '5 of 90')
    expect(await top()).toBe(before)
    const slider = page.locator('.slider input').first()
    await slider.focus()
    await page.keyboard.press('ArrowLeft')
    expect(await slider.inputValue()).toBe('49')
    expect(await page.locator('.sample h1').textContent()).toBe('heads/004.png')
    await page.locator('.files button').first().focus()
    await page.keyboard.press('ArrowLeft')
    await turnedTo('heads/003.png', '4 of 90')
  })

  it('has the pictures of the next image before turning to it', async () => {
    shown = await reader.newPage()
    const { page } = shown
    const asked: string[] = []
    page.on('request', (request) => {
      const { pathname, searchParams } = new URL(request.url())
      if (pathname.endsWith('/picture')) asked.push(`${searchParams.get('image')} ${searchParams.get('show')}`)
    })
    await shown.open(addresses.sample(reader.set, firstNight, 'heads/003.png', selection))
    const next = ['image', 'input', 'map', 'overlay'].map((show) => `heads/004.png ${show}`)
    await expect.poll(() => asked).toEqual(expect.arrayContaining(next))
    // The next but one has not been asked for: only what is one step away is.
    expect(asked.filter((each) => each.startsWith('heads/005.png') && !each.endsWith('card'))).toEqual([])
  })

  it('shows the map of another objective at an address of its own', async () => {
    const page = await look('heads/003.png')
    await page.getByRole('radio', { name: 'pitch' }).check()
    await page.locator('img[alt="map of pitch"]').waitFor()
    expect(new URL(page.url()).searchParams.get('objective')).toBe('pitch')
    await page.locator('.files code', { hasText: '--objective=pitch' }).waitFor()
    // To a neighbour, which is shown from its beginning, among the same images, with the same map.
    const neighbour = page.locator('.neighbours a').first()
    const key = await neighbour.getAttribute('title')
    await neighbour.click()
    await page.locator('.sample h1:focus', { hasText: key ?? '' }).waitFor()
    expect(await page.evaluate('scrollY')).toBe(0)
    const { searchParams } = new URL(page.url())
    expect([searchParams.get('key'), searchParams.get('objective')]).toEqual(['heads/', 'pitch'])
    await page.goBack()
    await page.locator('.neighbours a:focus').waitFor()
  })

  it('learns of an image that the selection does not hold, and finds back to the selection', async () => {
    const page = await look('beyond.png')
    expect(await page.locator('.turning').textContent()).toContain('not in the selection')
    const toSet = page.getByRole('link', { name: reader.set, exact: true })
    expect(await toSet.getAttribute('href')).toBe(addresses.set(reader.set))
    await page.getByRole('link', { name: 'back to the images' }).click()
    await page.locator('.browse .count', { hasText: '90 of 99 images' }).waitFor()
  })

  it('copies the command, and hears that it is copied', async () => {
    const page = await look('heads/003.png')
    await page.context().grantPermissions(['clipboard-read', 'clipboard-write'])
    await page.getByRole('button', { name: 'copy the command' }).click()
    await page.getByRole('status').filter({ hasText: 'copied' }).waitFor()
    expect(await page.evaluate('navigator.clipboard.readText()')).toMatch(
      /^printf .* && headlight explain \/.*--objective=yaw$/,
    )
  })
})
