import { compareKeys } from './keyOrder.ts'
import type { S3ListRequest, S3Page } from './s3Connection.ts'

type FetchPage = (request: S3ListRequest) => Promise<S3Page>
type Objects = S3Page['objects']

/** Listings under way at once. */
const lanes = 16
/** Fetched ahead of the caller in each of them, at most. With `lanes` the bound of what a listing holds: 128 pages, some 25 MB. */
const pagesAhead = 8
/** So many in a row tell whether folders are still large enough. */
const judgedFolders = 32
/** A folder that holds more folders and objects than this is listed as one. */
const mostEntries = 10_000

/** A stretch of the listing: the keys of a folder, still to be listed, or objects that are known already. */
type Stretch = { readonly prefix: string } | { readonly objects: Objects }

/**
 * All keys that start with `prefix` and sort after `after`, in the order of their UTF-8 bytes, a page at a time. A listing
 * goes from page to page, each a round trip; so where the first page says that there is more and that folders are large,
 * the folders are listed side by side and handed out one after the other. What one folder holds is contiguous in that
 * order, and lies where the folder's own name with its slash does.
 *
 * Small folders are not asked for one by one: one listing passes many of them with each page. A single folder of
 * millions is listed from page to page, too: nothing tells where to cut it. And so is a bucket whose first page lacks
 * something that sorts before its end: a service that keeps another order would have it passed over, and its samples
 * taken for gone. From page to page the caller sees where the order breaks.
 */
export async function* listSideBySide(
  fetchPage: FetchPage,
  { prefix, after }: { readonly prefix: string; readonly after: string | undefined },
): AsyncGenerator<Objects> {
  let from = after
  do {
    const { objects, nextToken } = await fetchPage({ prefix, startAfter: from })
    yield objects
    if (nextToken === undefined) return
    const firstPage = new FirstPage(objects, from)
    const stretches = await split(fetchPage, prefix, firstPage)
    if (stretches.length === 1) {
      yield* oneByOne(new PagesAhead(fetchPage, { prefix, token: nextToken }, 1))
      return
    }
    from = yield* inOrder(fetchPage, stretches, firstPage)
  } while (from !== undefined)
}

/** Cuts what lies behind the first page into stretches, level by level, until there are enough for all lanes. */
async function split(fetchPage: FetchPage, prefix: string, firstPage: FirstPage): Promise<readonly Stretch[]> {
  const whole: readonly Stretch[] = [{ prefix }]
  let stretches = whole
  for (let depth = 1; stretches.length < lanes && isWorthwhile(firstPage.objects, prefix, depth); depth++) {
    const finer = await Promise.all(
      stretches.map(async (one) => ('prefix' in one ? await contents(fetchPage, one.prefix, firstPage) : [one])),
    )
    if (finer.includes(undefined)) return whole
    stretches = finer.flatMap((some) => some ?? [])
  }
  return stretches
}

/** What has been handed out before a listing is cut. */
class FirstPage {
  readonly objects: Objects
  readonly through: string
  readonly #after: string
  readonly #shown = new Set<string>()

  constructor(objects: Objects, after = '') {
    this.objects = objects
    this.through = objects.at(-1)?.key ?? ''
    this.#after = after
    for (const { key } of objects) {
      this.#shown.add(key)
      for (let slash = key.indexOf('/'); slash >= 0; slash = key.indexOf('/', slash + 1)) {
        this.#shown.add(key.slice(0, slash + 1))
      }
    }
  }

  /** Whether all of this object or folder comes before the end of the page. */
  isBehind(name: string, isFolder: boolean): boolean {
    return compareKeys(name, this.through) <= 0 && !(isFolder && this.through.startsWith(name))
  }

  /** Whether it is where its order wants it: on this page, or before what was asked for. */
  accountsFor(name: string): boolean {
    return this.#shown.has(name) || compareKeys(name, this.#after) <= 0
  }
}

/** Whether all lanes together, a folder of that depth per page, come forward twice as fast as one listing. */
function isWorthwhile(firstPage: Objects, prefix: string, depth: number): boolean {
  const folders = new Set<string>()
  let keys = 0
  for (const { key } of firstPage) {
    const names = key.slice(prefix.length).split('/')
    if (names.length <= depth) continue
    keys++
    folders.add(names.slice(0, depth).join('/'))
  }
  return folders.size > 0 && gains(keys / folders.size, firstPage.length)
}

const gains = (keysPerFolder: number, pageSize: number): boolean => keysPerFolder * lanes > 2 * pageSize

/**
 * The folders and objects of a folder in the order of their keys, without those that end before the first page does.
 * `undefined` when the first page should have shown one and did not.
 */
async function contents(
  fetchPage: FetchPage,
  prefix: string,
  firstPage: FirstPage,
): Promise<readonly Stretch[] | undefined> {
  const folders: string[] = []
  const objects: Objects[number][] = []
  for await (const page of pagesOf(fetchPage, { prefix, delimiter: '/' })) {
    folders.push(...page.folders)
    objects.push(...page.objects)
    // A folder whose name cannot be told cannot be asked for either, but all together they can.
    if (page.lacksFolders === true || folders.length + objects.length > mostEntries) return [{ prefix }]
  }
  const entries = [...folders.map((key) => ({ key })), ...objects].sort((a, b) => compareKeys(a.key, b.key))
  const stretches: Stretch[] = []
  let neighbours: Objects[number][] | undefined
  for (const entry of entries) {
    const isFolder = !('etag' in entry)
    if (firstPage.isBehind(entry.key, isFolder)) {
      if (firstPage.accountsFor(entry.key)) continue
      return undefined
    }
    if (isFolder) {
      stretches.push({ prefix: entry.key })
      neighbours = undefined
    } else if (neighbours === undefined) {
      stretches.push({ objects: (neighbours = [entry]) })
    } else {
      neighbours.push(entry)
    }
  }
  return stretches
}

/**
 * The further the caller gets, the more stretches are under way and the further ahead: most that look for something have
 * it after a page or two, and shall not have caused a hundred requests. Where the folders turn out small after all, it
 * ends early and returns the last key that it gave: from there on the listing is judged anew.
 */
async function* inOrder(
  fetchPage: FetchPage,
  stretches: readonly Stretch[],
  { objects: firstPage, through }: FirstPage,
): AsyncGenerator<Objects, string | undefined> {
  const begun: (PagesAhead | Objects)[] = []
  let next = 0
  let taken = 0
  let last = through
  const sizes: number[] = []
  const goAhead = (): void => {
    const ahead = Math.min(pagesAhead, 1 + Math.floor(taken / lanes))
    for (const one of begun) if (one instanceof PagesAhead) one.goAhead(ahead)
    for (const stretch of stretches.slice(next, next + Math.min(lanes, 1 + taken) - begun.length)) {
      next++
      if ('objects' in stretch) begun.push(stretch.objects)
      else {
        const { prefix } = stretch
        const startAfter = through.startsWith(prefix) ? through : undefined
        begun.push(new PagesAhead(fetchPage, { prefix, startAfter }, ahead))
      }
    }
  }
  try {
    goAhead()
    for (let foremost = begun[0]; foremost !== undefined; foremost = begun[0]) {
      let size = 0
      for await (const objects of foremost instanceof PagesAhead ? oneByOne(foremost) : [foremost]) {
        taken++
        goAhead()
        yield objects
        size += objects.length
        last = objects.at(-1)?.key ?? last
      }
      begun.shift()
      if (foremost instanceof PagesAhead && sizes.push(size) > judgedFolders) {
        sizes.shift()
        const mean = sizes.reduce((sum, one) => sum + one, 0) / sizes.length
        if (!gains(mean, firstPage.length)) return last
      }
      goAhead()
    }
    return undefined
  } finally {
    for (const one of begun) if (one instanceof PagesAhead) one.stop()
  }
}

/** The pages of one listing; the next is under way while the caller works on this one. */
export function pagesOf(fetchPage: FetchPage, request: S3ListRequest): AsyncGenerator<S3Page> {
  return inTurn(new PagesAhead(fetchPage, request, 1))
}

async function* oneByOne(ahead: PagesAhead): AsyncGenerator<Objects> {
  for await (const page of inTurn(ahead)) yield page.objects
}

async function* inTurn(ahead: PagesAhead): AsyncGenerator<S3Page> {
  try {
    for (let page = await ahead.next(); page !== undefined; page = await ahead.next()) yield page
  } finally {
    ahead.stop()
  }
}

/** One listing, some pages ahead of its caller. What went wrong is raised where the page would have come. */
class PagesAhead {
  readonly #fetchPage: FetchPage
  readonly #request: S3ListRequest
  readonly #pages: Promise<S3Page | undefined>[]
  #ahead: number
  #isStopped = false

  constructor(fetchPage: FetchPage, request: S3ListRequest, ahead: number) {
    this.#fetchPage = fetchPage
    this.#request = request
    this.#ahead = ahead
    this.#pages = [watched(fetchPage(request))]
    this.#grow()
  }

  /** From now on this far ahead. */
  goAhead(ahead: number): void {
    this.#ahead = ahead
    this.#grow()
  }

  /** `undefined` after the last page. */
  async next(): Promise<S3Page | undefined> {
    const page = this.#pages.shift()
    this.#grow()
    return await page
  }

  /** No page is asked for any more. */
  stop(): void {
    this.#isStopped = true
  }

  #grow(): void {
    while (this.#pages.length <= this.#ahead) {
      const following = this.#pages.at(-1)?.then((page) => {
        if (page?.nextToken === undefined || this.#isStopped) return undefined
        return this.#fetchPage({ ...this.#request, startAfter: undefined, token: page.nextToken })
      })
      if (following === undefined) return
      this.#pages.push(watched(following))
    }
  }
}

/** Nobody may come for it: then its failure is no matter. */
function watched<T>(promise: Promise<T>): Promise<T> {
  promise.catch(() => undefined)
  return promise
}
