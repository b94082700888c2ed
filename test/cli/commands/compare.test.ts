import { mkdir, readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { beforeAll, describe, expect, it, vi } from 'vitest'
import { runProgram } from '../../../src/cli/program.ts'
import { currentRun } from '../../../src/output/current.ts'
import { layout } from '../../../src/output/layout.ts'
import type { Comparison } from '../../../src/report/compare/comparison.ts'
import { openStore } from '../../../src/storage/open.ts'
import type { Store } from '../../../src/storage/store.ts'
import {
  placeIn,
  putComparedRun,
  putRunFile,
  resultSetOf,
  runIds,
  type ComparedSample,
  type Triple,
} from '../../support/comparedOutput.ts'
import { headlight, inFolder } from '../../support/headlight.ts'
import { startS3Server } from '../../support/s3Server.ts'
import { surroundingsOf } from '../../support/surroundings.ts'

const before = resultSetOf({ id: 'old-all-00000001', network: 'old.pkl' })
const after = resultSetOf({ id: 'new-all-00000002', network: 'new.pkl' })
const [first, second, third] = runIds
const zero: Triple = [0, 0, 0]

const samples = (yaw: number, more: Partial<ComparedSample> = {}): ComparedSample[] =>
  ['a.png', 'b.png', 'c.png'].map((key, i) => ({
    key,
    estimate: [yaw * (i + 1), 0, 0],
    label: zero,
    maps: [0.1 * yaw],
    ...more,
  }))

/** An output in a folder, and calls of the command there. */
async function inOutput(body: (world: { output: Store; folder: string; compare: Compare }) => Promise<void>) {
  await inFolder(async (folder) => {
    const output = openStore(join(folder, 'out'))
    await output.check('write')
    const compare: Compare = async (...args) => {
      const places = args.map((arg) => (arg.startsWith('-') || arg.startsWith('/') ? arg : join(folder, arg)))
      return headlight(['compare', ...places])
    }
    await body({ output, folder, compare })
  })
}
type Compare = (...args: string[]) => ReturnType<typeof headlight>

const parsed = ({ stdout }: { stdout: string }) => JSON.parse(stdout) as Comparison

describe('operands', () => {
  it('name two result sets, whose states are compared', () =>
    inOutput(async ({ output, compare }) => {
      await putComparedRun(output, before, samples(1))
      await putComparedRun(output, after, samples(3))
      const { code, stdout, stderr } = await compare('out/old-all-00000001', 'out/new-all-00000002/')
      expect([code, stderr]).toEqual([0, ''])
      expect(stdout).toMatch(/^A before {2}\S+\/out\/old-all-00000001\/\n/)
      expect(stdout).toMatch(/^ +network file +old\.pkl → new\.pkl$/m)
      expect(stdout).toMatch(/^yaw +2\.00 +6\.00 +\+4\.00 +\+2\.00 to \+6\.00$/m)
      expect(stdout).toContain('so few images say little of others')
    }))

  it('name runs; one that changed nothing stands for the state that it found', () =>
    inOutput(async ({ output, compare }) => {
      await putComparedRun(output, before, samples(1))
      await putComparedRun(output, before, samples(2), { run: third, base: first })
      const counts = { total: 3, computed: 0, unchanged: 3, failed: 0, gone: 0 }
      await putRunFile(output, before, { run: second, base: first, counts })
      const runs = 'out/old-all-00000001/runs'
      const { a, b, notes } = parsed(await compare(`${runs}/${second}`, `${runs}/${third}`, '--json'))
      expect([a.run, a.isState, b.run, b.isState]).toEqual([first, false, third, true])
      expect(notes).toContain(`Run ${second} changed nothing, so that its state is that of run ${first}.`)
    }))

  it('name an output with one result set; alone, its state is compared with the state before', () =>
    inOutput(async ({ output, compare }) => {
      await putComparedRun(output, before, samples(1))
      const kept = ['a.png', 'b.png', 'c.png'].map((key, i) => ({
        key,
        estimate: [i + 1, 0, 0] as const,
        label: zero,
        place: placeIn(first, i, 3),
      }))
      const added = { key: 'd.png', estimate: [20, 0, 0], label: zero, maps: [0.4] } as const
      await putComparedRun(output, before, [...kept, added], { run: second, base: first })
      const comparison = parsed(await compare('out', '--json'))
      expect([comparison.a.run, comparison.b.run]).toEqual([first, second])
      expect(comparison.images).toMatchObject({ compared: 3, onlyB: 1 })
      expect(comparison.maps).toEqual({ objectives: {}, same: 3, missing: 0 })
      const { stdout } = await compare('out')
      // What the night brought is in no pair, and is what one wants to know of.
      expect(stdout).toMatch(/^only in B +1 +20\.00 +0\.00 +0\.00 +6\.67$/m)
      expect(stdout).toContain('over 3 labelled images; no estimate differs')
      expect(stdout).toContain('3 images have the very same maps')
    }))

  it('that name nothing to compare are refused with what there is', () =>
    inOutput(async ({ output, folder, compare }) => {
      await mkdir(join(folder, 'bare'))
      const refusal = async (...args: string[]) => {
        const { code, stdout } = await compare(...args, '--json')
        return [code, (JSON.parse(stdout) as { error: { code: string; message: string } }).error] as const
      }
      expect(await refusal('bare')).toEqual([
        2,
        { code: 'no-such-run', message: expect.stringContaining('is no result set and holds none') },
      ])
      expect(await refusal('nowhere')).toMatchObject([2, { code: 'no-such-bucket' }])
      await putComparedRun(output, before, samples(1))
      expect(await refusal('out')).toMatchObject([
        2,
        { message: expect.stringContaining('one run that changed anything') },
      ])
      const none = 'out/old-all-00000001/runs/none'
      expect(await refusal(none)).toMatchObject([2, { message: expect.stringContaining(`it has tables of ${first}`) }])
      await putComparedRun(output, after, samples(1))
      expect(await refusal('out')).toMatchObject([
        2,
        {
          code: 'bad-option',
          message: expect.stringMatching(/several result sets.*new-all-00000002.*old-all-00000001/),
        },
      ])
    }))

  it('whose table --keep-runs has removed are refused with those that are left', () =>
    inOutput(async ({ output, compare }) => {
      await putComparedRun(output, before, samples(1))
      await putComparedRun(output, before, samples(2), { run: second, base: first })
      await putComparedRun(output, before, samples(3), { run: third, base: second })
      await output.delete(layout.runTable(before.id, second))
      // Its base has a table still, which is none of what this run left.
      const { code, stderr } = await compare(`out/old-all-00000001/runs/${second}`, 'out')
      expect(code).toBe(2)
      expect(stderr).toMatch(
        /the table of run 20261129T010000Z-bbbbbb is no longer in .*--keep-runs.*tables of 20261130T010000Z-cccccc, 20261128T010000Z-aaaaaa/,
      )
      await output.delete(layout.runTable(before.id, first))
      expect((await compare('out')).stderr).toMatch(
        /no run of .* before 20261130T010000Z-cccccc has a table; --keep-runs/,
      )
    }))

  it('may lie in two stores, one of them in S3', () =>
    inOutput(async ({ output, folder }) => {
      const keys = { accessKeyId: 'key', secretAccessKey: 'secret' }
      const server = await startS3Server(keys)
      vi.stubEnv('AWS_ACCESS_KEY_ID', keys.accessKeyId)
      vi.stubEnv('AWS_SECRET_ACCESS_KEY', keys.secretAccessKey)
      vi.stubEnv('AWS_REGION', 'us-east-1')
      try {
        await putComparedRun(output, before, samples(1))
        const remote = openStore('s3://bucket/out/', { endpoint: server.endpoint })
        await putComparedRun(remote, after, samples(3))
        await putComparedRun(remote, after, samples(2), { run: second, base: first })
        const endpoint = ['--s3-endpoint', server.endpoint, '--json']
        const whole = parsed(await headlight(['compare', join(folder, 'out'), 's3://bucket/out', ...endpoint]))
        expect([whole.a.all.errors?.mae.yaw, whole.b.all.errors?.mae.yaw]).toEqual([2, 4])
        expect(whole.maps?.objectives['yaw']?.n).toBe(3)
        const run = `s3://bucket/out/${after.id}/runs/${first}`
        const one = parsed(await headlight(['compare', run, `s3://bucket/out/${after.id}`, ...endpoint]))
        expect([one.a.run, one.b.run, await currentRun(remote, after.id)]).toEqual([first, second, second])
        remote.close()
      } finally {
        vi.unstubAllEnvs()
        await server.close()
      }
    }))
})

it('ends with exit code 130 when it is interrupted, and prints no half of a result', () =>
  inOutput(async ({ output, folder }) => {
    await putComparedRun(output, before, samples(1))
    await putComparedRun(output, after, samples(3))
    const said: string[] = []
    const sink = { ...surroundingsOf({}).results, write: (text: string) => void said.push(text) }
    const code = await runProgram(
      ['compare', join(folder, 'out', before.id), join(folder, 'out', after.id), '--page', join(folder, 'page.html')],
      {
        ...surroundingsOf({}),
        results: sink,
        messages: sink,
        onStopSignal: (listener) => {
          listener('SIGINT')
          return () => undefined
        },
      },
    )
    expect([code, said]).toEqual([130, ['stopping\n', 'headlight: interrupted; nothing was changed\n']])
    expect(await readdir(folder)).toEqual(['out'])
  }))

describe('--page', () => {
  it('writes the page, and says where', () =>
    inOutput(async ({ output, folder, compare }) => {
      await putComparedRun(output, before, samples(1))
      await putComparedRun(output, after, samples(3))
      const page = join(folder, 'page.html')
      const { code, stdout } = await compare('out/old-all-00000001', 'out/new-all-00000002', '--page', page)
      expect([code, stdout.endsWith(`\npage      ${page}\n`)]).toEqual([0, true])
      expect(await readFile(page, 'utf8')).toMatch(/^<!doctype html>[^]*<h1>old\.pkl → new\.pkl<\/h1>[^]*<\/html>\n$/)
    }))

  it('says, as the text does, that an unfinished run may have overwritten what it shows', () =>
    inOutput(async ({ output, folder, compare }) => {
      await putComparedRun(output, before, samples(1))
      await putComparedRun(output, before, samples(2), { run: second, base: first })
      await putRunFile(output, before, { run: third, base: second, state: 'open', closedAt: null, counts: null })
      const page = join(folder, 'page.html')
      const { stdout } = await compare('out', '--page', page)
      const notes = stdout.match(/^note: .*$/gm)
      expect(notes).toEqual([
        expect.stringMatching(/^note: Run 20261130T010000Z-cccccc of \S+ is not finished and overwrites maps/),
      ])
      expect(await readFile(page, 'utf8')).toContain('<p>Run 20261130T010000Z-cccccc of ')
      await putRunFile(output, before, { run: third, base: second, counts: null })
      expect((await compare('out')).stdout).not.toContain('note: ')
    }))

  it('refuses a file that is named like another kind, before anything is compared', async () => {
    const { code, stderr } = await headlight(['compare', '/nowhere', '--page', 'page.png'])
    expect([code, stderr]).toEqual([
      2,
      'headlight: --page writes an HTML page, but page.png ends in .png; name it .html\n',
    ])
  })
})

describe('the text', () => {
  let stdout = ''
  beforeAll(() =>
    inOutput(async ({ output, compare }) => {
      const subject = (i: number) => ({ subject: `s${i % 3}`, sequence: `q${i}` })
      const table = (off: number) =>
        Array.from({ length: 9 }, (_, i) => ({
          key: `k${i}.png`,
          estimate: [10 * i + off * (i % 3), 0, 0] as const,
          label: [10 * i, 0, 0] as const,
          ...subject(i),
        }))
      await putComparedRun(output, before, [
        ...table(1),
        { key: 'x.png', failed: 'corrupt-image' },
        { key: 'y.png', estimate: zero },
      ])
      await putComparedRun(output, after, [
        ...table(4),
        { key: 'x.png', estimate: zero },
        { key: 'y.png', failed: 'not-finite' },
      ])
      ;({ stdout } = await compare('out/old-all-00000001', 'out/new-all-00000002'))
    }),
  )

  it('says what was resampled, and that so few say little', () => {
    expect(stdout).toContain(
      'over 9 labelled images; intervals by resampling 3 subjects; so few subjects say little of others',
    )
  })

  it('tells bands of yaw, and subjects with those first that changed most', () => {
    expect(stdout).toMatch(/^mean error by \|yaw\|, labelled +images +A +B +B − A$/m)
    expect(stdout).toMatch(/^75° to 90° +1 +0\.67 +2\.67 +\+2\.00$/m)
    expect(stdout).toMatch(
      /^mean error by subject .*\ns2 +3 +0\.67 +2\.67 +\+2\.00\ns1 +3 +0\.33 +1\.33 +\+1\.00\n2 of 3 subjects, most changed first$/m,
    )
  })

  it('tells failures of one table only, with their first image', () => {
    expect(stdout).toMatch(/^failed only in A +1$/m)
    expect(stdout).toContain('failed only in A: corrupt-image 1, for example x.png: corrupt-image it is')
    expect(stdout).toContain('failed only in B: not-finite 1, for example y.png: not-finite it is')
  })

  it('ends with the images that changed most', () => {
    expect(stdout).toMatch(/^largest changes of the mean \|error\| of an image, degrees\n +\+2\.00 {2}k2\.png\n/m)
  })

  it('holds nothing from the datasets that a terminal acts on, and their names on one line each', () =>
    inOutput(async ({ output, compare }) => {
      const clear = '\u001b[2J'
      const table = (yaw: number) =>
        ['1', '2'].map((key, i) => ({
          key: `${key}${clear}\n.png`,
          estimate: [yaw * (i + 1), 0, 0] as const,
          label: zero,
          subject: `s${key}${clear}`,
          sequence: `q${key}${clear}`,
        }))
      const failed = { key: `x${clear}`, failed: `code${clear}\n` }
      const other = resultSetOf({ id: after.id, network: `new${clear}.pkl` })
      await putComparedRun(output, before, [...table(1), failed])
      await putComparedRun(output, other, [...table(3), { key: failed.key, estimate: zero }])
      const operands = ['out/old-all-00000001', 'out/new-all-00000002']
      const { stdout: text } = await compare(...operands)
      expect(text).toMatch(
        /^failed only in A: code\ufffd\[2J\ufffd 1, for example x\ufffd\[2J: code\ufffd\[2J\ufffd it is$/m,
      )
      expect(text).toMatch(/^s2\ufffd\[2J +1 /m)
      expect(text).toMatch(/^ +\+1\.33 {2}2\ufffd\[2J\ufffd\.png$/m)
      expect(text).not.toMatch(/[^\P{Cc}\n]/u)
      // A script is to find the image again.
      expect(parsed(await compare(...operands, '--json')).largest[0]?.key).toBe(`2${clear}\n.png`)
      await putComparedRun(output, other, [{ key: `z${clear}`, estimate: zero }])
      expect((await compare(...operands)).stderr).toMatch(/begins with z\ufffd\[2J/)
    }))
})
