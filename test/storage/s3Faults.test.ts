import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest'
import { openStore } from '../../src/storage/open.ts'
import type { Store } from '../../src/storage/store.ts'
import { startS3Server, type Fault, type S3Server } from '../support/s3Server.ts'

const credentials = { accessKeyId: 'tester', secretAccessKey: 'not a secret' }

describe('S3 faults', () => {
  let server: S3Server
  let store: Store

  beforeAll(async () => {
    server = await startS3Server(credentials)
  })
  afterAll(() => server.close())
  beforeEach(() => {
    server.faults.length = 0
    server.objects().clear()
    store = openStore('s3://bucket/data', { endpoint: server.endpoint, credentials })
    return () => store.close()
  })
  const strike = (what: Fault['what'], times?: number, method?: string): void => {
    server.faults.push({
      what,
      ...(times !== undefined && { times }),
      when: (request) => method === undefined || request.method === method,
    })
  }

  describe('check', () => {
    const checkWith = async (uri: string, options: Parameters<typeof openStore>[1]): Promise<unknown> => {
      const other = openStore(uri, { endpoint: server.endpoint, credentials, ...options })
      try {
        return await other.check('read')
      } finally {
        other.close()
      }
    }

    it('names a missing bucket', async () => {
      await expect(checkWith('s3://nowhere/x', {})).rejects.toMatchObject({
        name: 'InputError',
        code: 'no-such-bucket',
        message: `cannot list s3://nowhere/x/: ${server.endpoint} has no such bucket; check its name`,
      })
    })

    it('says that credentials are wrong', async () => {
      for (const wrong of [{ secretAccessKey: 'wrong' }, { accessKeyId: 'nobody' }]) {
        const attempt = checkWith('s3://bucket', { credentials: { ...credentials, ...wrong } })
        await expect(attempt).rejects.toMatchObject({ name: 'InputError', code: 'access-denied' })
      }
    })

    it('says how to give credentials when there are none', async () => {
      vi.stubEnv('AWS_EC2_METADATA_DISABLED', 'true')
      vi.stubEnv('AWS_CONFIG_FILE', '/nonexistent')
      vi.stubEnv('AWS_SHARED_CREDENTIALS_FILE', '/nonexistent')
      for (const name of ['AWS_ACCESS_KEY_ID', 'AWS_SECRET_ACCESS_KEY', 'AWS_PROFILE']) vi.stubEnv(name, undefined)
      try {
        await expect(checkWith('s3://bucket', { credentials: undefined })).rejects.toMatchObject({
          name: 'InputError',
          code: 'access-denied',
          message: expect.stringContaining('set AWS_ACCESS_KEY_ID') as string,
        })
      } finally {
        vi.unstubAllEnvs()
      }
    })

    it('says that nobody answers', async () => {
      const gone = await startS3Server(credentials)
      await gone.close()
      for (const endpoint of [gone.endpoint, 'http://no-such-host.invalid:9000']) {
        await expect(checkWith('s3://bucket', { endpoint })).rejects.toMatchObject({
          name: 'InputError',
          code: 'unreachable',
        })
      }
    })

    it('says that another region is asked for', async () => {
      strike('redirect')
      await expect(store.check('read')).rejects.toMatchObject({ name: 'InputError', code: 'bad-option' })
    })

    it('finds out that nothing may be written', async () => {
      strike('deny', undefined, 'PUT')
      await store.check('read')
      await expect(store.check('write')).rejects.toMatchObject({ name: 'InputError', code: 'access-denied' })
    })
  })

  it.each(['slow-down', 'internal-error', 'reset'] as const)('rides out %s', async (what) => {
    strike(what, 1)
    await store.put('key', 'bytes')
    server.faults.length = 0
    strike(what, 1)
    expect(Buffer.from((await store.get('key'))?.bytes ?? []).toString()).toBe('bytes')
  })

  it.each(['internal-error', 'reset'] as const)('gives up on endless %s as a passing trouble', async (what) => {
    await store.put('key', 'bytes')
    strike(what)
    await expect(store.get('key')).rejects.toMatchObject({ name: 'TransientError', code: 'store-busy' })
  })

  it('reads again when a body breaks off, and never returns a part', async () => {
    await store.put('key', Buffer.alloc(300_000, 7))
    strike('truncate', 2, 'GET')
    expect((await store.get('key'))?.bytes.length).toBe(300_000)
    strike('truncate', undefined, 'GET')
    await expect(store.get('key')).rejects.toMatchObject({ name: 'TransientError', code: 'store-busy' })
  })

  describe('a server that accepts connections and falls silent', () => {
    let patient: Store
    beforeEach(() => {
      patient = openStore('s3://bucket/data', { endpoint: server.endpoint, credentials, silenceTimeoutMs: 150 })
      return () => patient.close()
    })
    const busy = { name: 'TransientError', code: 'store-busy' }

    it('is a passing trouble to whoever writes, lists or deletes', async () => {
      strike(600_000)
      await expect(patient.put('key', 'bytes')).rejects.toMatchObject(busy)
      await expect(patient.list()[Symbol.asyncIterator]().next()).rejects.toMatchObject(busy)
      await expect(patient.delete('key')).rejects.toMatchObject(busy)
    })

    it('is one, too, when it falls silent in the middle of an object', async () => {
      await store.put('key', Buffer.alloc(300_000, 7))
      strike('stall', 2, 'GET')
      expect((await patient.get('key'))?.bytes.length).toBe(300_000)
      strike('stall', undefined, 'GET')
      await expect(patient.get('key')).rejects.toMatchObject(busy)
    })

    it('is one to whoever checks it at a command line', async () => {
      strike(600_000)
      await expect(patient.check('read')).rejects.toMatchObject({ name: 'InputError', code: 'unreachable' })
    })
  })

  it('goes on with a listing whose page fails once', async () => {
    for (let i = 0; i < 1_500; i++) server.put(`data/${String(i).padStart(4, '0')}`, 'x')
    const keys: string[] = []
    for await (const { key } of store.list()) {
      if (keys.length === 0) strike('slow-down', 1, 'GET')
      keys.push(key)
    }
    expect(keys.length).toBe(1_500)
  })

  it('knows its own conditional write again when the answer was lost', async () => {
    strike('lose-answer', 1, 'PUT')
    const etag = await store.put('hold', 'owner 1', { ifAbsent: true })
    expect(etag).toBe((await store.head('hold'))?.etag)
    expect(await store.put('hold', 'owner 2', { ifAbsent: true })).toBe(false)
    await store.conditionalPut()
    strike('lose-answer', 1, 'PUT')
    expect(await store.put('hold', 'owner 1 again', { ifMatch: String(etag) })).toBe((await store.head('hold'))?.etag)
  })

  it('takes expired credentials for a fault of the place', async () => {
    strike('expired-token')
    await expect(store.get('key')).rejects.toMatchObject({ name: 'PlaceError', code: 'credentials-expired' })
  })

  it('takes access refused from the start for wrong input, after success for a fault of the place', async () => {
    await store.put('key', 'x')
    strike('deny')
    await expect(store.get('key')).rejects.toMatchObject({ name: 'InputError', code: 'access-denied' })
    server.faults.length = 0
    await store.get('key')
    strike('deny')
    await expect(store.get('key')).rejects.toMatchObject({ name: 'PlaceError', code: 'credentials-expired' })
    await expect(store.get('other')).rejects.toMatchObject({ name: 'PlaceError', code: 'credentials-expired' })
  })

  it('takes access refused to one object among others for that object’s fault', async () => {
    await store.put('good', 'x')
    await store.put('bad', 'x')
    await store.get('good')
    server.faults.push({ what: 'deny', when: ({ key }) => key === 'data/bad' })
    await expect(store.get('bad')).rejects.toMatchObject({ name: 'SampleError', code: 'unavailable' })
  })

  it('takes a lost bucket and a full one for faults of the place', async () => {
    await store.put('key', 'x')
    strike('quota', undefined, 'PUT')
    await expect(store.put('key', 'x')).rejects.toMatchObject({ name: 'PlaceError', code: 'disk-full' })
    server.faults.length = 0
    const bucket = server.buckets.get('bucket')
    server.buckets.delete('bucket')
    try {
      await expect(store.put('key', 'x')).rejects.toMatchObject({ name: 'PlaceError', code: 'store-gone' })
    } finally {
      if (bucket !== undefined) server.buckets.set('bucket', bucket)
    }
  })

  it('lets go of a slow read when told to', async () => {
    await store.put('key', 'x')
    strike(30_000)
    const reason = new Error('enough')
    const controller = new AbortController()
    const reading = store.get('key', { signal: controller.signal })
    setTimeout(() => controller.abort(reason), 20)
    await expect(reading).rejects.toBe(reason)
  })
})
