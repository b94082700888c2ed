import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { createLogger } from '../../../src/base/telemetry.ts'
import { layout } from '../../../src/output/layout.ts'
import { Manifest } from '../../../src/output/manifest.ts'
import { recordLines } from '../../../src/output/recordFile.ts'
import { putResultSet } from '../../../src/output/resultSet.ts'
import { openRun } from '../../../src/output/runs.ts'
import { addresses } from '../../../src/serve/addresses.ts'
import { buildApp } from '../../../src/serve/app.ts'
import { ServedOutput } from '../../../src/serve/output.ts'
import type { LiveReply } from '../../../src/serve/wire.ts'
import { openStore } from '../../../src/storage/open.ts'
import { resultSetOf } from '../../support/comparedOutput.ts'
import { solidPng } from '../../support/reportFixture.ts'

const log = createLogger('silent')
const hostile = '<b>#?% a.png'

let folder: string
let served: ServedOutput
let run: string
let set: ReturnType<typeof resultSetOf>

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'headlight-serve-'))
  const dataset = openStore(join(folder, 'dataset'))
  const output = openStore(join(folder, 'output'))
  await Promise.all([dataset.check('write'), output.check('write')])
  set = resultSetOf({ dataset: dataset.uri })
  await putResultSet(output, set)
  const now = new Date('2026-12-01T01:00:00Z')
  run = (await openRun({ output, set: set.id, base: null, full: false, latest: undefined, now })).run
  const manifest = new Manifest(output, set.id, run)
  await manifest.putPart({ schema: 1, part: 0, through: 'z', count: 2, shardSize: 2, unchanged: 0, gone: [] }, [])
  // The other one has all that a picture needs, but it is none of the last.
  for (const key of [hostile, 'other.png']) {
    await dataset.put(key, await solidPng(64, 48, [200, 120, 40]))
    await output.put(`${set.id}/${layout.map('yaw', key)}`, await solidPng(32, 32, [128, 160, 128]))
  }
  const record = {
    key: hostile,
    fingerprint: 'f',
    status: 'ok',
    angles: { yaw: 1, pitch: 2, roll: 3 },
    label: null,
    error: null,
    bins: { yaw: null, pitch: null, roll: null },
    imageWidth: 64,
    imageHeight: 48,
    crop: [8, 0, 56, 48] as [number, number, number, number],
    subject: null,
    sequence: null,
    frame: null,
    objectives: {},
  } as const
  const failed = { key: 'x', fingerprint: 'f', status: 'failed', code: 'vanished', message: 'it is gone' } as const
  await output.put(layout.recordFile(set.id, run, 0, 0), recordLines([record, failed]))
  const findRedis = async () => undefined
  served = new ServedOutput({ output, onlySet: null, findRedis, cacheFolder: folder, headlightVersion: '0.0.0', log })
})
afterAll(async () => {
  await served.close()
  await rm(folder, { recursive: true, force: true })
})

async function get(path: string): Promise<Response> {
  const asset = { path: '/asset', text: '', contentType: 'text/plain' }
  const app = buildApp({
    served,
    access: { token: null, allowedHosts: ['test'], basePath: '' },
    assets: { script: asset, style: asset, icon: asset },
  })
  return app.request(`http://test${path}`, { headers: { host: 'test' } })
}

it('tells of a run at work how far it is, and shows its last maps', async () => {
  const live = (await (await get(addresses.liveReply())).json()) as LiveReply
  expect(live.runs).toMatchObject([
    { set: set.id, run, done: 2, total: null, read: 2, failuresByCode: { vanished: 1 }, latest: [hostile] },
  ])
  const picture = await get(addresses.livePicture(set.id, run, hostile))
  expect([picture.status, picture.headers.get('content-type')]).toEqual([200, 'image/webp'])
})

it.each(['other.png', '../dataset/other.png', 'x', ''])(
  'shows no picture of %s, which is none of the last',
  async (key) => {
    await get(addresses.liveReply())
    expect((await get(addresses.livePicture(set.id, run, key))).status).toBe(key === '' ? 400 : 404)
  },
)
