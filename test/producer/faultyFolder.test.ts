import type { PathLike } from 'node:fs'
import type * as fsPromises from 'node:fs/promises'
import { afterAll, afterEach, beforeAll, beforeEach, expect, it, vi } from 'vitest'
import { layout } from '../../src/output/layout.ts'
import { serveRunOf, startFakeWorker, World } from '../support/producerWorld.ts'
import { startTestRedis } from '../support/redis.ts'

/** Faults of a network mount: each strikes the calls whose path matches, `times` in a row. */
const faults = vi.hoisted(() => [] as { path: RegExp; code: string; times: number }[])

vi.mock('node:fs/promises', async (importOriginal) => {
  const real = await importOriginal<typeof fsPromises>()
  const strike = (path: PathLike) => {
    const fault = faults.find((candidate) => candidate.times > 0 && candidate.path.test(String(path)))
    if (fault === undefined) return
    fault.times--
    throw Object.assign(new Error(`${fault.code}: of the mount`), { code: fault.code })
  }
  return {
    ...real,
    open: async (path: PathLike, ...rest: [string | number, number?]) => {
      strike(path)
      return real.open(path, ...rest)
    },
    opendir: async (path: PathLike, options?: { bufferSize?: number }) => {
      strike(path)
      return real.opendir(path, options)
    },
  }
})

let redis: Awaited<ReturnType<typeof startTestRedis>>
let world: World

beforeAll(async () => {
  redis = await startTestRedis()
})
afterAll(() => redis.stop())
beforeEach(async () => {
  world = await World.make(['a.jpg', 'b/c.jpg', 'd.jpg', 'e.jpg'])
})
afterEach(() => world.remove())

it('a run outlives EIO and ESTALE of the folders that it reads and writes', async () => {
  const set = await world.prepare()
  const queueName = 'faulty-folder'
  const worker = startFakeWorker({ connection: redis.connection, queueName, output: world.output, set })
  faults.push(
    { path: /output\/.*\/runs\/?$/, code: 'ESTALE', times: 2 },
    { path: /dataset\/b\/?$/, code: 'EIO', times: 3 },
    { path: /\/\.headlight-tmp-files\/\.headlight-tmp-/, code: 'EIO', times: 2 },
    { path: /\/records\/[-\d]+\.jsonl$/, code: 'ESTALE', times: 2 },
    { path: /current\.json$/, code: 'EIO', times: 1 },
  )
  const said: string[] = []
  try {
    const summary = await serveRunOf(world, set, redis.connection, queueName, {
      onProgress: ({ message }) => {
        if (message !== undefined) said.push(message)
      },
      times: {
        follow: { pollMs: 20, retrying: { firstMs: 30, longestMs: 100 } },
        store: { firstMs: 5, longestMs: 9, limitMs: 60_000 },
      },
    })
    expect(summary.counts).toMatchObject({ total: 4, computed: 4 })
    expect(faults.filter(({ times }) => times > 0)).toEqual([])
    expect(said.some((message) => message.includes('does not answer (store-busy): trying again in'))).toBe(true)
    expect(await world.output.head(layout.hold(set.id))).toBeUndefined()
  } finally {
    await worker.stop()
  }
})
