import { describe, expect, it } from 'vitest'
import { openStore } from '../../src/storage/open.ts'
import { slicedObject } from '../../src/storage/slicedObject.ts'
import type { ObjectInfo, Store } from '../../src/storage/store.ts'
import { startS3Server, type Answer, type S3Server } from '../support/s3Server.ts'

const credentials = { accessKeyId: 'tester', secretAccessKey: 'not a secret' }

async function withStore(action: (store: Store, server: S3Server) => Promise<void>): Promise<void> {
  const server = await startS3Server(credentials)
  const store = openStore('s3://bucket/data', { endpoint: server.endpoint, credentials })
  try {
    await action(store, server)
  } finally {
    store.close()
    await server.close()
  }
}

async function listed(store: Store, after?: string): Promise<ObjectInfo[]> {
  const infos: ObjectInfo[] = []
  for await (const info of store.list(after === undefined ? {} : { after })) infos.push(info)
  return infos
}

const isListing = ({ key }: { key: string }): boolean => key === ''
/** Each listing's text as another service would write it. */
function rewrite(server: S3Server, change: (xml: string) => string): void {
  server.faults.push({ when: isListing, what: (answer) => ({ ...answer, body: change(String(answer.body)) }) })
}
const withoutLength = ({ headers = {}, ...answer }: Answer): Answer => {
  const { 'content-length': _length, ...kept } = headers
  return { ...answer, headers: { ...kept, 'transfer-encoding': 'chunked' } }
}

describe('answers of services other than Amazon’s', () => {
  it('a raw % in a listing makes one key doubtful, and ends nothing', () =>
    withStore(async (store, server) => {
      for (const key of ['a b.png', '50% off.png', '100%.png', 'z%41.png']) server.put(`data/${key}`, 'x')
      rewrite(server, (xml) => xml.replaceAll('50%25', '50%').replaceAll('100%25', '100%'))
      expect((await listed(store)).map(({ key, isGarbled }) => [key, isGarbled])).toEqual([
        ['100%.png', true],
        ['50% off.png', true],
        ['a b.png', undefined],
        ['z%41.png', undefined],
      ])
      expect((await listed(store, '100%.png')).map(({ key }) => key)).toEqual(['50% off.png', 'a b.png', 'z%41.png'])
    }))

  it('keys that are not UTF-8 end nothing either, wherever they stand', () =>
    withStore(async (store, server) => {
      for (const key of ['a.png', '~1.png', '~é.png', '~퀀.png', '~😀.png']) server.put(`data/${key}`, 'x')
      rewrite(server, (xml) => xml.replace('%C3%A9', '%E9'))
      // What can be read of it sorts before `1`; it is left out, with a warning, and never taken for another key.
      expect((await listed(store)).map(({ key }) => key)).toEqual(['a.png', '~1.png', '~퀀.png', '~😀.png'])
    }))

  it('a folder whose name is not UTF-8 hides no other', () =>
    withStore(async (store, server) => {
      for (const key of ['a/1', 'b%/1', 'c/1']) server.put(`data/${key}`, 'x')
      rewrite(server, (xml) => xml.replaceAll('b%25', 'b%'))
      const folders: string[] = []
      for await (const folder of store.folders('')) folders.push(folder)
      expect(folders).toEqual(['a', 'c'])
      expect((await listed(store)).map(({ key }) => key)).toEqual(['a/1', 'b%/1', 'c/1'])
    }))

  it('a plus beside %20 is a plus', () =>
    withStore(async (store, server) => {
      for (const key of ['a b+c.png', 'd e.png']) server.put(`data/${key}`, 'x')
      rewrite(server, (xml) => xml.replace('a+b%2Bc', 'a%20b+c'))
      expect((await listed(store)).map(({ key }) => key)).toEqual(['a b+c.png', 'd e.png'])
    }))

  it('an object without a Content-Length is read, whole or in part', () =>
    withStore(async (store, server) => {
      const bytes = Buffer.from('0123456789')
      await store.put('ten', bytes)
      const etag = (await store.head('ten'))?.etag
      server.faults.push({ when: ({ key }) => key !== '', what: withoutLength })
      const info = { key: 'ten', etag, sizeBytes: 10 }
      expect(await store.head('ten')).toEqual(info)
      expect(await store.get('ten')).toMatchObject({ info, bytes })
      expect(await store.get('ten', { range: { start: 3, end: 5 } })).toMatchObject({ info, bytes: Buffer.from('34') })
      const sliced = await slicedObject(store, 'ten')
      expect(Buffer.from((await sliced?.slice(8)) ?? new ArrayBuffer()).toString()).toBe('89')
    }))

  it('a listing without ETags or sizes is completed object by object', () =>
    withStore(async (store, server) => {
      for (let i = 0; i < 20; i++) server.put(`data/${String(i).padStart(2, '0')}`, `bytes ${i}`)
      const whole = await listed(store)
      for (const lacking of [/<ETag>.*?<\/ETag>/g, /<Size>.*?<\/Size>/g, /<LastModified>.*?<\/LastModified>/g]) {
        server.faults.length = 0
        rewrite(server, (xml) => xml.replaceAll(lacking, ''))
        expect(await listed(store)).toEqual(whole)
      }
    }))

  it('ETags without quotes, or weak ones, are the same everywhere', () =>
    withStore(async (store, server) => {
      await store.put('key', 'bytes')
      const whole = await listed(store)
      rewrite(server, (xml) => xml.replaceAll('&quot;', ''))
      server.faults.push({
        when: ({ method }) => method === 'GET' || method === 'HEAD',
        what: (answer) => ({ ...answer, headers: { ...answer.headers, etag: `W/${answer.headers?.['etag']}` } }),
      })
      expect(await listed(store)).toEqual(whole)
      expect(await store.head('key')).toEqual(whole[0])
      expect((await store.get('key'))?.info).toEqual(whole[0])
    }))

  it('an archived object is called that, with what to do, whatever was read before', () =>
    withStore(async (store, server) => {
      await store.put('good', 'x')
      await store.put('cold', 'x')
      server.faults.push({ when: ({ method, key }) => method === 'GET' && key === 'data/cold', what: 'archived' })
      for (let i = 0; i < 2; i++) {
        await expect(store.get('cold')).rejects.toMatchObject({
          name: 'SampleError',
          code: 'archived',
          message:
            'cannot read s3://bucket/data/cold: the object lies in an archive (GLACIER, DEEP_ARCHIVE or kin); ' +
            'restore it, then start again',
        })
        await store.get('good')
      }
    }))
})
