import axe, { type AxeResults } from 'axe-core'
import { chromium, type Browser, type BrowserContextOptions, type Page } from 'playwright-core'
import { afterAll, afterEach, beforeAll, expect } from 'vitest'
import type { Store } from '../../src/storage/store.ts'
import { browser } from './browser.ts'
import type { Fixture } from './reportFixture.ts'
import { servedApp, servedOutput, type ServedApp } from './servedApp.ts'

/** A page of the app in a browser, and whatever it did that it must not. */
export interface AppPage {
  readonly page: Page
  /** Complaints of the browser, and requests to anybody else; emptied by reading. */
  complaints(): string[]
  /** Goes to a path below the base path, and waits until its heading is there. */
  open(path: string): Promise<void>
  close(): Promise<void>
}

async function launch(): Promise<Browser> {
  return chromium.launch({ executablePath: browser ?? '', args: ['--no-sandbox', '--disable-quic'] })
}

/** A page whose reader has opened the printed address. `ignored`: complaints that a test brings about itself. */
async function appPage(
  opened: Browser,
  app: ServedApp,
  options: BrowserContextOptions = {},
  ignored: RegExp | null = null,
): Promise<AppPage> {
  const context = await opened.newContext({
    viewport: { width: 1280, height: 800 },
    reducedMotion: 'reduce',
    ...options,
  })
  const page = await context.newPage()
  const found: string[] = []
  const complain = (text: string) => {
    if (ignored === null || !ignored.test(text)) found.push(text)
  }
  page.on('pageerror', ({ message }) => complain(message))
  page.on('console', (message) => complain(message.text()))
  page.on('dialog', (dialog) => {
    complain(`dialog: ${dialog.message()}`)
    void dialog.dismiss()
  })
  page.on('request', (request) => {
    if (new URL(request.url()).host !== `localhost:${app.port}`) complain(`asked for ${request.url()}`)
  })
  await page.goto(app.url(`/?token=${app.token}`))
  return {
    page,
    complaints: () => found.splice(0),
    open: async (path) => {
      await page.goto(app.url(path))
      await page.locator('h1').waitFor()
    },
    close: () => context.close(),
  }
}

/** What axe finds fault with, each with the elements. */
export async function violationsOf(page: Page): Promise<[string, string[]][]> {
  await page.evaluate(axe.source)
  const { violations } = await page.evaluate<AxeResults>('axe.run(document, { resultTypes: ["violations"] })')
  return violations.map(({ id, nodes }) => [id, nodes.map(({ html }) => html)])
}

/** An output that is served to a browser. */
export interface AppInBrowser {
  readonly fixture: Fixture
  /** The result set. */
  readonly set: string
  /** A reader's page, until the end of the test, which fails for its complaints but those that are `ignored`. */
  newPage(options?: BrowserContextOptions, ignored?: RegExp): Promise<AppPage>
}

/**
 * Sets up what the tests of a `describe` look at, once, and takes it down. What it gives is there within the tests.
 *
 * @param prepare gives the store that is served, where it is another than the fixture's own output
 */
export function useAppInBrowser(
  prepare: (fixture: Fixture) => Promise<Store | void> = () => Promise.resolve(),
): AppInBrowser {
  let fixture: Fixture
  let app: ServedApp
  let opened: Browser
  const pages: AppPage[] = []
  beforeAll(async () => {
    fixture = await servedOutput()
    app = await servedApp((await prepare(fixture)) ?? fixture.output)
    opened = await launch()
  })
  afterAll(async () => {
    await opened?.close()
    await app?.close()
    await fixture?.remove()
  })
  afterEach(async () => {
    const complaints = pages.flatMap((page) => page.complaints())
    await Promise.all(pages.splice(0).map((page) => page.close()))
    expect(complaints).toEqual([])
  })
  return {
    get fixture() {
      return fixture
    },
    get set() {
      return fixture.set.id
    },
    newPage: async (options, ignored) => {
      const page = await appPage(opened, app, options, ignored)
      pages.push(page)
      return page
    },
  }
}
