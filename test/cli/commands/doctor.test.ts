import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import {
  doctor,
  doctorJson,
  doctorText,
  type DoctorOptions,
  type Finding,
} from '../../../src/cli/commands/doctor/checks.ts'
import type { EngineStatus } from '../../../src/machine/engineStatus.ts'
import { searchPathWithRedis, startTcpRedis } from '../../support/redis.ts'

let folder: string

const engines: EngineStatus[] = [
  {
    engine: 'onnxruntime:cpu',
    usable: true,
    version: '1.2.3',
    device: 'the CPU',
    problem: null,
    remedy: null,
    note: null,
    origin: null,
  },
  {
    engine: 'onnxruntime:cuda',
    usable: true,
    version: '1.1',
    device: 'a GPU',
    problem: null,
    remedy: null,
    note: 'aged',
    origin: null,
  },
  {
    engine: 'tfjs:tensorflow',
    usable: false,
    version: null,
    device: null,
    problem: 'it is not installed',
    remedy: 'headlight engine install tfjs',
    note: null,
    origin: null,
  },
  {
    engine: 'onnxruntime:webgpu',
    usable: false,
    version: null,
    device: null,
    problem: 'no GPU',
    remedy: null,
    note: null,
    origin: null,
  },
]
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'headlight-doctor-'))
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))

async function examine(o: Partial<DoctorOptions> = {}): Promise<readonly Finding[]> {
  return doctor({
    headlightVersion: '1.2.3',
    stateFolder: join(folder, 'state'),
    cacheFolder: join(folder, 'cache'),
    homeFolder: folder,
    searchPath: await searchPathWithRedis(),
    environment: {},
    engines: () => Promise.resolve(engines),
    ...o,
  })
}
const named = (findings: readonly Finding[], name: string) => findings.filter((finding) => finding.name === name)

test('a machine that can run headlight has no problem', async () => {
  const findings = await examine()
  expect(findings.filter(({ ok }) => !ok)).toEqual([])
  expect(doctorJson(findings)).toEqual({ ok: true, findings })
  const text = doctorText(findings)
  expect(text).toMatch(/^ok +headlight +1\.2\.3$/m)
  expect(text).toMatch(/^ok +Node +v\d+\./m)
  expect(text).toMatch(/^ok +ONNX Runtime +\d+\.\d+\.\d+, providers .*cpu/m)
  expect(text).toMatch(/^ok +engine onnxruntime:cpu +1\.2\.3, on the CPU$/m)
  expect(text).toMatch(/^note +engine onnxruntime:cuda +1\.1, on a GPU\n +→ aged$/m)
  expect(text).toMatch(/^note +engine tfjs:tensorflow +cannot be used: .*\n +→ headlight engine install tfjs$/m)
  expect(text).toMatch(/^note +engine onnxruntime:webgpu +cannot be used: no GPU\n(?! +→)/m)
  expect(text).not.toMatch(/^ok .*(cannot|no NVIDIA)/m)
  expect(text).toMatch(/^ok +sharp +\d+\.\d+\.\d+ with libvips \d+/m)
  expect(text).toMatch(/^ok +Redis server +(redis|valkey) \d+\.\d+/m)
  expect(text).toMatch(/^ok +state folder +.*GiB free$/m)
  expect(text).toMatch(/^ok +machine +\d+ cores, \d+\.\d GiB memory$/m)
  expect(text).toMatch(/headlight can run here\.\n$/)
})

test('what cannot work is a problem with a remedy', async () => {
  writeFileSync(join(folder, 'file'), '')
  const findings = await examine({ searchPath: folder, stateFolder: join(folder, 'file', 'state') })
  const problems = findings.filter(({ ok }) => !ok)
  expect(problems.map(({ name }) => name)).toEqual(['Redis server', 'state folder'])
  for (const { remedy } of problems) expect(remedy).not.toBeNull()
  expect(doctorJson(findings).ok).toBe(false)
  expect(doctorText(findings)).toMatch(/2 problems to solve first\.\n$/)
})

test('a folder that only a private Redis needs is no problem beside a given one', async () => {
  writeFileSync(join(folder, 'file'), '')
  const given = { stateFolder: join(folder, 'file', 'state'), redisUrl: 'redis://127.0.0.1:1' }
  expect(named(await examine(given), 'state folder')).toEqual([
    {
      name: 'state folder',
      ok: true,
      isNote: true,
      detail: expect.stringContaining('cannot be written') as string,
      remedy: 'choose another one with --state-folder, or mend its permissions',
    },
  ])
})

test('a given Redis is checked', async () => {
  expect(named(await examine({ redisUrl: 'redis://u:hunter2@127.0.0.1:1' }), 'Redis')).toEqual([
    { name: 'Redis', ok: false, detail: expect.stringContaining('nothing listens there') as string, remedy: null },
  ])
  const redis = await startTcpRedis()
  expect(named(await examine({ redisUrl: `redis://127.0.0.1:${redis.port}` }), 'Redis')).toMatchObject([
    { ok: true, detail: expect.stringMatching(/ at redis:.*, maxmemory-policy noeviction$/) as string },
  ])
  await redis.stop()
})

test('credentials are found but never shown', async () => {
  mkdirSync(join(folder, '.aws'))
  writeFileSync(join(folder, '.aws', 'credentials'), '[default]\naws_secret_access_key = hunter2\n')
  const findings = await examine({
    environment: {
      AWS_ACCESS_KEY_ID: 'AKIAHUNTER',
      AWS_SECRET_ACCESS_KEY: 'hunter2',
      AWS_REGION: 'eu-north-1',
      AWS_ENDPOINT_URL: 'https://user:hunter2@storage.example',
    },
    redisUrl: 'redis://u:hunter2@127.0.0.1:1',
  })
  expect(named(findings, 'S3 credentials')).toEqual([
    {
      name: 'S3 credentials',
      ok: true,
      detail: `yes, from AWS_ACCESS_KEY_ID, ${join(folder, '.aws', 'credentials')}; region eu-north-1, endpoint https://user:***@storage.example`,
      remedy: null,
    },
  ])
  expect(JSON.stringify(findings) + doctorText(findings)).not.toMatch(/hunter/i)
})

test('no credentials are no problem, since folders need none', async () => {
  expect(named(await examine(), 'S3 credentials')).toMatchObject([
    { ok: true, detail: expect.stringMatching(/^none found; region not set/) as string },
  ])
})
