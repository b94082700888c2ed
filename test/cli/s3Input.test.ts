import { readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, beforeEach, expect, it, vi } from 'vitest'
import { headlight, imageFolder, networkFile } from '../support/headlight.ts'
import { startS3Server, type S3Server } from '../support/s3Server.ts'

const keys = { accessKeyId: 'key', secretAccessKey: 'secret' }
const name = 'BIWI00000001_-17_+1_+17.png'
let server: S3Server

beforeAll(async () => {
  server = await startS3Server(keys)
})
afterAll(() => server.close())

beforeEach(() => {
  vi.stubEnv('AWS_ACCESS_KEY_ID', keys.accessKeyId)
  vi.stubEnv('AWS_SECRET_ACCESS_KEY', keys.secretAccessKey)
  vi.stubEnv('AWS_REGION', 'us-east-1')
})
afterEach(() => vi.unstubAllEnvs())

const run = (dataset: string, output: string, endpoint = server.endpoint) =>
  headlight(['run', '--dataset', dataset, '--output', output, '--network', networkFile, '--s3-endpoint', endpoint])

it('names a bucket that is not there, refused credentials and an endpoint that does not answer', async () => {
  const noBucket = await run('s3://nowhere/images/', 's3://bucket/out/')
  expect(noBucket).toMatchObject({ code: 2, stdout: '' })
  expect(noBucket.stderr).toMatch(/^headlight: [^\n]*s3:\/\/nowhere\/images\/: [^\n]* no such bucket[^\n]*\n$/)

  vi.stubEnv('AWS_SECRET_ACCESS_KEY', 'wrong')
  const refused = await run('s3://bucket/images/', 's3://bucket/out/')
  expect(refused).toMatchObject({ code: 2, stdout: '' })
  expect(refused.stderr).toMatch(/^headlight: [^\n]*s3:\/\/bucket[^\n]*\n$/)
  expect(refused.stderr).not.toContain('wrong')

  const silent = await run('s3://bucket/images/', 's3://bucket/out/', 'http://127.0.0.1:1')
  expect(silent).toMatchObject({ code: 2, stdout: '' })
  expect(silent.stderr).toMatch(/^headlight: [^\n]*127\.0\.0\.1:1[^\n]*\n$/)

  vi.stubEnv('AWS_SECRET_ACCESS_KEY', keys.secretAccessKey)
  const empty = await run('s3://bucket/images/', 's3://bucket/out/')
  expect(empty.code).toBe(2)
  expect(server.buckets.get('bucket')?.objects.size).toBe(0)
})

it('explains an image that lies in S3, and says which one is not there', async () => {
  const bytes = await readFile(`${imageFolder}/${name}`)
  server.buckets.get('bucket')?.set(`in/${name}`, { bytes, etag: 'e', contentType: 'image/png' })
  const call = ['--network', networkFile, '--s3-endpoint', server.endpoint, '--json']
  const far = await headlight(['explain', `s3://bucket/in/${name}`, ...call])
  expect(far.stderr).toMatch(/^\S+ warning: tiny_hp.pkl: assumed: .*\n$/)
  const near = await headlight(['explain', `${imageFolder}/${name}`, ...call])
  const result = (text: string) => JSON.parse(text) as { angles: unknown; label: unknown }
  expect(result(far.stdout).angles).toEqual(result(near.stdout).angles)
  expect(result(far.stdout).label).toEqual({ yaw: -17, pitch: 1, roll: 17 })

  server.put('models/best.pkl', await readFile(networkFile))
  const farNetwork = ['--network', 's3://bucket/models/best.pkl', '--s3-endpoint', server.endpoint, '--json']
  const cache = { HEADLIGHT_CACHE_FOLDER: join(tmpdir(), `headlight-cache-${process.pid}`) }
  const both = await headlight(['explain', `${imageFolder}/${name}`, ...farNetwork], cache)
  await rm(cache.HEADLIGHT_CACHE_FOLDER, { recursive: true })
  expect(result(both.stdout).angles).toEqual(result(near.stdout).angles)

  const missing = await headlight(['explain', 's3://bucket/in/none.png', ...call])
  expect(missing).toMatchObject({ code: 2, stderr: expect.stringContaining('s3://bucket/in/none.png does not exist') })
})
