import { describe, expect, it } from 'vitest'
import { openStore } from '../../src/storage/open.ts'
import { S3Store } from '../../src/storage/s3.ts'
import type { Store } from '../../src/storage/store.ts'
import { startS3Server, type S3Server, type S3ServerOptions } from '../support/s3Server.ts'

const credentials = { accessKeyId: 'tester', secretAccessKey: 'not a secret' }

async function withStore(
  options: Partial<S3ServerOptions>,
  action: (store: Store, server: S3Server) => Promise<void>,
): Promise<void> {
  const server = await startS3Server({ ...credentials, ...options })
  const store = openStore('s3://bucket/data', { endpoint: server.endpoint, credentials })
  try {
    await action(store, server)
  } finally {
    store.close()
    await server.close()
  }
}

async function keysOf(store: Store): Promise<string[]> {
  const keys: string[] = []
  for await (const { key } of store.list()) keys.push(key)
  return keys
}

describe('S3 services of all kinds', () => {
  it('one that takes requests and answers none is busy, not waited for', async () => {
    const server = await startS3Server(credentials)
    const options = { endpoint: server.endpoint, credentials, answerTimeoutMs: 300 }
    const store = new S3Store('bucket', 'data/', options)
    try {
      server.put('data/a.png', 'x')
      server.faults.push({ when: ({ method }) => method !== 'PUT', what: 120_000 })
      await expect(store.get('a.png')).rejects.toMatchObject({ name: 'TransientError', code: 'store-busy' })
      await expect(store.head('a.png')).rejects.toMatchObject({ name: 'TransientError', code: 'store-busy' })
      await expect(keysOf(store)).rejects.toMatchObject({ name: 'TransientError', code: 'store-busy' })
    } finally {
      store.close()
      await server.close()
    }
  })

  it('pages hold as few keys as the service likes', () =>
    withStore({ pageSize: 2 }, async (store, server) => {
      const keys = Array.from({ length: 25 }, (_, i) => `f${String(i).padStart(2, '0')}/x y+%`)
      for (const key of keys) server.put(`data/${key}`, 'x')
      expect(await keysOf(store)).toEqual(keys)
      server.counts['LIST'] = 0
      const folders: string[] = []
      for await (const folder of store.folders('')) folders.push(folder)
      expect(folders).toEqual(keys.map((key) => key.slice(0, 3)))
      expect(server.counts['LIST']).toBe(13)
    }))

  it('an object that is named like a folder and holds something is told of, a mere mark is not', () =>
    withStore({}, async (store, server) => {
      server.put('data/a/', '')
      server.put('data/b.png', 'x')
      server.put('data/c.png/', 'x')
      const told: unknown[] = []
      for await (const { key } of store.list({ onUnnamed: (folder, keys) => told.push([folder, keys]) })) told.push(key)
      expect(told).toEqual(['b.png', ['c.png/', ['c.png']]])
    }))

  it('keys with characters that XML cannot carry are listed and read', () =>
    withStore({}, async (store, server) => {
      server.put('data/bell\u0007.png', 'x')
      expect(await keysOf(store)).toEqual(['bell\u0007.png'])
      expect((await store.get('bell\u0007.png'))?.bytes.length).toBe(1)
    }))

  it('keys of other prefixes, marks of folders and half-done probes are not listed', () =>
    withStore({}, async (store, server) => {
      for (const key of ['data', 'data-2/x', 'data/', 'data/sub/', 'data/sub/x', 'data/.headlight-tmp-1']) {
        server.put(key, '')
      }
      expect(await keysOf(store)).toEqual(['sub/x'])
    }))

  it('one that does not name what a multipart upload has made is asked', () =>
    withStore({ isEtagOmitted: true }, async (store) => {
      const writer = store.write('table')
      await writer.append(Buffer.alloc(9 << 20))
      const etag = await writer.commit()
      expect(etag).not.toBe('')
      expect(await store.head('table')).toEqual({ key: 'table', etag, sizeBytes: 9 << 20 })
    }))

  it.each(['obeyed', 'bare'] as const)('conditions that are %s are found to hold', (conditions) =>
    withStore({ conditions }, async (store, server) => {
      expect(await store.conditionalPut()).toBe(true)
      expect(server.objects().size).toBe(0)
      const etag = await store.put('hold', '1', { ifAbsent: true })
      expect(await store.put('hold', '2', { ifMatch: String(etag) })).not.toBe(false)
      expect(await store.put('hold', '3', { ifMatch: String(etag) })).toBe(false)
    }),
  )

  it.each(['ignored', 'refused'] as const)('conditions that are %s are found not to hold', (conditions) =>
    withStore({ conditions }, async (store, server) => {
      expect(await store.conditionalPut()).toBe(false)
      expect(server.objects().size).toBe(0)
      const probes = server.counts['PUT']
      expect(await store.conditionalPut()).toBe(false)
      expect(server.counts['PUT']).toBe(probes)
    }),
  )
})
