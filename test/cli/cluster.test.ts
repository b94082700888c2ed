import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, expect, it, vi } from 'vitest'
import { headlight, imageFolder, inFolder, networkFile, startHeadlight } from '../support/headlight.ts'
import { startTestRedis } from '../support/redis.ts'

let redis: Awaited<ReturnType<typeof startTestRedis>>

beforeAll(async () => {
  redis = await startTestRedis()
})
afterAll(() => redis.stop())

it(
  'serves a detached run by a standing producer and a worker, both of which end well on SIGTERM',
  () =>
    inFolder(async (folder) => {
      const output = join(folder, 'out')
      const queue = ['--redis', `redis+unix://${redis.connection.redis.path}`]
      const call = ['produce', '--dataset', imageFolder, '--output', output, '--network', networkFile, ...queue]
      const added = await headlight([...call, '--detach', '--json'])
      expect(added).toMatchObject({ code: 0, stderr: expect.not.stringMatching(/^headlight:/m) })
      expect(added.stderr).toContain('no headlight producer is at work on this Redis')
      expect(JSON.parse(added.stdout)).toMatchObject({
        state: 'queued',
        run: expect.stringMatching(/^\d{8}T\d{6}Z-/),
        output: expect.stringContaining('tiny_hp-all-'),
      })

      const look = async () => {
        const { stdout } = await headlight(['status', '--output', output, ...queue, '--json'])
        return JSON.parse(stdout) as {
          sets: { set: string; run: string; state: string; done: number; total: number }[]
          queues: { waiting: number; workers: number }[]
          workers: { units: number }[]
        }
      }
      expect(await look()).toMatchObject({
        sets: [{ state: 'queued' }],
        queues: [{ waiting: 1, workers: 0 }, { workers: 0 }],
      })
      const pause = await headlight(['pause', 'latest', '--output', output])
      expect(pause).toMatchObject({ code: 0, stdout: expect.stringContaining('is paused') })
      expect(await look()).toMatchObject({ sets: [{ state: 'paused' }] })
      expect(await headlight(['resume', 'latest', '--output', output])).toMatchObject({ code: 0 })

      const watchingOne = startHeadlight(['status', 'latest', '--output', output, '--watch'])
      await watchingOne.said('queued')
      const cache = ['--cache-folder', join(folder, 'cache')]
      const standing = [
        startHeadlight(['producer', ...queue]),
        startHeadlight(['worker', ...queue, '--units', '1', ...cache]),
      ]
      let status = await look()
      while (status.sets[0]?.state !== 'completed') {
        await sleep(200)
        status = await look()
      }
      expect(status).toMatchObject({ sets: [{ done: 4, total: 4 }], queues: [{ workers: 1 }, { workers: 1 }] })

      const me = { engine: 'onnxruntime:cpu', device: 'cpu', units: 1, state: 'working', fault: null }
      const told = { ...me, pid: standing[1]?.pid, version: expect.stringMatching(/^\d/), computed: 4, failed: 0 }
      await vi.waitFor(async () => expect(await look()).toMatchObject({ workers: [told] }), { timeout: 20_000 })
      const last = await watchingOne.ended
      expect({ code: last.code, last: last.stdout.split('--- ').at(-1) }).toEqual({
        code: 0,
        last: expect.stringContaining(', completed\n'),
      })
      const watching = startHeadlight(['status', '--output', output, ...queue, '--watch'])
      await watching.said(`${standing[1]?.pid}  `)
      await watching.said('--- 20')
      watching.kill('SIGTERM')
      expect(await watching.ended).toMatchObject({
        code: 0,
        stdout: expect.stringMatching(/^--- 20\S+Z\ntiny_hp-all-/),
      })

      for (const { kill } of standing) kill('SIGTERM')
      const lines: { msg: string }[] = []
      for (const { ended } of standing) {
        const { code, stdout, stderr } = await ended
        expect({ code, stdout }).toEqual({ code: 0, stdout: '' })
        const log = stderr
          .trimEnd()
          .split('\n')
          .map((line) => JSON.parse(line) as { msg: string })
        expect(log.at(-1)?.msg).toBe('stopped')
        lines.push(...log)
      }
      // What is about a run names it, and can be found by it, in the log of whichever process.
      const { set, run } = status.sets[0] ?? {}
      const about = lines.filter(({ msg }) => /^(going on with the run|the run is closed|shard computed)/.test(msg))
      expect(about).toEqual(
        Array.from({ length: 2 + 4 }, () => expect.objectContaining({ level: 'info', resultSet: set, run }) as unknown),
      )
      expect(await look()).toMatchObject({ workers: [] })
    }),
  180_000,
)
