import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import { openStore } from '../../src/storage/open.ts'
import type { Store } from '../../src/storage/store.ts'
import { startS3Server, type Fault, type S3Server } from '../support/s3Server.ts'

const credentials = { accessKeyId: 'tester', secretAccessKey: 'not a secret' }

let folder: string
let server: S3Server
let store: Store
/** Requests so far, whoever sent them. */
let requests = 0

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'headlight-credentials-'))
  server = await startS3Server(credentials)
  requests = 0
  server.faults.push({ when: () => ++requests < 0, what: 'deny' })
  for (const name of ['AWS_ACCESS_KEY_ID', 'AWS_SECRET_ACCESS_KEY', 'AWS_SESSION_TOKEN', 'AWS_PROFILE']) {
    vi.stubEnv(name, undefined)
  }
  vi.stubEnv('AWS_EC2_METADATA_DISABLED', 'true')
  vi.stubEnv('AWS_CONFIG_FILE', join(folder, 'none'))
  vi.stubEnv('AWS_SHARED_CREDENTIALS_FILE', join(folder, 'credentials'))
  server.put('data/a', 'text')
  await renewed('first')
  store = openStore('s3://bucket/data', { endpoint: server.endpoint })
  return async () => {
    store.close()
    await server.close()
    await rm(folder, { recursive: true })
  }
})
afterEach(() => vi.unstubAllEnvs())

/** As programs do that log in for some hours. */
async function renewed(sessionToken: string, accessKeyId = credentials.accessKeyId): Promise<void> {
  const lines = [
    '[default]',
    `aws_access_key_id = ${accessKeyId}`,
    `aws_secret_access_key = ${credentials.secretAccessKey}`,
    `aws_session_token = ${sessionToken}`,
  ]
  await writeFile(join(folder, 'credentials'), lines.join('\n'))
}

function expire(sessionToken: string, what: Fault['what'] = 'expired-token'): void {
  server.faults.push({ when: ({ headers }) => headers['x-amz-security-token'] === sessionToken, what })
}

const calls: Readonly<Record<string, () => Promise<unknown>>> = {
  get: () => store.get('a'),
  head: () => store.head('a'),
  list: async () => {
    for await (const { key } of store.list()) expect(key).toBe('a')
  },
  put: () => store.put('a', 'text'),
  delete: () => store.delete('a'),
}

it.each(Object.entries(calls))(
  '%s: expired credentials that are renewed in their file are taken at once',
  async (_, call) => {
    await store.get('a')
    expire('first')
    await renewed('second')
    await call()
    expire('second')
    await renewed('third')
    await call()
  },
)

it('a store that has said that they expired works when they are renewed, and so does one opened later', async () => {
  await store.get('a')
  expire('first')
  await expect(store.get('a')).rejects.toMatchObject({ name: 'PlaceError', code: 'credentials-expired' })
  await renewed('second')
  expect((await store.get('a'))?.bytes).toHaveLength(4)
  await renewed('third')
  expire('second')
  const later = openStore('s3://bucket/data', { endpoint: server.endpoint })
  await later.check('write')
  later.close()
})

it('credentials that were deleted and replaced are taken, too', async () => {
  await renewed('first', 'deleted')
  await expect(store.get('a')).rejects.toMatchObject({ name: 'InputError', code: 'access-denied' })
  await renewed('first')
  expect((await store.get('a'))?.bytes).toHaveLength(4)
})

it('credentials that are the same are not tried twice, nor others where access is refused', async () => {
  await store.get('a')
  expire('first')
  requests = 0
  await expect(store.get('a')).rejects.toMatchObject({ code: 'credentials-expired' })
  expect(requests).toBe(1)
  await renewed('second')
  expire('second', 'deny')
  requests = 0
  await expect(store.get('a')).rejects.toMatchObject({ code: 'credentials-expired' })
  expect(requests).toBe(2)
})

it('many requests that are refused at once are all sent again, with one look at the file', async () => {
  await store.get('a')
  expire('first')
  await renewed('second')
  requests = 0
  await Promise.all(Array.from({ length: 30 }, () => store.get('a')))
  expect(requests).toBeLessThanOrEqual(60)
})
