import { spawn, type ChildProcess } from 'node:child_process'
import { linkSync, mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { z } from 'zod'
import { createLogger } from '../../src/base/telemetry.ts'
import { openPrivateRedis } from '../../src/queue/privateRedis.ts'
import type { EngineName } from '../../src/saliency/engines/openEngine.ts'
import { freePort } from '../../test/support/redis.ts'
import { parentOf, readProc } from '../processTree.ts'
import type { GpuContext } from './context.ts'
import { isNvidias } from './engineClient.ts'
import { headlightProgram } from './files.ts'
import { sampleCard } from './nvidiaSmi.ts'

export interface PipelineOptions {
  readonly engine: EngineName
  readonly images: number
  readonly units?: number
  /** Called as images are computed; with the worker's process. */
  readonly onComputed?: (computed: number, worker: ChildProcess) => void
  readonly seconds: number
}

export interface PipelineResult {
  /** Between a seventh and six sevenths of the images: without the start and without the last shards. */
  readonly steadyImagesPerSecond: number
  /** When the worker was last looked at. */
  readonly computed: number
  /** Of the steady part; null where the card tells nothing. */
  readonly busyPercent: number | null
  readonly usedMb: number | null
  /** Sum over all images, by stage. */
  readonly stageSeconds: Readonly<Record<string, number>>
  readonly unitDeaths: number
  /** Null where the time was up before the end. */
  readonly summary: z.infer<typeof summarySchema> | null
  readonly seconds: number
}

const noCloudMachine = { AWS_EC2_METADATA_DISABLED: 'true' }

/** A folder of so many images of 640 × 480, links to one file. */
export function imageFolder(work: string, images: number): string {
  const folder = mkdtempSync(join(work, 'images-'))
  for (let i = 0; i < images; i++) {
    // A folder of a hundred thousand entries would be measured too.
    const group = join(folder, String(Math.floor(i / 1000)).padStart(3, '0'))
    if (i % 1000 === 0) mkdirSync(group)
    linkSync(join(work, 'sample.png'), join(group, `frame_${String(i).padStart(6, '0')}.png`))
  }
  return folder
}

/**
 * The way of a cluster on one machine: `headlight worker` and `headlight produce` over a Redis of their own, from a folder
 * with real decoding to a folder with real encoding. The worker's `/metrics` tell where the time goes. When the time is
 * up, what was seen until then counts. Raises an Error when either ends badly, or when nothing was seen.
 */
export async function runPipeline(context: GpuContext, o: PipelineOptions): Promise<PipelineResult> {
  const { environment, work, enginesFolder, network, device } = context
  const deadline = AbortSignal.timeout(Math.ceil(Math.max(1, o.seconds) * 1000))
  const dataset = imageFolder(work, o.images)
  const output = mkdtempSync(join(work, 'output-'))
  const redis = await openPrivateRedis({
    stateFolder: environment['HEADLIGHT_STATE_FOLDER'] ?? mkdtempSync(join(work, 'state-')),
    output,
    log: createLogger('silent'),
    searchPath: environment['PATH'] ?? '',
  })
  const children: ChildProcess[] = []
  const start = (args: readonly string[]): ChildProcess => {
    const child = spawn(process.execPath, [headlightProgram, ...args], {
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { ...environment, ...noCloudMachine },
      signal: context.signal,
      killSignal: 'SIGKILL',
    })
    children.push(child)
    return child
  }
  const card = sampleCard(device, environment)
  try {
    const port = await freePort()
    const startedAt = performance.now()
    const shared = ['--redis', `redis+unix://${redis.connection.redis.path ?? ''}`]
    const worker = start([
      'worker',
      ...shared,
      '--engine',
      o.engine,
      '--engines-folder',
      enginesFolder,
      '--health-port',
      String(port),
      ...(o.units === undefined ? [] : ['--units', String(o.units)]),
      ...(device !== null && isNvidias(o.engine) ? ['--gpus', device] : []),
      '--cache-folder',
      join(work, 'cache'),
    ])
    const said = lastWordsOf(worker)
    const producer = start([
      'produce',
      ...shared,
      '--dataset',
      dataset,
      '--output',
      output,
      '--network',
      network,
      '--json',
      '--quiet',
    ])
    const ended = endOf(producer, 'headlight produce')
    const workerGone = endOf(worker, 'headlight worker').then(() => {
      throw new Error(`headlight worker ended: ${said()}`)
    })
    // Whoever is killed at the end has nobody who waits for it any more.
    for (const promise of [ended, workerGone]) promise.catch(() => undefined)
    const seen: Seen[] = []
    let metrics = ''
    const watching = setInterval(() => {
      void fetch(`http://127.0.0.1:${port}/metrics`)
        .then((answer) => answer.text())
        .then((text) => {
          metrics = text
          const computed = sumOf(text, 'headlight_images_computed_total')
          if (computed > (seen.at(-1)?.computed ?? 0)) seen.push({ atMs: performance.now(), computed })
          o.onComputed?.(computed, worker)
        })
        // Not up yet.
        .catch(() => undefined)
    }, 100)
    const timeUp = new Promise<null>((resolve) => deadline.addEventListener('abort', () => resolve(null)))
    try {
      const printed = await Promise.race([ended, workerGone, timeUp])
      const computed = seen.at(-1)?.computed ?? 0
      const steady = steadyPart(seen)
      if (printed === null && !Number.isFinite(steady.imagesPerSecond)) {
        throw new Error(
          `${computed} of ${o.images} images within ${o.seconds.toFixed(0)} s; the worker said last: ${said()}`,
        )
      }
      const summary = printed === null ? null : summarySchema.parse(JSON.parse(printed))
      const samples = card.samples.filter(({ atMs }) => atMs >= steady.fromMs && atMs <= steady.toMs)
      return {
        steadyImagesPerSecond: steady.imagesPerSecond,
        computed,
        busyPercent: mean(samples.map(({ busyPercent }) => busyPercent)),
        usedMb: mean(samples.map(({ usedMb }) => usedMb)),
        stageSeconds: stageSecondsOf(metrics),
        unitDeaths: sumOf(metrics, 'headlight_unit_deaths_total'),
        summary,
        seconds: (performance.now() - startedAt) / 1000,
      }
    } finally {
      clearInterval(watching)
    }
  } finally {
    card.stop()
    for (const child of children) child.kill('SIGKILL')
    await redis.release()
    // Thousands of maps: the next run is to find the disk as this one did.
    for (const folder of [dataset, output]) rmSync(folder, { recursive: true, force: true, maxRetries: 10 })
  }
}

/** Null where there is nothing: a part of a GPU (MIG) tells nothing of its own. */
function mean(values: readonly number[]): number | null {
  const known = values.filter(Number.isFinite)
  return known.length === 0 ? null : known.reduce((total, value) => total + value, 0) / known.length
}

const summarySchema = z.object({
  counts: z.record(z.string(), z.number()),
  failures: z.record(z.string(), z.number()),
  imagesPerSecond: z.number().nullable(),
})

/** Processes of a worker that compute. */
export function unitsOf(worker: ChildProcess): number[] {
  return readdirSync('/proc')
    .map(Number)
    .filter(
      (pid) =>
        Number.isInteger(pid) && parentOf(pid) === worker.pid && readProc(`/proc/${pid}/cmdline`).includes('unit/unit'),
    )
}

interface Seen {
  readonly atMs: number
  readonly computed: number
}

function steadyPart(seen: readonly Seen[]): { fromMs: number; toMs: number; imagesPerSecond: number } {
  const images = seen.at(-1)?.computed ?? 0
  const from = seen.find(({ computed }) => computed >= images / 7)
  const to = seen.findLast(({ computed }) => computed <= (images * 6) / 7) ?? seen.at(-1)
  if (from === undefined || to === undefined || to.atMs <= from.atMs)
    return { fromMs: 0, toMs: Infinity, imagesPerSecond: NaN }
  const imagesPerSecond = ((to.computed - from.computed) * 1000) / (to.atMs - from.atMs)
  return { fromMs: from.atMs, toMs: to.atMs, imagesPerSecond }
}

/** Of a metric in Prometheus' text form, all its labels together. */
function sumOf(metrics: string, name: string): number {
  return [...metrics.matchAll(new RegExp(`^${name}(?:\\{[^}]*\\})? (\\S+)$`, 'gm'))].reduce(
    (total, [, value]) => total + Number(value),
    0,
  )
}

function stageSecondsOf(metrics: string): Record<string, number> {
  const found = metrics.matchAll(/^headlight_stage_seconds_sum\{[^}]*stage="(\w+)"[^}]*\} (\S+)$/gm)
  return Object.fromEntries([...found].map(([, stage, seconds]) => [stage, Number(seconds)]))
}

function lastWordsOf(child: ChildProcess): () => string {
  let tail = ''
  for (const stream of [child.stdout, child.stderr]) {
    stream?.on('data', (chunk: Buffer) => (tail = (tail + chunk.toString()).slice(-3_000)))
  }
  return () => tail.trim().split('\n').slice(-2).join(' / ')
}

/** What it printed, once it has ended well. */
function endOf(child: ChildProcess, name: string): Promise<string> {
  let printed = ''
  let said = ''
  child.stdout?.on('data', (chunk: Buffer) => (printed += chunk.toString()))
  child.stderr?.on('data', (chunk: Buffer) => (said = (said + chunk.toString()).slice(-2_000)))
  return new Promise((resolve, reject) => {
    child.once('error', reject)
    child.once('close', (code) => {
      if (code === 0) resolve(printed)
      else reject(new Error(`${name} ended with code ${code}: ${said.trim().split('\n').at(-1) ?? ''}`))
    })
  })
}
