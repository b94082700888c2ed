import { copyFile, mkdir, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest'
import { z } from 'zod'
import { readTable } from '../../../src/output/table.ts'
import { headlight, imageFolder, inFolder, networkFile, startHeadlight } from '../../support/headlight.ts'
import { matFile } from '../../support/matFile.ts'
import { searchPathWithRedis } from '../../support/redis.ts'
import { startS3Server, type S3Server } from '../../support/s3Server.ts'

const explained = z.object({
  angles: z.object({ yaw: z.number(), pitch: z.number(), roll: z.number() }),
  label: z.object({ yaw: z.number(), pitch: z.number(), roll: z.number() }).nullable(),
  box: z.object({ x0: z.number(), y0: z.number(), x1: z.number(), y1: z.number() }).nullable(),
  crop: z.array(z.number()).length(4),
})

const label = (x: number, y: number) =>
  matFile({
    Pose_Para: { rows: 1, values: [0.1, -0.5, 0.25, 0, 0, 0, 1] },
    pt2d: { rows: 2, values: [x, y, x + 60, y + 15, x + 20, y + 55] },
  })

/** A dataset like AFLW2000, in which each head is a part of its image. */
async function aflw(folder: string): Promise<string> {
  const dataset = join(folder, 'aflw')
  await mkdir(dataset)
  for (const [index, name] of (await readdir(imageFolder)).slice(0, 2).entries()) {
    await copyFile(join(imageFolder, name), join(dataset, `image0000${index}.png`))
    await writeFile(join(dataset, `image0000${index}.mat`), label(40 + 10 * index, 50))
  }
  return dataset
}

const network = ['--network', networkFile]

async function explain(...args: string[]) {
  const { code, stdout, stderr } = await headlight(['explain', ...args, ...network, '--json'])
  if (code !== 0) throw new Error(stderr)
  return explained.parse(JSON.parse(stdout))
}

async function refused(...args: string[]): Promise<string> {
  const { code, stderr } = await headlight(['explain', ...args, ...network])
  expect(code).toBe(2)
  return stderr
}

describe('explain with an adapter', () => {
  it(
    'gives the angles and the map of a run’s row, by its key',
    () =>
      inFolder(async (folder) => {
        const dataset = await aflw(folder)
        const own = ['--state-folder', join(folder, 'state'), '--cache-folder', join(folder, 'cache'), '--units', '1']
        const reading = ['--dataset', dataset, '--adapter', 'aflw2000']
        const run = ['run', ...reading, '--output', join(folder, 'out'), ...network, ...own]
        expect(await startHeadlight(run, { PATH: await searchPathWithRedis() }).ended).toMatchObject({ code: 0 })
        const [set = ''] = await readdir(join(folder, 'out'))
        let rows = 0
        for await (const row of readTable(await readFile(join(folder, 'out', set, 'angles.parquet')))) {
          rows++
          const map = join(folder, 'map.png')
          const one = await explain(row.key, ...reading, '--map', map)
          for (const angle of ['yaw', 'pitch', 'roll'] as const) {
            expect(one.angles[angle]).toBeCloseTo(row[angle] ?? NaN, 4)
          }
          expect(one.label?.yaw).toBeCloseTo(row.labelYaw ?? NaN, 4)
          expect(one.crop[0]).toBeCloseTo(row.cropX0 ?? NaN, 3)
          expect(await readFile(map)).toEqual(await readFile(join(folder, 'out', set, String(row.mapSum))))
          // What was wrong: the whole image is another question.
          const whole = await explain(join(dataset, row.key))
          expect(Math.abs(whole.angles.yaw - (row.yaw ?? NaN))).toBeGreaterThan(1e-3)
        }
        expect(rows).toBe(2)
      }),
    180_000,
  )

  it('finds what lies beside the image by itself, by whatever path the image is named', () =>
    inFolder(async (folder) => {
      const dataset = await aflw(folder)
      const file = join(dataset, 'image00001.png')
      const adapter = ['--adapter', 'aflw2000']
      const byKey = await explain('image00001.png', '--dataset', dataset, ...adapter)
      expect(byKey.box).toEqual({ x0: 26, y0: 28, x1: 143, y1: 114 })
      expect(byKey.label?.pitch).toBeCloseTo(5.7296, 3)
      for (const call of [
        [file, ...adapter],
        [pathToFileURL(file).href, ...adapter],
        [file, '--dataset', dataset, ...adapter],
        [pathToFileURL(file).href, '--dataset', pathToFileURL(dataset).href, ...adapter],
      ]) {
        expect(await explain(...call)).toEqual(byKey)
      }
      const literal = await explain(file, ...adapter, '--box', 'hopenet-literal')
      expect(literal).toEqual(byKey)
      const { stdout } = await headlight(['explain', file, ...adapter, ...network, '--no-overlay'])
      expect(stdout).toMatch(
        /\nlabel +from aflw2000 \(box hopenet\)\nbox +26, 28, 143, 114, from aflw2000 \(box hopenet\)\nactivations +21 ReLUs guided\n$/,
      )
    }))

  it('takes a box, and says that it sees the whole image without one', () =>
    inFolder(async (folder) => {
      const dataset = await aflw(folder)
      const file = join(dataset, 'image00001.png')
      const byAdapter = await explain(file, '--adapter', 'aflw2000')
      const byHand = await explain(file, '--box', '26,28,143,114')
      expect(byHand).toEqual({ ...byAdapter, label: null })
      expect((await explain(file, '--adapter', 'aflw2000', '--box', '10,10,60.5,60')).box).toEqual({
        x0: 10,
        y0: 10,
        x1: 60.5,
        y1: 60,
      })
      expect((await explain(file)).box).toBeNull()
      const { stdout } = await headlight(['explain', file, ...network, '--no-overlay'])
      expect(stdout).toContain('box         none: the network sees the whole image')
      for (const box of ['1,2,3', '10,10,5,20', '1,2,3,x', 'hopnet', ',,,']) {
        expect(await refused(file, '--box', box)).toContain('--box takes X0,Y0,X1,Y1 with X1 > X0 and Y1 > Y0')
      }
      expect(await refused(file, '--box', '9000,9000,9100,9100')).toMatch(/^headlight: .*image00001\.png: .*box/)
      expect(await refused(file, '--box', 'hopenet-literal')).toContain('--box belongs to --adapter aflw2000')
    }))

  it('reads index and boxes of the dataset', () =>
    inFolder(async (folder) => {
      const dataset = await aflw(folder)
      await writeFile(
        join(dataset, 'i.csv'),
        'image,yaw,pitch,roll,x0,y0,x1,y1\nimage00001.png,7,8,9,10,11,90,91\nnone.png,1,1,1,1,1,2,2\n',
      )
      const csv = ['--adapter', 'csv', '--index', 'i.csv', '--columns', 'key=image', '--dataset', dataset]
      expect(await explain('image00001.png', ...csv)).toMatchObject({
        label: { yaw: 7, pitch: 8, roll: 9 },
        box: { x0: 10, y0: 11, x1: 90, y1: 91 },
      })
      expect(await refused('image00000.png', ...csv)).toMatch(/image00000\.png is no image of csv \(index i\.csv/)
      expect(await refused('none.png', ...csv)).toContain('none.png is no key of')
      expect(await refused('image00001.png', ...csv.slice(0, -2))).toContain(
        '--index speaks of keys in a dataset; add --dataset',
      )
    }))

  it('sees a face of an image, and one whose label cannot be used, as a run does', () =>
    inFolder(async (folder) => {
      const dataset = await aflw(folder)
      await writeFile(
        join(dataset, 'faces.csv'),
        'key,who,yaw,pitch,roll,x0,y0,x1,y1\nimage00001.png,left,7,8,9,10,11,90,91\nimage00001.png,right one,far,8,9,60,11,140,91\n',
      )
      const csv = ['--adapter', 'csv', '--index', 'faces.csv', '--columns', 'face=who', '--dataset', dataset]
      expect(await explain('image00001.png#left', ...csv)).toMatchObject({
        label: { yaw: 7, pitch: 8, roll: 9 },
        box: { x0: 10, y0: 11, x1: 90, y1: 91 },
      })
      const { code, stdout, stderr } = await headlight([
        'explain',
        'image00001.png#right%20one',
        ...csv,
        ...network,
        '--no-overlay',
      ])
      expect({ code, stdout, stderr }).toMatchObject({
        code: 0,
        stdout: expect.stringContaining('box         60, 11, 140, 91'),
      })
      expect(stderr).toContain('the label is not used: Line 3 of')
      expect(await refused('image00001.png', ...csv)).toContain(
        'name one of its faces: image00001.png#left, image00001.png#right%20one',
      )
      const both = ['image00001.png#left', '--dataset', dataset]
      expect(await refused(...both)).toContain('add --adapter csv, --index FILE and --columns face=COLUMN')
      expect(await refused(...both, '--adapter', 'csv', '--index', 'faces.csv')).toContain('--columns face=COLUMN')
      expect(await refused('none.png#left', ...csv)).not.toContain('face=COLUMN')
    }))

  it('names its overlay after the face, and asks for no adapter where one says nothing of a box', () =>
    inFolder(async (folder) => {
      const dataset = await aflw(folder)
      await writeFile(join(dataset, 'faces.csv'), 'key,who\nimage00001.png,l\nimage00001.png,r/2\nimage00000.png,\n')
      const csv = ['--adapter', 'csv', '--index', 'faces.csv', '--columns', 'face=who', '--dataset', dataset]
      const call = ['explain', 'image00001.png#r%2F2', ...csv, ...network]
      const { stdout } = await startHeadlight(call, {}, folder).ended
      expect(stdout).toMatch(/\nbox +none: the network sees the whole image \(csv \(.*\) names no box; --box shows/)
      expect(stdout).toContain('overlay     image00001#r%2F2-overlay.png\n')
      expect(await readdir(folder)).toContain('image00001#r%2F2-overlay.png')
      expect(await explain('image00000.png#', ...csv)).toMatchObject({ box: null })
    }))

  it('names what is missing or does not fit', () =>
    inFolder(async (folder) => {
      const dataset = await aflw(folder)
      const adapter = ['--adapter', 'aflw2000']
      const file = join(dataset, 'image00001.png')
      expect(await refused(join(dataset, 'image00009.png'), ...adapter)).toContain('image00009.png does not exist')
      expect(await refused(file, '--dataset', join(folder, 'nowhere'), ...adapter)).toContain('no such folder')
      expect(await refused(join(imageFolder, 'a.png'), '--dataset', dataset, ...adapter)).toContain(
        'does not lie below it',
      )
      expect(await refused(join(dataset, 'image00001.mat'), ...adapter)).toContain('is no image of aflw2000')
      expect(await refused(file, '--margin', '0.4')).toContain('--margin belongs to --adapter biwi, not to images')
      expect(await refused(file, '--glob', '*.png')).toContain('--glob speaks of keys in a dataset')
      await symlink('nowhere', join(dataset, 'link.png'))
      expect(await refused(join(dataset, 'link.png'), ...adapter)).toContain('link.png does not exist')
      await rm(join(dataset, 'image00001.mat'))
      expect(await refused(file, ...adapter)).toMatch(
        /^headlight: \S+image00001\.png: The file aflw\/image00001\.mat with its pose is missing/,
      )
      expect(await refused(file, ...adapter, '--map', file)).toContain(`would overwrite the image ${file}`)
    }))
})

describe('explain with an adapter, in S3', () => {
  let server: S3Server
  beforeAll(async () => {
    server = await startS3Server({ accessKeyId: 'key', secretAccessKey: 'secret' })
  })
  afterAll(() => server.close())
  afterEach(() => vi.unstubAllEnvs())

  it('reads what lies beside the image, by key or URI, and lists no more than that', async () => {
    vi.stubEnv('AWS_ACCESS_KEY_ID', 'key')
    vi.stubEnv('AWS_SECRET_ACCESS_KEY', 'secret')
    vi.stubEnv('AWS_REGION', 'us-east-1')
    const [name = ''] = await readdir(imageFolder)
    const bytes = await readFile(join(imageFolder, name))
    const put = (key: string, content: Buffer) =>
      server.buckets.get('bucket')?.set(key, { bytes: content, etag: 'e', contentType: 'x' })
    put('heads/in/image00001.png', bytes)
    put('heads/in/image00001.mat', label(50, 50))
    put('image00002.png', bytes)
    put('image00002.mat', label(50, 50))
    const call = ['--adapter', 'aflw2000', '--s3-endpoint', server.endpoint]
    const byKey = await explain('in/image00001.png', '--dataset', 's3://bucket/heads', ...call)
    expect(byKey.box).toEqual({ x0: 26, y0: 28, x1: 143, y1: 114 })
    expect(await explain('s3://bucket/heads/in/image00001.png', '--dataset', 's3://bucket/heads', ...call)).toEqual(
      byKey,
    )
    expect(await explain('s3://bucket/heads/in/image00001.png', ...call)).toEqual(byKey)
    expect(await explain('s3://bucket/image00002.png', ...call)).toEqual(byKey)
    expect(await refused('s3://bucket/heads/in/none.png', ...call)).toContain('in/none.png does not exist')
    expect(await refused('s3://bucket/image00002.png', '--dataset', 's3://bucket/heads', ...call)).toContain(
      'does not lie below it',
    )
  })
})
