import { mkdtempSync, rmSync } from 'node:fs'
import { availableParallelism, tmpdir } from 'node:os'
import { join } from 'node:path'
import { z } from 'zod'
import { startS3Server } from '../test/support/s3Server.ts'
import { loopContender } from './engine.ts'
import { sampleImage } from './gpu/files.ts'
import { benchCredentials, headlight } from './headlightProcess.ts'
import { imageFolder, putImages } from './images.ts'
import { alternate, median, table, type Contender } from './measure.ts'
import { processTreeMemoryMb } from './processTree.ts'

const rounds = Number(process.env.HEADLIGHT_BENCH_ROUNDS ?? 3)
/** Two sizes, so that their difference is steady work without any start or end. */
const [few, many] = [32, 160]
/** As many shards as units: small datasets are cut into small shards, and what lies between two shards is not overlapped. */
const shardSize = (count: number): string[] => ['--shard-size', String(Math.ceil(count / availableParallelism()))]

interface Run {
  /** Of the compute phase: what comes before and after (units starting, table, report) is not the pipeline. */
  readonly seconds: number
  readonly peakMemoryMb: number
}

/** ms per image of `headlight run` on PNGs of 640×480, from a folder and from S3, beside the engine alone; and memory. */
export async function benchPipeline(network: string): Promise<string> {
  const folder = mkdtempSync(join(tmpdir(), 'headlight-bench-'))
  const s3 = await startS3Server(benchCredentials)
  const peaks: number[] = []
  try {
    for (const count of [few, many]) {
      await imageFolder(join(folder, String(count)), count)
      putImages(s3, `${count}/`, count)
    }
    const perImage = async (dataset: (count: number) => string, options: string[]): Promise<number> => {
      const [short, long] = [
        await run(dataset(few), [...options, ...shardSize(few)]),
        await run(dataset(many), [...options, ...shardSize(many)]),
      ]
      peaks.push(long.peakMemoryMb)
      return ((long.seconds - short.seconds) * 1000) / (many - few)
    }
    const run = (dataset: string, options: string[]): Promise<Run> => {
      const output = mkdtempSync(join(folder, 'output-'))
      return headlightRun(['--dataset', dataset, '--output', output, '--network', network, '--full', ...options])
    }
    const engine = 'engine alone, all units'
    const contenders: Contender[] = [
      loopContender(engine, network, { kind: 'explain', batch: 1, threads: 1 }, availableParallelism()),
      { name: 'pipeline, folder', measure: () => perImage((count) => join(folder, String(count)), []) },
      {
        name: 'pipeline, S3 on this machine',
        measure: () => perImage((count) => `s3://bucket/${count}/`, ['--s3-endpoint', s3.endpoint]),
      },
    ]
    const figures = await alternate(contenders, rounds)
    const own = median(figures.get(engine) ?? [])
    const rows = [...figures].map(([what, values]) => {
      const value = median(values)
      return [what, value.toFixed(1), (1000 / value).toFixed(1), (value / own).toFixed(2)]
    })
    return [
      table([['pipeline', 'ms/image', 'images/s', '÷ engine'], ...rows]),
      `memory of all processes of a run together, peak: ${Math.max(...peaks).toFixed(0)} MB (proportional set size)`,
    ].join('\n')
  } finally {
    await s3.close()
    rmSync(folder, { recursive: true, force: true })
  }
}

/** ms of `headlight explain` for one image, from a cold start to the written map. */
export async function benchExplain(network: string): Promise<string> {
  const folder = mkdtempSync(join(tmpdir(), 'headlight-bench-'))
  const measure = async (): Promise<number> => {
    const start = performance.now()
    await headlight(['explain', sampleImage, '--network', network, '--map', join(folder, 'map.png')])
    return performance.now() - start
  }
  const figures = await alternate([{ name: 'explain', measure }], rounds)
  rmSync(folder, { recursive: true, force: true })
  const values = figures.get('explain') ?? []
  return table([
    ['cold start', 'ms', 'min'],
    ['explain, one image', median(values).toFixed(0), Math.min(...values).toFixed(0)],
  ])
}

const summarySchema = z.object({ counts: z.object({ computed: z.int() }), imagesPerSecond: z.number() })

async function headlightRun(options: readonly string[]): Promise<Run> {
  let peakMemoryMb = 0
  const printed = await headlight(['run', '--quiet', '--json', ...options], (pid) => {
    peakMemoryMb = Math.max(peakMemoryMb, processTreeMemoryMb(pid))
  })
  const { counts, imagesPerSecond } = summarySchema.parse(JSON.parse(printed))
  return { seconds: counts.computed / imagesPerSecond, peakMemoryMb }
}
