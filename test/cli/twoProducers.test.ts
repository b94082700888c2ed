import { join } from 'node:path'
import { expect, it } from 'vitest'
import { imageFolder, inFolder, networkFile, startHeadlight } from '../support/headlight.ts'
import { searchPathWithRedis } from '../support/redis.ts'

it(
  'of two runs into one output at once, one runs and the other says who holds it',
  () =>
    inFolder(async (folder) => {
      const environment = { XDG_STATE_HOME: folder, XDG_CACHE_HOME: folder, PATH: await searchPathWithRedis() }
      const data = ['--dataset', imageFolder, '--output', join(folder, 'out'), '--network', networkFile]
      const runs = [1, 2].map(() => startHeadlight(['run', ...data, '--units', '1', '--json'], environment))
      const ended = await Promise.all(runs.map(async ({ pid, ended }) => ({ pid, ...(await ended) })))
      const ran = ended.find(({ code }) => code === 0)
      const refused = ended.find(({ code }) => code !== 0)
      expect(JSON.parse(ran?.stdout ?? '')).toMatchObject({ state: 'completed', counts: { total: 4, computed: 4 } })
      expect(refused).toMatchObject({ code: 2, stderr: expect.stringContaining(`process ${ran?.pid}`) })
      expect(JSON.parse(refused?.stdout ?? '')).toMatchObject({ error: { code: 'held' } })
    }),
  180_000,
)
