import { existsSync, readdirSync } from 'node:fs'
import { copyFile, mkdir, mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { z } from 'zod'
import { readTable } from '../../src/output/table.ts'
import { headlight, imageFolder, inFolder, networkFile, startHeadlight } from '../support/headlight.ts'
import { searchPathWithRedis, startTestRedis } from '../support/redis.ts'

let PATH = ''

beforeAll(async () => {
  PATH = await searchPathWithRedis()
})

const explained = z.object({ angles: z.object({ yaw: z.number(), pitch: z.number(), roll: z.number() }) })

it.each(['all', 'stem'])(
  'explain and run give the same angles and the same map, scope %s',
  async (scope) => {
    await inFolder(async (folder) => {
      const own = ['--state-folder', join(folder, 'state'), '--cache-folder', join(folder, 'cache')]
      const both = ['--network', networkFile, '--scope', scope, '--objective', 'yaw']
      const run = ['run', '--dataset', imageFolder, '--output', join(folder, 'out'), ...both, ...own]
      expect(await startHeadlight(run, { PATH }).ended).toMatchObject({ code: 0 })
      const [set = ''] = await readdir(join(folder, 'out'))
      let rows = 0
      for await (const row of readTable(await readFile(join(folder, 'out', set, 'angles.parquet')))) {
        const map = join(folder, 'map.png')
        const explain = await headlight(['explain', join(imageFolder, row.key), ...both, '--map', map, '--json'])
        const { angles } = explained.parse(JSON.parse(explain.stdout))
        for (const angle of ['yaw', 'pitch', 'roll'] as const) expect(angles[angle]).toBeCloseTo(row[angle] ?? NaN, 4)
        expect(await readFile(map)).toEqual(await readFile(join(folder, 'out', set, String(row.mapYaw))))
        rows++
      }
      expect(rows).toBe(4)
    })
  },
  180_000,
)

/** With the large network where it is present; the tiny one, in every format, always is. */
const checkpoints = ['../../../shared/checkpoints', '../checkpoints']
  .map((folder) => fileURLToPath(new URL(folder, import.meta.url)))
  .find((folder) => existsSync(folder))

describe('the formats of checkpoints', () => {
  // One worker computes all of their runs: a `run` of each would start a Redis and a unit for each.
  let redis: Awaited<ReturnType<typeof startTestRedis>>
  let worker: ReturnType<typeof startHeadlight>
  let cache = ''

  beforeAll(async () => {
    redis = await startTestRedis()
    cache = await mkdtemp(join(tmpdir(), 'headlight-angles-'))
    worker = startHeadlight(['worker', '--units', '1', '--cache-folder', cache], {
      HEADLIGHT_REDIS: `redis+unix://${redis.connection.redis.path}`,
    })
  })
  afterAll(async () => {
    worker.kill('SIGTERM')
    await worker.ended
    await redis.stop()
    await rm(cache, { recursive: true })
  })

  it.each(readdirSync(checkpoints ?? '').filter((name) => /\.(pkl|pth|safetensors)$/.test(name)))(
    'explain and a worker read %s alike',
    async (name) => {
      await inFolder(async (folder) => {
        const [image = ''] = await readdir(imageFolder)
        await mkdir(join(folder, 'images'))
        await copyFile(join(imageFolder, image), join(folder, 'images', image))
        const network = ['--network', join(checkpoints ?? '', name)]
        const queue = ['--redis', `redis+unix://${redis.connection.redis.path}`]
        const places = ['--dataset', join(folder, 'images'), '--output', join(folder, 'out')]
        expect(await headlight(['produce', ...places, ...network, ...queue])).toMatchObject({ code: 0 })
        const [set = ''] = await readdir(join(folder, 'out'))
        const explain = await headlight(['explain', join(imageFolder, image), ...network, '--json'])
        const { angles } = explained.parse(JSON.parse(explain.stdout))
        let rows = 0
        for await (const row of readTable(await readFile(join(folder, 'out', set, 'angles.parquet')))) {
          // float32 in two orders of summation: the worker's unit has one thread, explain has all.
          for (const angle of ['yaw', 'pitch', 'roll'] as const) expect(row[angle]).toBeCloseTo(angles[angle], 3)
          rows++
        }
        expect(rows).toBe(1)
      })
    },
    180_000,
  )
})
