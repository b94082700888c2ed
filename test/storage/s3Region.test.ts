import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest'
import { openStore, type OpenStoreOptions } from '../../src/storage/open.ts'
import { createS3Client } from '../../src/storage/s3Client.ts'
import { startS3Server, type S3Server } from '../support/s3Server.ts'

const credentials = { accessKeyId: 'tester', secretAccessKey: 'not a secret' }
const variables = ['AWS_REGION', 'AWS_DEFAULT_REGION', 'AWS_ENDPOINT_URL_S3', 'AWS_ENDPOINT_URL', 'AWS_PROFILE']

let folder: string
let server: S3Server
/** Of the request that came last: the region that it was signed for, and the bucket in its path. */
let asked: { region: string | undefined; bucket: string } | undefined

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'headlight-region-'))
  await writeFile(
    join(folder, 'config'),
    [
      '[profile nl]\nregion = nl-ams',
      '[profile local]\nservices = here',
      `[services here]\ns3 =\n  endpoint_url = http://localhost:1`,
    ].join('\n'),
  )
  server = await startS3Server(credentials)
  server.faults.push({
    when: ({ headers, bucket }) => {
      const [, region] = /Credential=[^/]+\/\d+\/([^/]*)\/s3\//.exec(headers.authorization ?? '') ?? []
      asked = { region, bucket }
      return false
    },
    what: 'deny',
  })
})
afterAll(async () => {
  await server.close()
  await rm(folder, { recursive: true })
})
beforeEach(() => {
  asked = undefined
  for (const name of variables) vi.stubEnv(name, undefined)
  vi.stubEnv('AWS_EC2_METADATA_DISABLED', 'true')
  vi.stubEnv('AWS_CONFIG_FILE', join(folder, 'config'))
  vi.stubEnv('AWS_SHARED_CREDENTIALS_FILE', join(folder, 'none'))
})
afterEach(() => vi.unstubAllEnvs())

const given = (environment: Readonly<Record<string, string>>): void => {
  for (const [name, value] of Object.entries(environment)) vi.stubEnv(name, value)
}

async function ask(options: OpenStoreOptions): Promise<typeof asked> {
  const store = openStore('s3://bucket/data', { credentials, ...options })
  try {
    await store.check('read')
    return asked
  } finally {
    store.close()
  }
}

describe('the region beside an endpoint', () => {
  it.each([
    [{}, 'us-east-1'],
    [{ AWS_REGION: 'fr-par' }, 'fr-par'],
    [{ AWS_DEFAULT_REGION: 'fr-par' }, 'fr-par'],
    [{ AWS_REGION: '', AWS_DEFAULT_REGION: 'fr-par' }, 'fr-par'],
    [{ AWS_REGION: 'fr-par', AWS_DEFAULT_REGION: 'gra' }, 'fr-par'],
    [{ AWS_PROFILE: 'nl' }, 'nl-ams'],
    [{ AWS_PROFILE: 'nl', AWS_REGION: 'fr-par' }, 'fr-par'],
  ])('%o: %s', async (environment, region) => {
    given(environment)
    expect(await ask({ endpoint: server.endpoint })).toEqual({ region, bucket: 'bucket' })
  })

  it('is the one that is given first of all', async () => {
    given({ AWS_REGION: 'fr-par' })
    expect(await ask({ endpoint: server.endpoint, region: 'gra' })).toEqual({ region: 'gra', bucket: 'bucket' })
  })
})

describe('an endpoint in the environment', () => {
  it.each(['AWS_ENDPOINT_URL_S3', 'AWS_ENDPOINT_URL'])('%s is asked in path style on this machine', async (name) => {
    for (const endpoint of [server.endpoint, server.endpoint.replace('127.0.0.1', 'localhost')]) {
      given({ [name]: endpoint })
      expect(await ask({})).toEqual({ region: 'us-east-1', bucket: 'bucket' })
    }
    given({ AWS_REGION: 'fr-par' })
    expect(await ask({})).toEqual({ region: 'fr-par', bucket: 'bucket' })
  })

  it('yields to the one that is given', async () => {
    given({ AWS_ENDPOINT_URL_S3: 'http://localhost:1' })
    expect(await ask({ endpoint: server.endpoint })).toEqual({ region: 'us-east-1', bucket: 'bucket' })
  })

  it('is named where it does not answer', async () => {
    given({ AWS_ENDPOINT_URL_S3: 'http://localhost:1' })
    await expect(ask({})).rejects.toMatchObject({
      code: 'unreachable',
      message: expect.stringContaining('http://localhost:1') as string,
    })
  })

  it.each([
    ['http://localhost:9000', true],
    ['http://minio:9000', true],
    ['http://minio.localhost:9000', true],
    ['http://10.0.0.1', true],
    ['http://[::1]:9000', true],
    ['https://s3.fr-par.scw.cloud', false],
  ])('%s: path style %s', async (endpoint, isPathStyle) => {
    given({ AWS_ENDPOINT_URL_S3: endpoint })
    const configured = await createS3Client({})
    expect([configured.endpoint, configured.client.config.forcePathStyle]).toEqual([endpoint, isPathStyle])
    given({ AWS_IGNORE_CONFIGURED_ENDPOINT_URLS: 'true' })
    expect((await createS3Client({})).endpoint).toBeUndefined()
  })

  it('that is no URL is refused', async () => {
    given({ AWS_ENDPOINT_URL: 'minio:9000' })
    await expect(ask({})).rejects.toMatchObject({ name: 'InputError', code: 'bad-option' })
  })

  it('may stand in the profile', async () => {
    given({ AWS_PROFILE: 'local' })
    const configured = await createS3Client({})
    expect([configured.endpoint, configured.client.config.forcePathStyle]).toEqual(['http://localhost:1', true])
  })
})

it('Amazon itself is asked for the region of AWS_DEFAULT_REGION, too, and for none that is unknown', async () => {
  await expect((await createS3Client({})).client.config.region()).rejects.toThrow('Region is missing')
  given({ AWS_DEFAULT_REGION: 'eu-west-1' })
  expect(await (await createS3Client({})).client.config.region()).toBe('eu-west-1')
})
