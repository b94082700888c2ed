import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { processRuns } from '../support/redis.ts'
import { Program, RedisServer } from './programs.ts'

test('a worker that is told to stop while its units are starting ends well', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'headlight-stop-'))
  const redis = new RedisServer(folder)
  const worker = new Program('worker', ['worker', '--redis', redis.url, '--units', '1'], { XDG_CACHE_HOME: folder })
  onTestFinished(async () => {
    await worker.kill()
    await redis.kill()
    await rm(folder, { recursive: true, force: true })
  })
  await redis.start()
  worker.start()
  const waiting = { timeout: 120_000, interval: 5 }
  await expect.poll(() => worker.units().length, waiting).toBe(1)
  const units = worker.units()
  worker.signal('SIGTERM')
  await expect.poll(() => worker.ended, waiting).toBeDefined()
  expect(worker.ended).toMatchObject({ code: 0, output: expect.not.stringContaining('waiting for shards') as string })
  expect(units.some(processRuns)).toBe(false)
})
