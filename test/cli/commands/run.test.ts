import { copyFile, mkdir, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { beforeAll, describe, expect, it } from 'vitest'
import { summarySchema } from '../../../src/output/summary.ts'
import { headlight, imageFolder, inFolder, networkFile, startHeadlight, type Ended } from '../../support/headlight.ts'
import { searchPathWithRedis } from '../../support/redis.ts'

let PATH = ''

beforeAll(async () => {
  PATH = await searchPathWithRedis()
})

/** A dataset with `copies` of each of the four images, and the call that computes it. */
async function prepared(folder: string, copies: number) {
  const dataset = join(folder, 'images')
  const output = join(folder, 'out')
  await mkdir(dataset)
  for (const name of await readdir(imageFolder)) {
    for (let copy = 0; copy < copies; copy++) {
      await copyFile(
        join(imageFolder, name),
        join(dataset, name.replace('BIWI0000', `BIWI${String(copy).padStart(4, '0')}`)),
      )
    }
  }
  const own = ['--state-folder', join(folder, 'state'), '--cache-folder', join(folder, 'cache')]
  const call = [
    'run',
    '--dataset',
    dataset,
    '--adapter',
    'filename',
    '--output',
    output,
    '--network',
    networkFile,
    ...own,
  ]
  return { dataset, output, start: (...more: string[]) => startHeadlight([...call, ...more], { PATH }) }
}

const summaryOf = ({ stdout }: Ended) => summarySchema.parse(JSON.parse(stdout))

describe('what a dataset holds and a run cannot take', () => {
  it(
    'is said with number and reason, and fails --strict; a link that leads nowhere is a failed image',
    () =>
      inFolder(async (folder) => {
        const { dataset, start } = await prepared(folder, 1)
        const [name = ''] = await readdir(dataset)
        await copyFile(
          join(dataset, name),
          Buffer.concat([Buffer.from(`${dataset}/`), Buffer.from('caf\xe9.png', 'latin1')]),
        )
        for (const other of ['photo.HEIC', 'noSuffix', 'README', 'notes.txt'])
          await writeFile(join(dataset, other), 'x')
        await symlink('nowhere.png', join(dataset, 'link.png'))
        const whole = await start('--strict').ended
        expect(whole.code).toBe(3)
        expect(whole.stderr).toContain('--strict: 1 image failed, 3 files were left out\n')
        expect(whole.stdout).toMatch(/images +5 \(4 with a map, 1 failed/)
        expect(whole.stdout).toContain(
          'left out    3 files: 1 .heic (photo.HEIC), 1 with a name that is not UTF-8 (caf\ufffd.png), 1 without a suffix (noSuffix)\n',
        )
        const again = await start('--json').ended
        expect([again.code, summaryOf(again)]).toMatchObject([
          0,
          {
            counts: { total: 5, computed: 1, unchanged: 4, failed: 1 },
            failures: { vanished: 1 },
            leftOut: { name: { count: 1 } },
          },
        ])
      }),
    180_000,
  )
})

describe('headlight run', () => {
  it(
    'computes a folder, then only what is new, and says where things are',
    () =>
      inFolder(async (folder) => {
        const { dataset, output, start } = await prepared(folder, 1)
        const first = await start('--log-level', 'debug').ended
        expect(first).toMatchObject({ code: 0, stderr: expect.stringContaining('assumed: yaw 61 bins × 3° − 90°') })
        expect(first.stderr).toMatch(/computing with \S+: .*units=/)
        const [set = ''] = await readdir(output)
        for (const place of ['report/index.html', 'angles.parquet']) {
          expect(first.stdout).toContain(join(output, set, place))
          expect((await readFile(join(output, set, place))).length).toBeGreaterThan(100)
        }
        expect(first.stdout).toMatch(/images +4 \(4 with a map, 0 failed, 4 of them new or changed, 0 unchanged\)/)
        expect(first.stdout).toMatch(/mean absolute error( +\d+\.\d\d){4}/)
        expect(first.stdout).toContain('activations 21 ReLUs guided\n')
        expect(await readdir(join(output, set, 'maps', 'sum'))).toEqual(await readdir(dataset))

        await writeFile(join(dataset, 'broken.png'), 'no image')
        const second = await start('--json', '--strict').ended
        expect(second.code).toBe(3)
        expect(summaryOf(second)).toMatchObject({
          state: 'completed',
          counts: { total: 5, computed: 1, unchanged: 4, failed: 1, gone: 0 },
          failures: { 'not-an-image': 1 },
          thisRun: { n: 1, mae: null, errors: null, failures: { 'not-an-image': 1 } },
          activations: [{ kind: 'relu', count: 21, guided: 21 }],
        })
        const third = await start('--json', '--quiet', '--log-level', 'debug').ended
        expect(third).toMatchObject({ code: 0, stderr: expect.not.stringContaining('computing') })
        expect(summaryOf(third).counts).toMatchObject({ computed: 0, unchanged: 5, failed: 1 })

        expect((await headlight(['status', '--output', output])).stdout).toMatch(
          /images +5: 4 with a map, 1 failed\n +this run +nothing had changed, nothing was computed\n/,
        )
        const status = await headlight(['status', '--output', output, '--json'])
        expect(JSON.parse(status.stdout)).toMatchObject({
          sets: [
            { set, state: 'completed', images: 5, done: 0, total: 0, failed: 1, hold: null, run: summaryOf(third).run },
          ],
          queues: [],
        })
        // As an earlier version left its result sets.
        const atlas = join(output, set, 'runs', summaryOf(second).run, 'atlas.bin')
        const bytes = await readFile(atlas)
        await rm(atlas)
        const report = await headlight(['report', output])
        expect(report).toMatchObject({ code: 0, stdout: `${join(output, set, 'report/index.html')}\n` })
        expect(report.stderr).toContain('adding up, once for this result set, the small maps of 4 images by pose')
        expect((await readFile(atlas)).equals(bytes)).toBe(true)
        const page = await readFile(join(output, set, 'report/index.html'), 'utf8')
        expect(page).toContain('<dt>activations</dt><dd>21 ReLUs guided</dd>')
      }),
    180_000,
  )

  it(
    'hands back what it is at on Ctrl-C, and goes on from there when it is called again',
    () =>
      inFolder(async (folder) => {
        const { output, start } = await prepared(folder, 5)
        // The reference engine is slow enough to be interrupted; both engines make the same result set.
        const interrupted = start('--engine', 'reference', '--units', '1', '--shard-size', '1')
        await interrupted.said('computing')
        interrupted.kill('SIGINT')
        const { code, stderr, stdout } = await interrupted.ended
        expect({ code, stdout }).toEqual({ code: 130, stdout: '' })
        expect(stderr).toMatch(/stopping: .*\nheadlight: interrupted; the same command goes on where it stopped\n$/s)
        const status = await headlight(['status', '--output', output, '--json'])
        expect(JSON.parse(status.stdout)).toMatchObject({ sets: [{ state: 'interrupted', total: 20, hold: null }] })

        const again = await start('--json').ended
        expect(again.code).toBe(0)
        const [run] = (JSON.parse(status.stdout) as { sets: { run: string }[] }).sets
        expect(summaryOf(again)).toMatchObject({ run: run?.run, state: 'completed', counts: { total: 20, failed: 0 } })
      }),
    180_000,
  )
})
