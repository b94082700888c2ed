import { execFileSync } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it, vi } from 'vitest'
import { enqueueRun } from '../../../src/producer/queueRun.ts'
import { openQueue } from '../../../src/queue/connection.ts'
import { shardsQueue } from '../../../src/queue/jobs.ts'
import { headlight, imageFolder, inFolder, networkFile, startHeadlight } from '../../support/headlight.ts'
import { freePort, silent, startTestRedis } from '../../support/redis.ts'

let redis: Awaited<ReturnType<typeof startTestRedis>>

beforeAll(async () => {
  redis = await startTestRedis()
})
afterAll(() => redis.stop())

const waiting = { timeout: 60_000, interval: 100 }

async function get(port: number, path: string): Promise<{ status: number; body: string }> {
  const response = await fetch(`http://127.0.0.1:${port}${path}`)
  return { status: response.status, body: await response.text() }
}

/** The sum over all labels that hold the text; undefined when there is no such line. */
function valueOf(metrics: string, name: string, labels = ''): number | undefined {
  const lines = metrics.split('\n').filter((line) => /^[\w:]+/.exec(line)?.[0] === name && line.includes(labels))
  return lines.length === 0 ? undefined : lines.reduce((sum, line) => sum + Number(line.split(' ').at(-1)), 0)
}

const documented = (section: string): string[] => {
  const text = readFileSync(new URL('../../../docs/metrics.md', import.meta.url), 'utf8')
  const [, found = ''] = new RegExp(`## ${section}\n(.*?)\n## `, 's').exec(text) ?? []
  return [...found.matchAll(/^\| `([a-z_]+)`/gm)].map(([, name = '']) => name).sort()
}
/** Of one kind of process, without those of Node.js. */
const served = (metrics: string): string[] =>
  [...metrics.matchAll(/^# TYPE ((?:headlight|bullmq)_\w+)/gm)].map(([, name = '']) => name).sort()

it(
  'a worker and a producer say on their port whether they are ready and what they did',
  () =>
    inFolder(async (folder) => {
      const queue = ['--redis', `redis+unix://${redis.connection.redis.path}`]
      const [producerPort, workerPort] = [await freePort(), await freePort()]
      const cache = ['--cache-folder', join(folder, 'cache')]
      const allow = { HEADLIGHT_ALLOW: `${folder},${imageFolder}` }
      const producer = startHeadlight(['producer', ...queue, '--health-port', `${producerPort}`], allow)
      const worker = startHeadlight(
        ['worker', ...queue, '--units', '1', ...cache, '--health-port', `${workerPort}`],
        allow,
      )
      await producer.said('serving /healthz')
      await worker.said('serving /healthz')
      expect(await get(workerPort, '/healthz')).toEqual({ status: 200, body: 'alive\n' })
      for (const port of [producerPort, workerPort]) {
        await vi.waitFor(async () => expect(await get(port, '/readyz')).toMatchObject({ status: 200 }), waiting)
        expect(await get(port, '/secrets')).toMatchObject({ status: 404 })
      }

      const dataset = ['--dataset', imageFolder, '--network', networkFile, '--output', join(folder, 'out')]
      const schedule = ['schedule', 'add', 'yearly', '--cron', '0 0 1 1 *', '--tz', 'UTC', ...queue, '--', ...dataset]
      expect(await headlight(schedule)).toMatchObject({ code: 0 })
      expect(await headlight(['schedule', 'run', 'yearly', ...queue])).toMatchObject({ code: 0 })
      await vi.waitFor(async () => {
        const { body } = await get(producerPort, '/metrics')
        expect(valueOf(body, 'headlight_runs_total', 'completed')).toBe(1)
        expect(valueOf(body, 'headlight_schedule_last_success_timestamp_seconds', 'yearly')).toBeGreaterThan(1e9)
        expect(valueOf(body, 'headlight_last_run_images', 'yearly')).toBe(4)
      }, waiting)

      const produced = (await get(producerPort, '/metrics')).body
      expect(valueOf(produced, 'headlight_images_listed_total')).toBe(4)
      expect(valueOf(produced, 'headlight_run_seconds_count')).toBe(1)
      expect(valueOf(produced, 'bullmq_job_count', 'queue="headlight-shards-v1", state="waiting"')).toBe(0)
      expect(served(produced)).toEqual(documented('Producer'))

      const computed = (await get(workerPort, '/metrics')).body
      expect(valueOf(computed, 'headlight_images_computed_total')).toBe(4)
      expect(valueOf(computed, 'headlight_shards_total', 'outcome="computed"')).toBeGreaterThanOrEqual(1)
      expect(valueOf(computed, 'headlight_units_alive')).toBe(1)
      for (const stage of ['fetch', 'decode', 'engine', 'encode'])
        expect([stage, valueOf(computed, 'headlight_stage_seconds_count', `"${stage}"`)]).toEqual([stage, 4])
      // A map of each image, and two files per shard.
      expect(valueOf(computed, 'headlight_stage_seconds_count', '"put"')).toBeGreaterThanOrEqual(6)
      expect(served(computed)).toEqual(documented('Worker'))

      // Whoever writes to the queue decides what is touched, but not beyond what is allowed.
      const foreign = { output: 'file:///elsewhere/', set: 'set' }
      const shards = openQueue(redis.connection, shardsQueue, silent)
      await shards.add('shard', { ...foreign, run: 'run-1', part: 0, offset: 0, count: 1 })
      await enqueueRun(redis.connection, { ...foreign, full: false, prune: false, shardSize: null }, silent)
      for (const port of [producerPort, workerPort]) {
        await vi.waitFor(async () => {
          expect(valueOf((await get(port, '/metrics')).body, 'headlight_refused_total')).toBe(1)
        }, waiting)
        expect(await get(port, '/readyz')).toMatchObject({ status: 200 })
      }
      for (const process of [producer, worker]) await process.said('/elsewhere/ lies outside')
      await shards.close()

      await redis.stop()
      for (const port of [producerPort, workerPort]) {
        await vi.waitFor(async () => expect(await get(port, '/readyz')).toMatchObject({ status: 503 }), waiting)
        expect((await get(port, '/healthz')).status).toBe(200)
        expect(valueOf((await get(port, '/metrics')).body, 'headlight_redis_up')).toBe(0)
      }
      for (const { kill } of [producer, worker]) kill('SIGTERM')
      for (const { ended } of [producer, worker]) expect(await ended).toMatchObject({ code: 0 })
    }),
  180_000,
)

it('a worker answers while it still looks for an engine, which may take minutes', () =>
  inFolder(async (folder) => {
    const own = await startTestRedis()
    const gate = join(folder, 'gate')
    execFileSync('mkfifo', [gate])
    writeFileSync(join(folder, 'nvidia-smi'), `#!/bin/sh\nread -r _ < ${gate}\n`, { mode: 0o755 })
    const port = await freePort()
    const args: Parameters<typeof startHeadlight> = [
      ['worker', '--redis', `redis+unix://${own.connection.redis.path}`, '--units', '1', '--health-port', `${port}`],
      { PATH: `${folder}:${process.env['PATH']}`, XDG_CACHE_HOME: folder },
    ]
    const worker = startHeadlight(...args)
    await worker.said('serving /healthz')
    expect(await get(port, '/healthz')).toMatchObject({ status: 200 })
    expect(await get(port, '/readyz')).toEqual({ status: 503, body: 'the engine is being started\n' })
    await writeFile(gate, '\n')
    await vi.waitFor(async () => expect(await get(port, '/readyz')).toMatchObject({ status: 200 }), waiting)
    worker.kill('SIGTERM')
    expect(await worker.ended).toMatchObject({ code: 0 })

    const stopped = startHeadlight(...args)
    await stopped.said('serving /healthz')
    stopped.kill('SIGTERM')
    expect(await stopped.ended).toMatchObject({ code: 0 })
    // Its nvidia-smi still waits.
    await writeFile(gate, '\n')
    await own.stop()
  }))

it('says which port cannot be had', () =>
  inFolder(async () => {
    const taken = await startTestRedis()
    const queue = ['--redis', `redis+unix://${taken.connection.redis.path}`]
    const refused = await headlight(['producer', ...queue, '--health-port', '1', '--health-host', '192.0.2.1'])
    expect(refused).toMatchObject({ code: 2, stderr: expect.stringContaining('--health-port 1 cannot be served') })
    await taken.stop()
  }))
