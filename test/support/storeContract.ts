import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { compareKeys } from '../../src/storage/keyOrder.ts'
import type { ListOptions, ObjectInfo, ObjectWriter, Store } from '../../src/storage/store.ts'

export interface Place {
  /** A store below a fresh, empty prefix or folder. */
  open(): Promise<Store>
  /** Another client of the same place. */
  again(store: Store): Store
  /** A faster way to make many objects of one byte than through `put`. */
  fill?(store: Store, keys: readonly string[]): Promise<void>
  /** Whatever is kept of objects that were begun below the store and neither committed nor discarded. */
  unfinished(store: Store): Promise<readonly string[]>
  close(): Promise<void>
}

async function collect<T>(items: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = []
  for await (const item of items) all.push(item)
  return all
}

async function keysOf(store: Store, options?: ListOptions): Promise<string[]> {
  return (await infosOf(store, options)).map((info) => info.key)
}

async function infosOf(store: Store, options?: ListOptions): Promise<ObjectInfo[]> {
  return collect(store.list(options))
}

function sorted(keys: readonly string[]): string[] {
  return keys.toSorted((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)))
}

async function putAll(store: Store, keys: readonly string[]): Promise<void> {
  for (let i = 0; i < keys.length; i += 32) await Promise.all(keys.slice(i, i + 32).map((key) => store.put(key, 'x')))
}

function text(object: { bytes: Uint8Array } | undefined): string | undefined {
  return object && Buffer.from(object.bytes).toString()
}

const oddKeys = [
  'with space.png',
  ' leading and trailing ',
  'two  spaces',
  'plus+plus.png',
  'per%cent%20%2F.png',
  'hash#tag?query=1&b=2;c.png',
  'quote\'s "double" <tag> `tick`',
  'back\\slash',
  '[brackets]{braces}|^~$@!*(),:=',
  'NFC-\u00e9.png',
  'NFD-e\u0301.png',
  '画像/人物.png',
  '\uff5e.png',
  '\u{1f600}.png',
  'a/b/c/d/e/f/g/deep.png',
  'a..b/...dots/..c',
  '.hidden',
  `${'long/'.repeat(60)}${'n'.repeat(240)}`,
  '-dash',
]

/** What every driver of `Store` must do. */
export function storeContract(name: string, place: () => Promise<Place>): void {
  describe(`${name}: store contract`, () => {
    let here: Place
    const stores: Store[] = []
    const fresh = async (): Promise<Store> => {
      const store = await here.open()
      stores.push(store)
      return store
    }
    const again = (store: Store): Store => {
      const other = here.again(store)
      stores.push(other)
      return other
    }
    beforeAll(async () => {
      here = await place()
    })
    afterAll(async () => {
      for (const store of stores) store.close()
      await here.close()
    })

    it('gives back the bytes that were put, and one ETag everywhere', async () => {
      const store = await fresh()
      const etag = await store.put('a/b.bin', new Uint8Array([0, 255, 10, 13]))
      const object = await store.get('a/b.bin')
      expect([...(object?.bytes ?? [])]).toEqual([0, 255, 10, 13])
      const info = { key: 'a/b.bin', etag, sizeBytes: 4 }
      expect(object?.info).toEqual(info)
      expect(await store.head('a/b.bin')).toEqual(info)
      expect(await infosOf(store)).toEqual([info])
    })

    it('puts strings as UTF-8', async () => {
      const store = await fresh()
      await store.put('text', 'né\u{1f600}')
      expect(text(await store.get('text'))).toBe('né\u{1f600}')
      expect((await store.head('text'))?.sizeBytes).toBe(7)
    })

    it('holds empty objects', async () => {
      const store = await fresh()
      await store.put('empty', '')
      expect((await store.get('empty'))?.bytes.length).toBe(0)
      expect((await store.head('empty'))?.sizeBytes).toBe(0)
      expect(await keysOf(store)).toEqual(['empty'])
    })

    it('holds big objects', async () => {
      const store = await fresh()
      const bytes = new Uint8Array(20_000_000)
      for (let i = 0; i < bytes.length; i += 4093) bytes[i] = i % 251
      await store.put('big', bytes)
      const object = await store.get('big')
      expect(Buffer.compare(bytes, object?.bytes ?? new Uint8Array())).toBe(0)
    })

    it('gives back ranges of an object', async () => {
      const store = await fresh()
      await store.put('ten', '0123456789')
      const range = async (start: number, end: number) => {
        const object = await store.get('ten', { range: { start, end } })
        expect(object?.info).toEqual(await store.head('ten'))
        return text(object)
      }
      expect(await range(0, 10)).toBe('0123456789')
      expect(await range(3, 4)).toBe('3')
      expect(await range(7, 10)).toBe('789')
      expect(await store.get('none', { range: { start: 0, end: 1 } })).toBeUndefined()
    })

    describe('an object that is written piece by piece', () => {
      const megabytes = (count: number): Buffer => {
        const bytes = Buffer.alloc(count << 20)
        for (let i = 0; i < bytes.length; i += 4) bytes.writeInt32LE(Math.imul(i, 0x9e3779b1), i)
        return bytes
      }
      const append = async (writer: ObjectWriter, bytes: Buffer, pieceBytes: number) => {
        for (let i = 0; i < bytes.length; i += pieceBytes) await writer.append(bytes.subarray(i, i + pieceBytes))
      }

      it.each([
        ['nothing', 0, 1],
        ['a little', 1, 1_000],
        ['as much as one part holds', 8, 1 << 20],
        ['many parts', 25, 7_654_321],
        ['many parts in one piece', 25, 25 << 20],
      ])('is there after the commit: %s', async (_what, megabyteCount, pieceBytes) => {
        const store = await fresh()
        const bytes = megabytes(megabyteCount)
        const writer = store.write('a/b.bin', { contentType: 'application/x' })
        await append(writer, bytes, pieceBytes)
        expect(await store.get('a/b.bin')).toBeUndefined()
        expect(await keysOf(store)).toEqual([])
        const etag = await writer.commit()
        await writer.discard()
        const object = await store.get('a/b.bin')
        expect(Buffer.compare(object?.bytes ?? Buffer.alloc(0), bytes)).toBe(0)
        expect(await infosOf(store)).toEqual([{ key: 'a/b.bin', etag, sizeBytes: bytes.length }])
      })

      it('may be given the same buffer with other bytes', async () => {
        const store = await fresh()
        const writer = store.write('key')
        const buffer = Buffer.from('one')
        await writer.append(buffer)
        buffer.write('two')
        await writer.append(buffer)
        await writer.commit()
        expect(text(await store.get('key'))).toBe('onetwo')
      })

      it('takes the place of an older one, which is whole until then', async () => {
        const store = await fresh()
        const old = await store.put('key', 'old')
        const writer = store.write('key')
        const bytes = megabytes(20)
        await append(writer, bytes, 1 << 20)
        expect(text(await store.get('key'))).toBe('old')
        const etag = await writer.commit()
        expect(etag).not.toBe(old)
        expect(await store.head('key')).toEqual({ key: 'key', etag, sizeBytes: bytes.length })
      })

      it.each([0, 1, 20])('leaves nothing when it is discarded after %i MB', async (megabyteCount) => {
        const store = await fresh()
        await store.put('key', 'old')
        for (const key of ['key', 'folder/key']) {
          const writer = store.write(key)
          await append(writer, megabytes(megabyteCount), 1 << 20)
          await writer.discard()
          await writer.discard()
        }
        expect(text(await store.get('key'))).toBe('old')
        expect(await keysOf(store)).toEqual(['key'])
        expect(await here.unfinished(store)).toEqual([])
      })

      it('goes its way beside another of the same key: the last commit counts', async () => {
        const store = await fresh()
        const [first, second] = [store.write('key'), again(store).write('key')]
        await append(second, megabytes(9), 1 << 20)
        await append(first, megabytes(20), 1 << 20)
        await first.commit()
        await second.commit()
        expect((await store.head('key'))?.sizeBytes).toBe(9 << 20)
        expect(await here.unfinished(store)).toEqual([])
      })

      it('is refused a key that leaves the store', async () => {
        const store = await fresh()
        for (const key of ['../x', '/x', 'a//b', ''])
          expect(() => store.write(key)).toThrow(expect.objectContaining({ code: 'bad-key', name: 'SampleError' }))
      })
    })

    it('knows nothing of missing objects and of folders', async () => {
      const store = await fresh()
      await store.put('folder/file', 'x')
      for (const key of ['none', 'folder', 'folder/none', 'folder/file/below', 'n'.repeat(400)]) {
        expect(await store.get(key)).toBeUndefined()
        expect(await store.head(key)).toBeUndefined()
        await store.delete(key)
      }
      expect(await keysOf(store)).toEqual(['folder/file'])
    })

    it('deletes', async () => {
      const store = await fresh()
      await putAll(store, ['a/b/c', 'a/d'])
      await store.delete('a/b/c')
      expect(await store.get('a/b/c')).toBeUndefined()
      expect(await keysOf(store)).toEqual(['a/d'])
      expect(await collect(store.folders('a/'))).toEqual([])
    })

    it('shows what was overwritten', async () => {
      const store = await fresh()
      const first = await store.put('key', 'one')
      const second = await store.put('key', 'three')
      expect(second).not.toBe(first)
      expect(text(await store.get('key'))).toBe('three')
      expect(await infosOf(store)).toEqual([{ key: 'key', etag: second, sizeBytes: 5 }])
    })

    it('takes odd key names as they are', async () => {
      const store = await fresh()
      for (const key of oddKeys) await store.put(key, key)
      expect(await keysOf(store)).toEqual(sorted(oddKeys))
      for (const key of oddKeys) {
        expect(text(await store.get(key))).toBe(key)
        expect((await store.head(key))?.key).toBe(key)
      }
      for (const key of oddKeys) {
        expect(await keysOf(store, { prefix: key })).toEqual([key])
        expect(await keysOf(store, { after: key })).toEqual(sorted(oddKeys).filter((k) => compareKeys(k, key) > 0))
      }
      for (const key of oddKeys) await store.delete(key)
      expect(await keysOf(store)).toEqual([])
    })

    it('lists in order of the bytes of whole keys', async () => {
      const store = await fresh()
      const keys = [
        'a/z',
        'a.txt',
        'a-b/x',
        'a0',
        'a/b/c',
        'a/b.c',
        'a/b-c',
        'B',
        '\uff5e/1',
        '\u{1f600}/1',
        '\ue000',
        'é',
      ]
      await putAll(store, keys)
      const order = [
        'B',
        'a-b/x',
        'a.txt',
        'a/b-c',
        'a/b.c',
        'a/b/c',
        'a/z',
        'a0',
        'é',
        '\ue000',
        '\uff5e/1',
        '\u{1f600}/1',
      ]
      expect(await keysOf(store)).toEqual(order)
      expect(order).toEqual(sorted(keys))
    })

    it('lists after any key, there or not, and below any prefix', async () => {
      const store = await fresh()
      const keys = sorted(['A0', 'a-b/x', 'a/b/1', 'a/b/2', 'a/b-c', 'a/c/1', 'ab', 'b/1'])
      await putAll(store, keys)
      const marks = ['', ...keys, 'a/', 'a/b', 'a/b/', 'a/b/11', 'a/b/~', 'a/~', '~', 'a/b/1/x', 'A']
      for (const after of marks) {
        expect(await keysOf(store, { after })).toEqual(keys.filter((key) => compareKeys(key, after) > 0))
      }
      const prefixes = ['', 'a', 'a/', 'a/b', 'a/b/', 'a/b/1', 'b', 'none/', 'a/none', 'a/b/1/']
      for (const prefix of prefixes) {
        const below = keys.filter((key) => key.startsWith(prefix))
        expect(await keysOf(store, { prefix })).toEqual(below)
        for (const after of marks) {
          expect(await keysOf(store, { prefix, after })).toEqual(below.filter((key) => compareKeys(key, after) > 0))
        }
      }
    })

    describe('with more keys than a page holds', () => {
      const frames = Array.from({ length: 2_500 }, (_, i) => `frames/${String(i).padStart(5, '0')}`)
      let store: Store
      beforeAll(async () => {
        store = await fresh()
        await (here.fill?.(store, frames) ?? putAll(store, frames))
      })

      it('lists them all', async () => {
        expect(await keysOf(store)).toEqual(frames)
        expect(await keysOf(store, { prefix: 'frames/0', after: frames[1_200] ?? '' })).toEqual(frames.slice(1_201))
      })

      it('can be left in the middle of a listing', async () => {
        for await (const { key } of store.list()) {
          expect(key).toBe(frames[0])
          break
        }
        expect((await keysOf(store)).length).toBe(2_500)
      })

      it('lists while others write: what was there throughout comes once, in order', async () => {
        const keys: string[] = []
        let writes = Promise.resolve()
        for await (const { key } of store.list()) {
          if (keys.length % 25 === 0) {
            const added = `${frames[(keys.length * 7) % 2_500]}-new`
            writes = Promise.all([writes, store.put(added, 'x')]).then(() => undefined)
            await new Promise((resolve) => setImmediate(resolve))
          }
          keys.push(key)
        }
        await writes
        expect(keys).toEqual(sorted([...new Set(keys)]))
        const there = new Set(keys)
        expect(frames.filter((key) => !there.has(key))).toEqual([])
        expect((await keysOf(store)).length).toBe(2_600)
      })
    })

    it('names the folders of one level', async () => {
      const store = await fresh()
      await putAll(store, ['runs/a/1', 'runs/a-b/1', 'runs/a/2/3', 'runs/é +%/1', 'runs/file', 'top', 'other/x'])
      expect(await collect(store.folders('runs/'))).toEqual(['a-b', 'a', 'é +%'])
      expect(await collect(store.folders(''))).toEqual(['other', 'runs'])
      expect(await collect(store.folders('none/'))).toEqual([])
    })

    it('refuses keys that leave the store', async () => {
      const store = await fresh()
      for (const key of ['../x', 'a/../../x', '/x', 'a//b', './x', 'a/', '', '\ud800']) {
        await expect(store.put(key, 'x')).rejects.toMatchObject({ code: 'bad-key', name: 'SampleError' })
      }
    })

    it('lets exactly one of many write where nothing was', async () => {
      const store = await fresh()
      expect(await store.conditionalPut()).toBe(true)
      const others = Array.from({ length: 8 }, () => again(store))
      const results = await Promise.all(others.map((s, i) => s.put('lock', `owner ${i}`, { ifAbsent: true })))
      const winners = results.flatMap((etag, i) => (etag === false ? [] : [i]))
      expect(winners.length).toBe(1)
      const object = await store.get('lock')
      expect(text(object)).toBe(`owner ${winners[0]}`)
      expect(object?.info.etag).toBe(results[winners[0] ?? -1])
      expect(await store.put('lock', 'late', { ifAbsent: true })).toBe(false)
      // The same bytes are no less somebody else's.
      expect(await store.put('lock', `owner ${winners[0]}`, { ifAbsent: true })).toBe(false)
      await store.delete('lock')
      expect(await store.put('lock', 'again', { ifAbsent: true })).not.toBe(false)
      expect(await keysOf(store)).toEqual(['lock'])
    })

    it('lets exactly one of many replace a version, and none replace another', async () => {
      const store = await fresh()
      expect(await store.put('hold', 'x', { ifMatch: '1-1' })).toBe(false)
      expect(await store.get('hold')).toBeUndefined()
      const others = Array.from({ length: 8 }, () => again(store))
      let etag = await store.put('hold', '0-start')
      for (let round = 0; round < 5; round++) {
        const results = await Promise.all(
          others.map((other, i) => other.put('hold', `${i} in ${round}`, { ifMatch: String(etag) })),
        )
        const winners = results.flatMap((result, i) => (result === false ? [] : [i]))
        expect(winners.length).toBe(1)
        expect(text(await store.get('hold'))).toBe(`${winners[0]} in ${round}`)
        expect(await store.put('hold', 'stale', { ifMatch: String(etag) })).toBe(false)
        etag = results[winners[0] ?? -1] ?? false
        expect((await store.head('hold'))?.etag).toBe(etag)
      }
    })

    it('gives up a read when told to', async () => {
      const store = await fresh()
      await store.put('key', 'x')
      await expect(store.get('key', { signal: AbortSignal.abort(new Error('enough')) })).rejects.toThrow()
    })

    it('finds an empty place good, and leaves nothing of its probes behind', async () => {
      const store = await fresh()
      await store.check('write')
      await store.check('read')
      expect(await store.conditionalPut()).toBe(true)
      expect(await keysOf(store)).toEqual([])
    })
  })
}
