import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect, it } from 'vitest'
import { compareKeys, sortKeys } from '../../src/storage/keyOrder.ts'
import type { S3ListRequest, S3Page } from '../../src/storage/s3Connection.ts'
import { listSideBySide } from '../../src/storage/s3Listing.ts'
import { Random } from '../kill/random.ts'

/** A bucket that answers as ListObjectsV2 does, each time after a round trip, and watches how it is asked. */
class Bucket {
  readonly keys: readonly string[]
  readonly requests: S3ListRequest[] = []
  pagesOut = 0
  mostAtOnce = 0
  /** The prefix whose listing fails. */
  broken: string | undefined
  /** In whose order the keys are given; S3's is that of their bytes. */
  readonly #compare: (a: string, b: string) => number
  readonly #pageSize: number
  readonly #roundTripMs: number

  constructor(keys: readonly string[], pageSize: number, roundTripMs = 0, compare = compareKeys) {
    this.keys = compare === compareKeys ? sortKeys([...keys]) : keys.toSorted(compare)
    this.#compare = compare
    this.#pageSize = pageSize
    this.#roundTripMs = roundTripMs
  }

  readonly fetchPage = async (request: S3ListRequest): Promise<S3Page> => {
    this.requests.push(request)
    this.mostAtOnce = Math.max(this.mostAtOnce, ++this.pagesOut)
    await sleep(this.#roundTripMs)
    this.pagesOut--
    if (request.prefix === this.broken) throw new Error('SlowDown')
    const { prefix, delimiter, startAfter = '', token } = request
    const from = token ?? startAfter
    const objects: { key: string; etag: string; sizeBytes: number }[] = []
    const folders: string[] = []
    let last = ''
    for (const key of this.keys) {
      if (!key.startsWith(prefix)) continue
      const slash = delimiter === undefined ? -1 : key.indexOf(delimiter, prefix.length)
      const name = slash < 0 ? key : key.slice(0, slash + 1)
      if (name === last || this.#compare(name, from) <= 0) continue
      if (objects.length + folders.length === this.#pageSize) return { objects, folders, nextToken: last }
      last = name
      if (slash < 0) objects.push({ key, etag: 'e', sizeBytes: 1 })
      else folders.push(name)
    }
    return { objects, folders, nextToken: undefined }
  }

  /** So many pages, as a caller does that then has enough. */
  async take(pages: number, msEach = 0): Promise<void> {
    let taken = 0
    for await (const _objects of listSideBySide(this.fetchPage, { prefix: '', after: undefined })) {
      if (msEach > 0) await sleep(msEach)
      if (++taken === pages) break
    }
  }

  async list(prefix = '', after?: string): Promise<string[]> {
    const keys: string[] = []
    for await (const objects of listSideBySide(this.fetchPage, { prefix, after })) keys.push(...objects.map(keyOf))
    return keys
  }
}

/** Name by name, as folders are read from a disk. */
function compareNames(a: string, b: string): number {
  return compareKeys(a.replaceAll('/', '\0'), b.replaceAll('/', '\0'))
}

const keyOf = ({ key }: { key: string }): string => key
const folder = (name: string, count: number): string[] =>
  Array.from({ length: count }, (_, i) => `${name}/${String(i).padStart(6, '0')}.png`)
const numbered = (count: number, of: (name: string) => readonly string[]): string[] =>
  Array.from({ length: count }, (_, i) => of(String(i).padStart(5, '0'))).flat()

describe('a listing in S3', () => {
  it('lists large folders side by side, and gives their keys in one order', async () => {
    const bucket = new Bucket(
      numbered(24, (name) => folder(`faces/${name}`, 50)),
      10,
      5,
    )
    expect(await bucket.list('faces/')).toEqual(bucket.keys)
    expect(bucket.mostAtOnce).toBeGreaterThan(12)
    // A page each, and a little for looking where to cut.
    expect(bucket.requests.length).toBeLessThan(24 * 6 + 10)
  })

  it('finds large folders further down', async () => {
    const bucket = new Bucket(
      [
        'README.txt',
        ...numbered(3, (part) => numbered(10, (name) => folder(`data/hpdb-${part}/${name}`, 40))),
        'tools.zip',
      ],
      10,
      2,
    )
    expect(await bucket.list()).toEqual(bucket.keys)
    expect(bucket.mostAtOnce).toBeGreaterThan(12)
  })

  it('passes small folders in one listing, without asking for each', async () => {
    const bucket = new Bucket(
      numbered(300, (name) => [`${name}/a.png`, `${name}/b.png`]),
      100,
    )
    expect(await bucket.list()).toEqual(bucket.keys)
    expect(bucket.requests.length).toBe(6)
    expect(bucket.requests.filter(({ delimiter }) => delimiter !== undefined)).toEqual([])
  })

  it('does not ask for each of the small folders that follow a large one', async () => {
    const bucket = new Bucket(
      [
        ...folder('0', 600),
        ...numbered(2_000, (name) => [`1-${name}/a.png`, `1-${name}/b.png`]),
        ...numbered(30, (name) => folder(`2-${name}`, 300)),
      ],
      100,
    )
    expect(await bucket.list()).toEqual(bucket.keys)
    // 136 pages as one listing. Cut once for all, it took more than two thousand.
    expect(bucket.requests.length).toBeLessThan(350)
    expect(bucket.requests.length).toBeGreaterThan(136)
  })

  it('lists a folder without folders from page to page, and one page in one request', async () => {
    const flat = new Bucket(folder('records', 95), 10)
    expect(await flat.list('records/')).toEqual(flat.keys)
    expect(flat.requests.length).toBe(10)
    const small = new Bucket(folder('records', 10), 10)
    expect(await small.list('records/')).toEqual(small.keys)
    expect(small.requests.length).toBe(1)
  })

  it('lists more folders than it would hold as one', async () => {
    const bucket = new Bucket([...folder('0', 1_001), ...numbered(11_000, (name) => [`1-${name}/a.png`])], 1_000)
    expect(await bucket.list('')).toEqual(bucket.keys)
    expect(bucket.requests.length).toBeLessThan(40)
  })

  it('gives what any listing gives, of any tree, after any key', async () => {
    const random = new Random(7)
    const names = ['a', 'a-b', 'a b', 'a0', 'ä', '\u{1f600}', '\uff5e', 'z', '+', '%2F'] as const
    for (let round = 0; round < 150; round++) {
      const keys = new Set<string>()
      for (let i = random.between(5, 120); i > 0; i--) {
        const path = Array.from({ length: random.pick([1, 2, 2, 2, 3, 4]) }, () => random.pick(names))
        keys.add(`${path.join('/')}${random.pick(['', '/', '//', '.png'])}`)
      }
      const bucket = new Bucket([...keys], random.pick([2, 3, 5, 9]))
      const prefix = random.pick(['', '', 'a', 'a/', 'ä/z'])
      const after = random.pick([
        undefined,
        bucket.keys[random.integer(0, bucket.keys.length - 1)],
        'a',
        'a/',
        'a/z',
        '\uff5e/',
      ])
      const expected = bucket.keys.filter(
        (key) => key.startsWith(prefix) && (after === undefined || compareKeys(key, after) > 0),
      )
      expect(await bucket.list(prefix, after), `round ${round}`).toEqual(expected)
    }
  })

  it('passes over nothing where a service lists in the order of a walk through folders', async () => {
    const bucket = new Bucket([...folder('a', 60), ...folder('a-b', 60), ...folder('c', 60)], 10, 0, compareNames)
    // In the bytes of the keys `a-b/` comes before `a/`. The store says that such a service cannot be used.
    expect(await bucket.list()).toEqual(bucket.keys)
  })

  it('is never far ahead of a caller that takes its time', async () => {
    const bucket = new Bucket(
      numbered(30, (name) => folder(name, 200)),
      10,
    )
    const pages = listSideBySide(bucket.fetchPage, { prefix: '', after: undefined })
    const taken = 130
    for (let i = 0; i < taken; i++) await pages.next()
    await sleep(200)
    expect(bucket.requests.length).toBeLessThan(taken + 16 * 10)
    await pages.return(undefined)
  })

  it('asks for nothing any more when its caller has enough', async () => {
    const bucket = new Bucket(
      numbered(30, (name) => folder(name, 200)),
      10,
      5,
    )
    // The last is the first page of the third folder: a stretch has just been begun, several pages ahead.
    await bucket.take(41)
    const asked = bucket.requests.length
    expect(asked).toBeLessThan(30 * 20)
    await sleep(50)
    expect(bucket.requests.length).toBe(asked)
  })

  it('has not gone far when its caller soon has enough', async () => {
    const bucket = new Bucket(
      numbered(30, (name) => folder(name, 200)),
      10,
    )
    await bucket.take(4, 20)
    // Four, three to look where to cut, two each in four folders, and two more in the first.
    expect(bucket.requests.length).toBeLessThan(20)
  })

  it('gives all before the folder that cannot be listed, then raises', async () => {
    const bucket = new Bucket(
      numbered(5, (name) => folder(name, 30)),
      10,
    )
    bucket.broken = '00003/'
    const given: string[] = []
    const all = async (): Promise<void> => {
      for await (const objects of listSideBySide(bucket.fetchPage, { prefix: '', after: undefined }))
        given.push(...objects.map(keyOf))
    }
    await expect(all()).rejects.toThrow('SlowDown')
    expect(given).toEqual(bucket.keys.filter((key) => key < '00003/'))
  })
})
