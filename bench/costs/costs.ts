import { randomUUID } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { writeFile } from 'node:fs/promises'
import { availableParallelism, loadavg, tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import sharp from 'sharp'
import { z } from 'zod'
import { startS3Server, type S3Server } from '../../test/support/s3Server.ts'
import { sampleImage } from '../gpu/files.ts'
import { benchCredentials, headlight } from '../headlightProcess.ts'
import { imageFolder, putImages, type Format } from '../images.ts'
import { alternate, median, table, type Contender } from '../measure.ts'
import { scriptContender } from '../origin.ts'

const rounds = Number(process.env.HEADLIGHT_BENCH_ROUNDS ?? 5)
/** A shard and a bit of each unit; enough that starting and ending no longer decide. */
const [few, some, many] = [4, 96, 192]
const roundTripMs = 50
const touchedAmong = 2_000
const small = fileURLToPath(new URL('../../test/checkpoints/tiny_hp.pkl', import.meta.url))

const names = {
  origin: `the original script, ${many} PNG files to ${many} maps`,
  whole: `run, ${many} PNG images, from start to report`,
  wholeJpeg: `run, ${many} JPEG images`,
  explain: 'explain, one image, from a cold start',
  few: `run, ${few} images`,
  same: `run, nothing changed, ${few} images`,
  near: `run, ${some} images in S3`,
  far: `run, ${some} images in S3, ${roundTripMs} ms a round trip`,
  sum: `compute phase of a run, objective sum, ${some} images`,
  each: `compute phase of a run, objective each, ${some} images`,
  touched: `run, one touched image among ${touchedAmong}, small network, three objectives`,
}

/**
 * What a whole command costs, in ms: every contender in turn, round after round, with the least, the median and the most.
 * Ratios are those of medians, with the least and the most of the rounds' own ratios.
 */
export async function benchCosts(network: string): Promise<string> {
  const folder = mkdtempSync(join(tmpdir(), 'headlight-bench-'))
  const s3 = await startS3Server(benchCredentials)
  const before = loadavg()[0] ?? 0
  try {
    const figures = await alternate(await contenders({ folder, s3, network }), rounds)
    const rows = [...figures].map(([name, values]) => [name, ...spread(values, 0)])
    return [
      table([['costs, ms', 'median', 'least', 'most'], ...rows]),
      table([['ratios', 'median', 'least', 'most'], ...ratiosOf(figures)]),
      loadText(before, loadavg()[0] ?? 0),
    ].join('\n\n')
  } finally {
    await s3.close()
    rmSync(folder, { recursive: true, force: true })
  }
}

interface Place {
  readonly folder: string
  readonly s3: S3Server
  readonly network: string
}

async function contenders({ folder, s3, network }: Place): Promise<Contender[]> {
  const images = (count: number, format: Format = 'png') =>
    imageFolder(join(folder, `images-${count}-${format}`), count, format)
  const [fewImages, someImages, manyImages, manyJpegs] = [
    await images(few),
    await images(some),
    await images(many),
    await images(many, 'jpg'),
  ]
  putImages(s3, 'images/', some)
  const fresh = () => mkdtempSync(join(folder, 'output-'))
  const run = (dataset: string, output: string, of: string, ...options: string[]) =>
    headlight(['run', '--quiet', '--json', '--dataset', dataset, '--output', output, '--network', of, ...options])
  const timed = (name: string, act: () => Promise<unknown>, prepare = async () => {}): Contender => ({
    name,
    measure: async () => {
      await prepare()
      const start = performance.now()
      await act()
      return performance.now() - start
    },
  })
  const inS3 = (name: string, delayMs: number): Contender =>
    timed(
      name,
      () => run('s3://bucket/images/', `s3://bucket/${randomUUID()}/`, network, '--s3-endpoint', s3.endpoint),
      async () => void s3.faults.splice(0, s3.faults.length, { when: () => true, what: delayMs }),
    )
  const computing = (name: string, objective: string): Contender => ({
    name,
    measure: async () => {
      const printed = await run(someImages, fresh(), network, '--objective', objective)
      const { counts, imagesPerSecond } = summarySchema.parse(JSON.parse(printed))
      return (counts.computed / imagesPerSecond) * 1_000
    },
  })
  const unchanged = fresh()
  await run(fewImages, unchanged, network)
  const { dataset, output } = await touchedOutput(folder, (set, out) => run(set, out, small, '--objective=each'))
  let touches = 0
  const maps = fresh()
  return [
    ...scriptContender(names.origin, 'costs/files.py', [manyImages, maps]),
    timed(names.whole, () => run(manyImages, fresh(), network)),
    timed(names.wholeJpeg, () => run(manyJpegs, fresh(), network)),
    timed(names.explain, () =>
      headlight(['explain', sampleImage, '--network', network, '--map', join(folder, 'a.png')]),
    ),
    timed(names.few, () => run(fewImages, fresh(), network)),
    timed(names.same, () => run(fewImages, unchanged, network)),
    inS3(names.near, 0),
    inS3(names.far, roundTripMs),
    computing(names.sum, 'sum'),
    computing(names.each, 'each'),
    timed(
      names.touched,
      () => run(dataset, output, small, '--objective=each'),
      async () => writeFile(join(dataset, 'frame_00007.png'), await coloured(touches++)),
    ),
  ]
}

const summarySchema = z.object({ counts: z.object({ computed: z.int() }), imagesPerSecond: z.number() })

async function touchedOutput(folder: string, run: (dataset: string, output: string) => Promise<unknown>) {
  const dataset = await imageFolder(join(folder, 'touched'), touchedAmong)
  const output = mkdtempSync(join(folder, 'touched-output-'))
  await run(dataset, output)
  return { dataset, output }
}

function coloured(touch: number): Promise<Buffer> {
  return sharp(sampleImage)
    .modulate({ hue: (touch * 40) % 360 })
    .png()
    .toBuffer()
}

type Figures = ReadonlyMap<string, readonly number[]>

function ratiosOf(figures: Figures): string[][] {
  const ratio = (what: string, of: string): string[][] => {
    const [above, below] = [figures.get(what), figures.get(of)]
    if (above === undefined || below === undefined) return []
    const each = above.map((value, round) => value / (below[round] ?? NaN))
    return [[`${what} ÷ ${of}`, ...spread(each, 2)]]
  }
  const added = figures.get(names.far)?.map((value, round) => value - (figures.get(names.near)?.[round] ?? NaN)) ?? []
  return [
    ...ratio(names.whole, names.origin),
    ...ratio(names.wholeJpeg, names.whole),
    ...ratio(names.few, names.explain),
    ...ratio(names.each, names.sum),
    [`added by ${roundTripMs} ms a round trip, ms`, ...spread(added, 0)],
  ]
}

function spread(values: readonly number[], digits: number): string[] {
  return [median(values), Math.min(...values), Math.max(...values)].map((value) => value.toFixed(digits))
}

function loadText(before: number, after: number): string {
  // A single contender loads all cores at most, and some of them briefly more.
  const isBusy = before > 0.5 || after > availableParallelism() * 2
  return `load before ${before.toFixed(2)}, after ${after.toFixed(2)}${isBusy ? '; THE MACHINE WAS BUSY: do not quote these figures' : ''}`
}
