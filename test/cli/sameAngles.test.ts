import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { beforeAll, expect, it } from 'vitest'
import { z } from 'zod'
import { readTable } from '../../src/contract/table.ts'
import { searchPathWithRedis } from '../support/redis.ts'
import { headlight, imageFolder, inFolder, networkFile, startHeadlight } from './headlight.ts'

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
