import type { Page, Request, Route } from 'playwright-core'
import { afterAll, beforeEach, describe, expect, it, vi } from 'vitest'
import { addresses } from '../../../src/serve/addresses.ts'
import { everything } from '../../../src/serve/selection.ts'
import type * as OpenModule from '../../../src/storage/open.ts'
import type { Store } from '../../../src/storage/store.ts'
import { useAppInBrowser, violationsOf, type AppPage } from '../../support/appPage.ts'
import { browser } from '../../support/browser.ts'
import type { Fixture } from '../../support/reportFixture.ts'
import { startS3Server, type S3Server } from '../../support/s3Server.ts'
import { S3Weather } from '../../support/s3Weather.ts'
import { firstNight } from '../../support/servedApp.ts'

const credentials = { accessKeyId: 'tester', secretAccessKey: 'not a secret' }
/** Of which the SDK sends each call. */
const sdkAttempts = 5
/** The SDK's own pauses are real ones. */
const patienceMs = 60_000
/** An answer of the server's. */
const busy = { status: 503, headers: { 'retry-after': '1' }, json: { error: { code: 'store-busy', message: 'busy' } } }
const weather = new S3Weather('2')
let server: S3Server | undefined
let output: Store | undefined

/** The output of the fixture, in a service that has its weather. Its dataset stays a folder. */
async function movedToS3(fixture: Fixture): Promise<Store> {
  // Its errors are those of the built app, whose threads find the credentials in the environment.
  const built = new URL('../../../dist/storage/open.js', import.meta.url)
  const { openStore } = (await import(built.href)) as typeof OpenModule
  vi.stubEnv('AWS_ACCESS_KEY_ID', credentials.accessKeyId)
  vi.stubEnv('AWS_SECRET_ACCESS_KEY', credentials.secretAccessKey)
  server = await startS3Server(credentials)
  for await (const { key } of fixture.output.list()) {
    const object = await fixture.output.get(key)
    if (object !== undefined) server.put(`output/${key}`, Buffer.from(object.bytes))
  }
  server.faults.push(...weather.faults)
  output = openStore('s3://bucket/output', { endpoint: server.endpoint })
  return output
}

describe.skipIf(browser === undefined)('with a store that fails', () => {
  const reader = useAppInBrowser(movedToS3)
  let shown: AppPage
  let page: Page
  /** Answers 503 that the browser was given. */
  let refusals: string[]

  beforeEach(async () => {
    weather.fair()
    shown = await reader.newPage({}, /status of 503/)
    ;({ page } = shown)
    refusals = []
    page.on('response', (response) => {
      if (response.status() === 503) refusals.push(new URL(response.url()).pathname)
    })
    await page.clock.install()
  })
  afterAll(async () => {
    output?.close()
    await server?.close()
    vi.unstubAllEnvs()
  })

  /** Waits for something, while the pauses of the page take no time. */
  const comes = (selector: string, count = 1) =>
    expect
      .poll(
        async () => {
          await page.clock.runFor(1_000)
          return page.locator(selector).count()
        },
        { timeout: patienceMs },
      )
      .toBeGreaterThanOrEqual(count)

  /** All pictures in sight are there, and more than a few. */
  const whole = (least: number) =>
    expect
      .poll(
        async () => {
          await page.clock.runFor(1_000)
          return page.evaluate<{ there: number; missing: number }>(`(() => {
          const near = [...document.querySelectorAll('main img.picture')].filter((image) =>
            image.loading === 'eager' || image.getBoundingClientRect().top < innerHeight)
          const there = near.filter((image) => image.complete && image.naturalWidth > 0).length
          const fields = document.querySelectorAll('main .picture.none[role]').length
          return { there, missing: near.length - there + fields }
        })()`)
        },
        { timeout: patienceMs },
      )
      .toSatisfy(({ there, missing }) => there >= least && missing === 0)

  const asksAgain = '.waiting:has-text("the store does not answer at the moment; asking again")'

  it('says calmly that it asks again, at last what is wrong, and goes on once the store is back', async () => {
    weather.down()
    await shown.open('/')
    await page.locator(asksAgain).waitFor()
    expect(await violationsOf(page)).toEqual([])
    await comes('.refusal[role="alert"]:has-text("asks for patience")')
    expect(await violationsOf(page)).toEqual([])
    expect(refusals).toEqual(Array.from({ length: 5 }, () => '/api/sets'))
    // Fewer would have been mended below the app, and nothing of all this been seen.
    expect(Math.max(...weather.attempts.values())).toBe(sdkAttempts)
    weather.fair()
    await page.getByRole('link', { name: 'Try again' }).click()
    await page.locator('.sets-list a').first().waitFor()
    expect(await page.locator('.refusal, .waiting').count()).toBe(0)
  })

  it.each([
    ['sets', () => '/', '.sets-list a', 0],
    ['set', (set: string) => addresses.set(set), '#distributions .histogram', 0],
    ['browse', (set: string) => addresses.browse(set, null, everything), '.browse .side input', 8],
    ['sample', (set: string) => addresses.sample(set, firstNight, 'heads/001.png', everything), '.files', 5],
  ] as const)('%s comes whole by itself when it fails now and then', async (name, path, ready, pictures) => {
    weather.changing()
    await shown.open(path(reader.set))
    if (name === 'set') {
      await comes('#distributions')
      await page.locator('#distributions').scrollIntoViewIfNeeded()
    }
    await comes(ready)
    await whole(pictures)
    expect(await page.locator('.refusal, .waiting').count()).toBe(0)
    expect(refusals).not.toEqual([])
  })

  it('asks for pictures that fail two at a time, and they come by themselves', async () => {
    weather.down(({ key }) => key.includes('/maps/'))
    const asked = new Set<Request>()
    let most = 0
    page.on('request', (request) => {
      if (request.resourceType() !== 'fetch' || !request.url().includes('/picture?')) return
      asked.add(request)
      most = Math.max(most, asked.size)
    })
    page.on('requestfinished', (request) => asked.delete(request))
    page.on('requestfailed', (request) => asked.delete(request))
    await shown.open(addresses.browse(reader.set, null, everything))
    await page.locator('.card .none:has-text("asking again")').nth(1).waitFor()
    await expect.poll(() => page.locator('.card .none').count()).toBeGreaterThanOrEqual(9)
    const before = refusals.length
    weather.fair()
    expect(await violationsOf(page)).toEqual([])
    await whole(8)
    expect(most).toBe(2)
    expect(before).toBeGreaterThan(9)
  })

  it('says nothing of rows that the reader has scrolled past', async () => {
    await page.route('**/rows?*from=60*', (route) => route.fulfill(busy))
    await shown.open(addresses.browse(reader.set, null, everything))
    await page.locator('.rows .item .key').first().waitFor()
    await page.evaluate('document.querySelector(".rows").scrollTop = 1e6')
    await page.locator(asksAgain).waitFor()
    await page.evaluate('document.querySelector(".rows").scrollTop = 0')
    await page.locator(asksAgain).waitFor({ state: 'detached' })
  })

  it('asks again for the atlas', async () => {
    let isBusy = true
    await page.route('**/atlas?*', (route) => (isBusy ? route.fulfill(busy) : route.continue()))
    await shown.open(addresses.set(reader.set))
    await page.locator(`#atlas ${asksAgain}`).waitFor()
    isBusy = false
    await comes('#atlas image', 10)
    expect(await page.locator('#atlas .waiting').count()).toBe(0)
  })

  it('asks for what goes on now one question at a time, also when it comes into sight meanwhile', async () => {
    let times = 0
    let second: Route | undefined
    await page.route('**/api/live', async (route) => {
      if (++times === 1) await route.fulfill(busy)
      else second ??= route
    })
    await shown.open('/live')
    await page.locator(asksAgain).waitFor()
    await page.evaluate('for (let i = 0; i < 3; i++) document.dispatchEvent(new Event("visibilitychange"))')
    await page.clock.runFor(3_000)
    await expect.poll(() => second).toBeDefined()
    expect(times).toBe(2)
    await second?.continue()
    await page.getByRole('heading', { name: 'Workers' }).waitFor()
    expect(await page.locator('.waiting').count()).toBe(0)
  })
})
