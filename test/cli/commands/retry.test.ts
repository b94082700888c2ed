import { copyFile, mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { summarySchema } from '../../../src/output/summary.ts'
import { headlight, imageFolder, inFolder, networkFile, startHeadlight } from '../../support/headlight.ts'
import { searchPathWithRedis } from '../../support/redis.ts'

const image = 'BIWI00000001_-17_+1_+17.png'

it(
  'computes what failed again, from the output alone',
  () =>
    inFolder(async (folder) => {
      const PATH = await searchPathWithRedis()
      const [dataset, output] = [join(folder, 'images'), join(folder, 'out')]
      await mkdir(dataset)
      await copyFile(join(imageFolder, image), join(dataset, image))
      await writeFile(join(dataset, 'broken.png'), 'no image')
      const own = ['--state-folder', join(folder, 'state'), '--cache-folder', join(folder, 'cache'), '--units', '1']
      const start = (...args: string[]) => startHeadlight([...args, '--output', output, ...own, '--json'], { PATH })
      const first = await start('run', '--dataset', dataset, '--network', networkFile).ended
      expect(first.code).toBe(0)

      const again = await start('retry', 'latest', '--code', 'not-an-image').ended
      expect(again).toMatchObject({ code: 0 })
      expect(summarySchema.parse(JSON.parse(again.stdout))).toMatchObject({
        state: 'completed',
        counts: { total: 2, computed: 1, unchanged: 1, failed: 1 },
        failures: { 'not-an-image': 1 },
      })
      const misspelt = await headlight(['retry', 'latest', '--output', output, '--code', 'not-image'])
      expect(misspelt).toMatchObject({ code: 2, stderr: expect.stringContaining('did you mean not-an-image?') })
      const absent = await headlight(['retry', 'latest', '--output', output, '--code', 'vanished'])
      expect(absent).toMatchObject({ code: 2, stderr: expect.stringMatching(/failed with not-an-image \(1\)$/m) })
    }),
  120_000,
)
