import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest'
import { layout } from '../../src/output/layout.ts'
import { addresses, pictureKinds } from '../../src/serve/addresses.ts'
import { everything } from '../../src/serve/selection.ts'
import type { RowsReply, SetReply, SetsReply } from '../../src/serve/wire.ts'
import { openStore } from '../../src/storage/open.ts'
import { imageFolder, inFolder, networkFile, startHeadlight } from '../support/headlight.ts'
import { Policy, type PolicyName } from '../support/s3Policy.ts'
import { startS3Server, type S3Request, type S3Server } from '../support/s3Server.ts'
import { hasOpenssl, startSecuredRedis, type SecuredRedis } from '../support/securedRedis.ts'
import { startViewerPod, type ViewerPod } from '../support/viewerPod.ts'

const places = {
  dataset_bucket: 'bucket',
  dataset_prefix: 'heads/',
  output_bucket: 'bucket',
  output_prefix: 'saliency/',
}
const policies = {
  producer: new Policy('producer', places),
  worker: new Policy('worker', places),
  viewer: new Policy('viewer', places),
}
const sideNames = ['producer', 'worker', 'viewer'] as const
const secrets = {
  redis: 'redis-p4ssw0rd-not-to-be-seen',
  s3: 's3-s3cr3t-not-to-be-seen',
  webhook: 'webhook-s3cr3t-not-to-be-seen',
}

let redis: SecuredRedis
/** The same buckets, seen by each side through its own policy. */
const sides = new Map<PolicyName, S3Server>()
const denied: string[] = []

const objects = () => sides.get('producer')?.objects() ?? new Map<string, never>()
const environmentOf = (side: PolicyName) => ({
  HEADLIGHT_REDIS: redis.url('headlight'),
  HEADLIGHT_S3_ENDPOINT: sides.get(side)?.endpoint ?? '',
  HEADLIGHT_WEBHOOK_SECRET: secrets.webhook,
  HEADLIGHT_LOG_LEVEL: 'debug',
  NODE_EXTRA_CA_CERTS: redis.caFile,
  AWS_ACCESS_KEY_ID: 'key',
  AWS_SECRET_ACCESS_KEY: secrets.s3,
  AWS_REGION: 'us-east-1',
})

const isThere = ({ method, key }: S3Request) =>
  (method !== 'GET' && method !== 'HEAD') || key === '' || objects().has(key)
/** Of an object that is not there S3 says so only to those who could find it out by listing; to others it says 403. */
const asListing = ({ bucket, key }: S3Request) => asks('GET', '', key, bucket)

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
    for (const side of sideNames) {
      const server = await startS3Server({ accessKeyId: 'key', secretAccessKey: secrets.s3 })
      const when = (request: S3Request) => {
        if (policies[side].allows(request) && (isThere(request) || policies[side].allows(asListing(request))))
          return false
        denied.push(`${side}: ${request.method} ${request.bucket}/${request.key}?${request.query.toString()}`)
        return true
      }
      server.faults.push({ when, what: 'deny' })
      sides.set(side, server)
    }
    const bucket = sides.get('producer')?.buckets.get('bucket')
    if (bucket) for (const side of ['worker', 'viewer'] as const) sides.get(side)?.buckets.set('bucket', bucket)
  })
  afterAll(async () => {
    await redis.stop()
    for (const server of sides.values()) await server.close()
  })

  test(
    'the policies of infra/terraform suffice for runs that compute, prune, keep one run whole and go without a report, and no secret is seen anywhere',
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
        const produce = (...flags: string[]) =>
          startHeadlight(
            ['produce', ...uris, '--gradients', 'float16', '--prune', '--keep-runs', '1', ...flags],
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
        const report = () =>
          ['index.html', 'pictures.bin'].map((file) => {
            const found = [...objects()].find(([key]) => key.endsWith(`/report/${file}`))
            return found?.[1].bytes.toString('latin1') ?? ''
          })
        const pictureOf = /data:image\/webp/
        expect(report()).toEqual([expect.stringMatching(pictureOf), expect.stringContaining('WEBP')])
        // One image is gone: its map and gradient are pruned, nothing of it stays in the report, and the table of the first
        // run is not kept.
        objects().delete(`heads/${images[0]}`)
        await ended(produce('--no-report'))
        expect(report()).toEqual([expect.not.stringMatching(pictureOf), expect.not.stringContaining('WEBP')])
        expect(report()[1]).toContain('HLRP')
        worker.kill('SIGTERM')
        const end = await worker.ended
        expect({ code: end.code, denied }).toEqual({ code: 0, denied: [] })
        said.push(end.stdout, end.stderr)

        const { HEADLIGHT_REDIS: _itHasNone, ...environment } = environmentOf('viewer')
        const cacheFolder = join(folder, 'viewer')
        const viewer = await startViewerPod('s3://bucket/saliency/', {
          ...environment,
          HEADLIGHT_CACHE_FOLDER: cacheFolder,
        })
        onTestFinished(() => viewer.kill('SIGKILL'))
        await lookAtEverything(viewer)
        viewer.kill('SIGTERM')
        const closed = await viewer.ended
        expect({ code: closed.code, denied }).toEqual({ code: 0, denied: [] })
        said.push(closed.stdout, closed.stderr)

        for (const side of sideNames)
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

/** Asks for each thing that the app shows, then for the pictures of an image and of a map that are gone. */
async function lookAtEverything(viewer: ViewerPod): Promise<void> {
  const found = async (path: string) => {
    const { status, text } = await viewer.answer(path)
    expect({ path, status, text: status === 200 ? '' : text, denied }).toEqual({
      path,
      status: 200,
      text: '',
      denied: [],
    })
    return text
  }
  const json = async <Reply>(path: string) => JSON.parse(await found(path)) as Reply
  const [entry] = (await json<SetsReply>(addresses.setsReply())).sets
  const set = entry?.id ?? ''
  const { run, atlas, runs } = await json<SetReply>(addresses.setReply(set, null))
  expect(runs).toHaveLength(2)
  for (const { path } of atlas?.pictures ?? []) await found(path)
  const { rows } = await json<RowsReply>(addresses.rowsReply(set, null, everything, 0, 100))
  const shown = rows.filter(({ status }) => status === 'ok').map(({ key }) => key)
  expect(shown.length).toBeGreaterThan(2)
  const [first = '', second = '', third = ''] = shown
  for (const path of [
    addresses.stateReply(set),
    addresses.facetsReply(set, null, everything),
    addresses.csv(set, null, everything),
    addresses.sampleReply(set, run, first, everything, null),
    ...pictureKinds.map((kind) => addresses.picture(set, run, first, kind)),
    addresses.compareReply(`${set}/${run}`, `${set}/${run}`),
    addresses.liveReply(),
  ])
    await found(path)

  objects().delete(`heads/${second}`)
  objects().delete(`saliency/${set}/${layout.map(entry?.objectives[0] ?? '', third)}`)
  expect(await viewer.answer(addresses.picture(set, run, second, 'image'))).toMatchObject({ status: 404 })
  expect(await viewer.answer(addresses.picture(set, run, third, 'map'))).toMatchObject({ status: 404 })
}

const asks = (method: string, key: string, prefix?: string, bucket = 'bucket') => ({
  method,
  bucket,
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
  ['producer', 'remove the pictures kept for the next one', asks('DELETE', 'saliency/set/report/pictures.bin')],
  ...['run.json', 'summary.json', 'aggregates.json', 'failures.csv', 'left-out.json', 'flags.json'].map(
    (file) => ['producer', `remove a run’s ${file}`, asks('DELETE', `saliency/set/runs/1/${file}`)] as const,
  ),
  ['viewer', 'write an image of the dataset', asks('PUT', 'heads/a.png')],
  ['viewer', 'write a map', asks('PUT', 'saliency/set/maps/sum/a.png')],
  ['viewer', 'write a probe', asks('PUT', 'saliency/.headlight-tmp-1')],
  ['viewer', 'say what the state is', asks('PUT', 'saliency/set/current.json')],
  ['viewer', 'remove a map', asks('DELETE', 'saliency/set/maps/sum/a.png')],
  ['viewer', 'begin a large object', asks('POST', 'saliency/set/angles.parquet')],
  ['viewer', 'read beside dataset and output', asks('GET', 'private/a.png')],
  ['viewer', 'list the whole bucket', asks('GET', '', '')],
  ['producer', 'read beside dataset and output', asks('GET', 'private/a.png')],
  ['producer', 'list the whole bucket', asks('GET', '', '')],
] as const)('the %s may not %s', (side, _what, request) => {
  expect(policies[side].allows(request)).toBe(false)
})
