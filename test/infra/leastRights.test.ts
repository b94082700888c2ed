import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest'
import { openStore } from '../../src/storage/open.ts'
import { imageFolder, inFolder, networkFile, startHeadlight } from '../support/headlight.ts'
import { Policy } from '../support/s3Policy.ts'
import { startS3Server, type S3Request, type S3Server } from '../support/s3Server.ts'
import { hasOpenssl, startSecuredRedis, type SecuredRedis } from '../support/securedRedis.ts'

const places = {
  dataset_bucket: 'bucket',
  dataset_prefix: 'heads/',
  output_bucket: 'bucket',
  output_prefix: 'saliency/',
}
const policies = { producer: new Policy('producer', places), worker: new Policy('worker', places) }
const secrets = {
  redis: 'redis-p4ssw0rd-not-to-be-seen',
  s3: 's3-s3cr3t-not-to-be-seen',
  webhook: 'webhook-s3cr3t-not-to-be-seen',
}

let redis: SecuredRedis
/** The same buckets, seen by each side through its own policy. */
const sides = new Map<'producer' | 'worker', S3Server>()
const denied: string[] = []

const objects = () => sides.get('producer')?.objects() ?? new Map<string, never>()
const environmentOf = (side: 'producer' | 'worker') => ({
  HEADLIGHT_REDIS: redis.url('headlight'),
  HEADLIGHT_S3_ENDPOINT: sides.get(side)?.endpoint ?? '',
  HEADLIGHT_WEBHOOK_SECRET: secrets.webhook,
  HEADLIGHT_LOG_LEVEL: 'debug',
  NODE_EXTRA_CA_CERTS: redis.caFile,
  AWS_ACCESS_KEY_ID: 'key',
  AWS_SECRET_ACCESS_KEY: secrets.s3,
  AWS_REGION: 'us-east-1',
})

/** The arguments of all processes of this machine. */
function processArguments(): string {
  const pids = readdirSync('/proc').filter((name) => /^\d+$/.test(name))
  return pids
    .map((pid) => {
      try {
        return readFileSync(`/proc/${pid}/cmdline`, 'utf8')
      } catch {
        return ''
      }
    })
    .join('\n')
}

describe.skipIf(!hasOpenssl)('runs under these policies (skipped without openssl)', () => {
  beforeAll(async () => {
    redis = await startSecuredRedis({ headlight: secrets.redis, keda: 'unused' })
    for (const side of ['producer', 'worker'] as const) {
      const server = await startS3Server({ accessKeyId: 'key', secretAccessKey: secrets.s3 })
      const when = (request: S3Request) => {
        if (policies[side].allows(request)) return false
        denied.push(`${side}: ${request.method} ${request.bucket}/${request.key}?${request.query.toString()}`)
        return true
      }
      server.faults.push({ when, what: 'deny' })
      sides.set(side, server)
    }
    const bucket = sides.get('producer')?.buckets.get('bucket')
    if (bucket) sides.get('worker')?.buckets.set('bucket', bucket)
  })
  afterAll(async () => {
    await redis.stop()
    for (const server of sides.values()) await server.close()
  })

  test(
    'the policies of infra/terraform suffice for runs that compute, prune and keep one run whole, and no secret is seen anywhere',
    { timeout: 240_000 },
    () =>
      inFolder(async (folder) => {
        const images = readdirSync(imageFolder)
        for (const name of images) sides.get('producer')?.put(`heads/${name}`, readFileSync(join(imageFolder, name)))
        const worker = startHeadlight(
          ['worker', '--units', '1', '--cache-folder', join(folder, 'cache')],
          environmentOf('worker'),
        )
        onTestFinished(() => worker.kill('SIGKILL'))
        const uris = ['--dataset', 's3://bucket/heads/', '--output', 's3://bucket/saliency/', '--network', networkFile]
        const produce = () =>
          startHeadlight(
            ['produce', ...uris, '--gradients', 'float16', '--prune', '--keep-runs', '1'],
            environmentOf('producer'),
          ).ended
        const said: string[] = []
        const ended = async (run: ReturnType<typeof produce>) => {
          const { code, stdout, stderr } = await run
          expect({ code, denied, stderr }).toMatchObject({ code: 0, denied: [] })
          said.push(stdout, stderr)
        }
        await ended(produce())
        const seen = processArguments()
        // One image is gone: its map and gradient are pruned, and the table of the first run is not kept.
        objects().delete(`heads/${images[0]}`)
        await ended(produce())
        worker.kill('SIGTERM')
        const end = await worker.ended
        expect({ code: end.code, denied }).toEqual({ code: 0, denied: [] })
        said.push(end.stdout, end.stderr)

        for (const side of ['producer', 'worker'] as const)
          expect({ side, used: policies[side].statements.filter((name) => policies[side].used.has(name)) }).toEqual({
            side,
            used: policies[side].statements,
          })

        expect(seen).toContain('dist/cli/main.js\0worker')
        const jobs = await redis.admin.keys('*')
        const places = {
          'process arguments': seen,
          logs: said.join('\n'),
          'output store': [...objects()].map(([key, { bytes }]) => `${key}\n${bytes.toString('latin1')}`).join('\n'),
          Redis: (await Promise.all(jobs.map((key) => redis.admin.dumpBuffer(key)))).join('\n'),
        }
        expect(places.logs.length).toBeGreaterThan(1_000)
        for (const [place, text] of Object.entries(places))
          for (const [name, secret] of Object.entries(secrets))
            expect({ place, name, isSeen: text.includes(secret) }).toEqual({ place, name, isSeen: false })
      }),
  )

  test('the policy of the producer suffices for large objects, those given up included', async () => {
    const store = openStore('s3://bucket/saliency/', {
      endpoint: sides.get('producer')?.endpoint,
      credentials: { accessKeyId: 'key', secretAccessKey: secrets.s3 },
    })
    onTestFinished(() => store.close())
    const keys = ['set/angles.parquet', 'set/runs/1/map-places.bin']
    for (const end of ['commit', 'discard'] as const) {
      for (const key of keys) {
        const object = store.write(key)
        await object.append(Buffer.alloc(9 << 20))
        await object[end]()
      }
    }
    expect(denied).toEqual([])
    expect(sides.get('producer')?.unfinished()).toEqual([])
    for (const key of keys) expect(objects().get(`saliency/${key}`)?.bytes.length).toBe(9 << 20)
  })
})

const asks = (method: string, key: string, prefix?: string) => ({
  method,
  bucket: 'bucket',
  key,
  query: new URLSearchParams(prefix === undefined ? {} : { prefix }),
})

test.each([
  ['worker', 'write an image of the dataset', asks('PUT', 'heads/a.png')],
  ['worker', 'remove a map', asks('DELETE', 'saliency/set/maps/sum/a.png')],
  ['worker', 'say what the state is', asks('PUT', 'saliency/set/current.json')],
  ['worker', 'exchange the network', asks('PUT', 'saliency/set/network/model.pkl')],
  ['worker', 'change a manifest', asks('PUT', 'saliency/set/runs/1/manifest/00000.jsonl.gz')],
  ['worker', 'read beside dataset and output', asks('GET', 'private/a.png')],
  ['worker', 'list the whole bucket', asks('GET', '', '')],
  ['worker', 'begin a large object', asks('POST', 'saliency/set/angles.parquet')],
  ['producer', 'write an image of the dataset', asks('PUT', 'heads/a.png')],
  ['producer', 'remove an image of the dataset', asks('DELETE', 'heads/a.png')],
  ['producer', 'remove the table of now', asks('DELETE', 'saliency/set/angles.parquet')],
  ['producer', 'remove what says which run is the state', asks('DELETE', 'saliency/set/current.json')],
  ['producer', 'remove a result set’s description', asks('DELETE', 'saliency/set/set.json')],
  ['producer', 'remove a network', asks('DELETE', 'saliency/set/network/model.pkl')],
  ['producer', 'remove a report', asks('DELETE', 'saliency/set/report/index.html')],
  ...['run.json', 'summary.json', 'aggregates.json', 'failures.csv', 'left-out.json', 'flags.json'].map(
    (file) => ['producer', `remove a run’s ${file}`, asks('DELETE', `saliency/set/runs/1/${file}`)] as const,
  ),
  ['producer', 'read beside dataset and output', asks('GET', 'private/a.png')],
  ['producer', 'list the whole bucket', asks('GET', '', '')],
] as const)('the %s may not %s', (side, _what, request) => {
  expect(policies[side].allows(request)).toBe(false)
})
