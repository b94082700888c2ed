import { mkdirSync, readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest'
import type { Finding } from '../../../src/cli/commands/doctor/checks.ts'
import { checkDataset, checkOutput } from '../../../src/cli/commands/doctor/placeChecks.ts'
import { inFolder } from '../../support/headlight.ts'
import { Policy } from '../../support/s3Policy.ts'
import { startS3Server, type S3Request, type S3Server, type S3ServerOptions } from '../../support/s3Server.ts'

const places = {
  dataset_bucket: 'bucket',
  dataset_prefix: 'heads/',
  output_bucket: 'bucket',
  output_prefix: 'saliency/',
}
const keys = { accessKeyId: 'key', secretAccessKey: 'secret' }
const dataset = 's3://bucket/heads/'
const output = 's3://bucket/saliency/'
let server: S3Server

beforeAll(async () => {
  vi.stubEnv('AWS_ACCESS_KEY_ID', keys.accessKeyId)
  vi.stubEnv('AWS_SECRET_ACCESS_KEY', keys.secretAccessKey)
  server = await startS3Server(keys)
})
afterAll(async () => {
  vi.unstubAllEnvs()
  await server.close()
})
beforeEach(() => {
  server.faults.length = 0
  server.objects().clear()
  server.put('heads/a.png', 'image')
})
afterEach(() => {
  expect(server.unfinished()).toEqual([])
})

const deny = (when: (request: S3Request) => boolean) => server.faults.push({ when, what: 'deny' })
const problems = (findings: readonly Finding[]) => findings.filter(({ ok }) => !ok).map(({ detail }) => detail)
const notes = (findings: readonly Finding[]) =>
  findings.filter(({ ok, remedy }) => ok && remedy !== null).map(({ detail }) => detail)
const bothChecks = async (role?: 'worker' | 'producer') => {
  const options = { endpoint: server.endpoint }
  return [...(await checkDataset(dataset, options)), ...(await checkOutput(output, options, role))]
}
const stored = () => [...server.objects().keys()]

describe('in S3', () => {
  it('finds all rights with those of an administrator, each with who needs it, and leaves nothing', async () => {
    const findings = await bothChecks()
    expect({ problems: problems(findings), notes: notes(findings) }).toEqual({ problems: [], notes: [] })
    const details = findings.map(({ detail }) => detail)
    for (const detail of [
      's3:ListBucket on bucket, prefix heads/* (worker and producer: listing images)',
      's3:GetObject on bucket/heads/* (worker and producer: reading images)',
      's3:PutObject on bucket/saliency/.headlight-tmp-* (worker and producer: a test file)',
      's3:DeleteObject on bucket/saliency/.headlight-tmp-* (worker and producer: a test file)',
      's3:PutObject on bucket/saliency/*/maps/sum/* (worker: maps)',
      's3:PutObject on bucket/saliency/*/current.json (producer: publishing)',
      's3:AbortMultipartUpload on bucket/saliency/*/angles.parquet (producer: tables of more than 8 MB)',
      's3:DeleteObject on bucket/saliency/*/lock.json (producer: giving the hold back)',
      's3://bucket/saliency/ is as worker, producer and run can use it',
    ])
      expect(details).toContain(detail)
    expect(stored()).toEqual(['heads/a.png'])
  })

  it.each(['worker', 'producer'] as const)('the policy of the %s has no problem in that role', async (role) => {
    const policy = new Policy(role, places)
    deny((request) => !policy.allows(request))
    for (const asked of [undefined, role]) expect(problems(await bothChecks(asked))).toEqual([])
    expect(policy.statements.filter((name) => !policy.used.has(name))).toEqual([])
    expect(stored()).toEqual(['heads/a.png'])
  })

  it('tells a worker what a producer would need, and a producer that it lacks it', async () => {
    const policy = new Policy('worker', places)
    deny((request) => !policy.allows(request))
    const asWorker = await bothChecks()
    expect(notes(asWorker)).toContain('s3:PutObject on bucket/saliency/*/set.json is missing (producer: result sets)')
    expect(asWorker.at(-1)?.detail).toBe('s3://bucket/saliency/ is as a worker alone can use it')
    const withoutInstead = notes(asWorker).filter(
      (note) => !/^s3:ListBucketMultipartUploads|--keep-runs|pictures of reports/.test(note),
    )
    expect(problems(await bothChecks('producer'))).toEqual(withoutInstead)
  })

  it.each([
    ['s3:ListBucket on bucket, prefix heads/*', (r: S3Request) => r.key === '' && r.query.get('prefix') === 'heads/'],
    ['s3:GetObject on bucket/heads/*', (r: S3Request) => r.method === 'GET' && r.key.startsWith('heads/')],
    [
      's3:ListBucket on bucket, prefix saliency/*',
      (r: S3Request) => r.key === '' && r.query.get('prefix') !== 'heads/',
    ],
    ['s3:GetObject on bucket/saliency/*', (r: S3Request) => r.method === 'GET' && r.key.startsWith('saliency/')],
  ])('names %s where it is missing', async (right, when) => {
    deny(when)
    expect(problems(await bothChecks())).toEqual([expect.stringContaining(`${right} is missing`)])
    expect(stored()).toEqual(['heads/a.png'])
  })

  it('names the right to find uploads where it is missing, and what does as well', async () => {
    deny(({ query }) => query.has('uploads'))
    const findings = await bothChecks('producer')
    expect(problems(findings)).toEqual([])
    expect(findings.filter(({ ok, remedy }) => ok && remedy !== null)).toEqual([
      {
        name: 'output',
        ok: true,
        detail:
          's3:ListBucketMultipartUploads on bucket is missing (producer: removing what a killed run left of a table)',
        remedy: 'or let a rule of the bucket abort unfinished uploads after two days',
      },
    ])
  })

  it('names the right to write where it is missing, once', async () => {
    deny(({ method }) => method === 'PUT')
    const findings = await bothChecks()
    expect(problems(findings)).toEqual([
      expect.stringContaining('s3:PutObject on bucket/saliency/.headlight-tmp-* is missing'),
    ])
    expect(findings.find(({ ok }) => !ok)?.remedy).toContain('grant it; cannot write')
  })

  it('says what stays where it may not delete', async () => {
    deny(({ method, query }) => method === 'DELETE' && !query.has('uploadId'))
    const told = problems(await bothChecks())
    const [left = ''] = stored().filter((key) => key.startsWith('saliency/'))
    expect(stored()).toHaveLength(2)
    expect(told).toContainEqual(
      expect.stringContaining('s3:DeleteObject on bucket/saliency/.headlight-tmp-* is missing'),
    )
    expect(told).toContain(`s3://bucket/${left} stays there`)
  })

  it('removes its probe also when a later step fails', async () => {
    server.faults.push({ when: ({ key }) => key === 'saliency/headlight-doctor/set.json', what: 'quota' })
    expect(problems(await bothChecks())).toEqual([expect.stringContaining('no room left')])
    expect(stored()).toEqual(['heads/a.png'])
  })

  it.each<NonNullable<S3ServerOptions['conditions']>>(['ignored', 'refused'])(
    'warns where conditions are %s, and leaves nothing there either',
    async (conditions) => {
      const other = await startS3Server({ ...keys, conditions })
      onTestFinished(() => other.close())
      const findings = await checkOutput(output, { endpoint: other.endpoint }, undefined)
      expect({ problems: problems(findings), notes: notes(findings) }).toEqual({
        problems: [],
        notes: ['it has no conditional PUT (If-None-Match)'],
      })
      expect([...other.objects().keys()]).toEqual([])
    },
  )

  it('says once what keeps it from telling anything', async () => {
    for (const check of [checkDataset, checkOutput]) {
      const gone = await check('s3://nowhere/x/', { endpoint: server.endpoint }, undefined)
      expect(problems(gone)).toEqual([expect.stringContaining('no such bucket')])
      expect(problems(await check('ftp://x/', {}, undefined))).toEqual([expect.stringContaining('ftp:// is no store')])
    }
    server.objects().clear()
    expect(notes(await checkDataset(dataset, { endpoint: server.endpoint }))).toEqual([])
    const empty = await checkDataset(dataset, { endpoint: server.endpoint })
    expect(empty.at(-1)?.detail).toContain('reading was not tried')
  })
})

const isRoot = process.getuid?.() === 0

describe('in folders', () => {
  it('finds them usable, leaves nothing, and makes none', () =>
    inFolder(async (folder) => {
      const images = join(folder, 'images')
      mkdirSync(images)
      writeFileSync(join(images, 'a.png'), 'image')
      const findings = [
        ...(await checkDataset(images, {})),
        ...(await checkOutput(join(folder, 'a', 'b', 'out'), {}, undefined)),
      ]
      expect({ problems: problems(findings), notes: notes(findings) }).toEqual({ problems: [], notes: [] })
      expect(findings.map(({ detail }) => detail)).toContain(
        `permission to write into ${folder}/a/b/out (worker and producer: a test file)`,
      )
      expect(readdirSync(folder)).toEqual(['images'])
      expect(readdirSync(images)).toEqual(['a.png'])
    }))

  it('names what is missing or no folder', () =>
    inFolder(async (folder) => {
      const file = join(folder, 'file')
      writeFileSync(file, '')
      expect(problems(await checkDataset(join(folder, 'none'), {}))).toEqual([
        expect.stringContaining('no such folder'),
      ])
      expect(problems(await checkOutput(join(file, 'out'), {}, undefined))).toHaveLength(1)
      expect(readdirSync(folder)).toEqual(['file'])
    }))

  it.skipIf(isRoot)('names the permission that is missing (skipped as root)', () =>
    inFolder(async (folder) => {
      mkdirSync(join(folder, 'out', 'set'), { recursive: true, mode: 0o755 })
      mkdirSync(join(folder, 'closed'), { mode: 0o500 })
      expect(problems(await checkOutput(join(folder, 'closed'), {}, undefined))).toContainEqual(
        expect.stringContaining(`permission to write into ${folder}/closed is missing`),
      )
    }),
  )
})
