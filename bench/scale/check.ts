import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { readdirSync, readFileSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { availableParallelism, tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { Redis } from 'ioredis'
import { createLogger } from '../../src/base/telemetry.ts'
import { openPrivateRedis } from '../../src/queue/privateRedis.ts'
import { makeImages, makeNetwork } from '../../test/soak/material.ts'
import { median, table } from '../measure.ts'
import { benchNetwork } from '../network.ts'
import { common } from './scenarios.ts'
import { simulate } from './simulation.ts'

const program = fileURLToPath(new URL('../../dist/cli/main.js', import.meta.url))
const rounds = Number(process.env.HEADLIGHT_BENCH_ROUNDS ?? 2)
/** Images that cost milliseconds, and the network that people run; enough of each that starting counts little. */
const cases = [
  { name: 'the tiny network at 32 × 32', images: 6_000, shardSize: 64, network: makeNetwork },
  { name: 'DenseNet-121 at 224 × 224', images: 480, shardSize: 8, network: () => Promise.resolve(benchNetwork().path) },
] as const
type Case = (typeof cases)[number]
const workerCounts = [1, 2, 4]
/** What the producer says as a run's middle begins and ends, without a terminal. */
const phases = ['listing the dataset', 'writing the table and the report']
/** Clock ticks a second that /proc counts processor time in, on every Linux of today. */
const ticksPerS = 100

interface Measured {
  readonly imagesPerS: number
  /** Processor time of workers, producer and Redis together, from the listing to the last shard. */
  readonly cpuSPerImage: number
  readonly redisShardS: number
}

/**
 * Runs 1, 2 and 4 workers of one unit, and holds their rate against the simulation's. Only the run with one worker feeds
 * it. Processors are shared fairly: where one worker, with what its images cost the producer and Redis, keeps `u` cores
 * busy, `w` workers get all they want while `w · u` is at most the number of cores, and are slowed down evenly beyond.
 * `u` may exceed one: a unit decodes and encodes beside its engine.
 */
export async function checkScale(): Promise<string> {
  const reports: string[] = []
  for (const one of cases) reports.push(await checkCase(one))
  return reports.join('\n\n')
}

async function checkCase(one: Case): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'headlight-scale-'))
  const log = createLogger('silent')
  const redis = await openPrivateRedis({
    stateFolder: folder,
    output: 'file:///scale/',
    log,
    searchPath: process.env.PATH ?? '',
  })
  try {
    await makeImages(join(folder, 'images'), one.images)
    const network = await one.network(folder)
    const socket = redis.connection.redis.path ?? ''
    const figures = new Map<number, Measured[]>(workerCounts.map((count) => [count, []]))
    for (let round = 0; round < rounds; round++) {
      for (const count of workerCounts) {
        const output = join(folder, `out-${round}-${count}`)
        const data = ['--dataset', join(folder, 'images'), '--output', output, '--network', network]
        figures.get(count)?.push(await measure(one, { count, data, socket, folder }))
      }
    }
    return report(one, figures)
  } finally {
    await redis.release()
    await rm(folder, { recursive: true, force: true })
  }
}

function report({ name, images, shardSize }: Case, figures: ReadonlyMap<number, readonly Measured[]>): string {
  const of = (count: number, what: keyof Measured): number =>
    median((figures.get(count) ?? []).map((measured) => measured[what]))
  const cores = availableParallelism()
  const imageS = 1 / of(1, 'imagesPerS')
  const share = of(1, 'cpuSPerImage') / imageS
  const rows = workerCounts.map((count) => {
    const slowed = Math.max(1, (count * share) / cores)
    const { imagesPerS } = simulate(
      // What one worker took has all between its shards in it, and no store that limits.
      { ...common, imageS: imageS * slowed, betweenShardsS: 0, leadS: 0, storeGetsPerS: 1e9, storePutsPerS: 1e9 },
      { nodes: count, unitsPerNode: 1, images, shardSize, listings: 1, storePrefixes: 1 },
    )
    const measured = of(count, 'imagesPerS')
    const rates = [imagesPerS, measured].map((rate) => rate.toFixed(rate < 100 ? 1 : 0))
    const cpuMs = of(count, 'cpuSPerImage') * 1000
    return [`${count}`, ...rates, (imagesPerS / measured).toFixed(2), cpuMs.toFixed(cpuMs < 100 ? 1 : 0)]
  })
  const own = `one worker, with its part of producer and Redis, wants ${share.toFixed(2)} cores; Redis ${(of(1, 'redisShardS') * 1000).toFixed(2)} ms a shard`
  return `${name}\n${table([['workers', 'predicted images/s', 'measured', 'ratio', 'processor ms an image'], ...rows])}\n${own}`
}

interface Place {
  readonly count: number
  readonly data: readonly string[]
  readonly socket: string
  readonly folder: string
}

async function measure({ images, shardSize }: Case, { count, data, socket, folder }: Place): Promise<Measured> {
  const queue = ['--redis', `redis+unix://${socket}`]
  const start = (args: readonly string[]): ChildProcess =>
    spawn(process.execPath, [program, ...args, ...queue], {
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { ...process.env, XDG_CACHE_HOME: folder, XDG_STATE_HOME: folder },
    })
  const workers = Array.from({ length: count }, () => start(['worker', '--units', '1']))
  const client = new Redis(socket)
  try {
    await Promise.all(workers.map((worker) => said(worker, 'waiting for shards')))
    const produce = start(['produce', '--shard-size', String(shardSize), ...data])
    const look = async () => ({
      timeS: performance.now() / 1000,
      cpuS: [produce, ...workers].reduce((sum, { pid }) => sum + treeCpuS(pid ?? 0), 0),
      redisS: await redisCpuS(client),
    })
    // Start, table and report are left out of the rate, so of the processor time, too.
    const ended = once(produce, 'close') as Promise<[number | null]>
    const [before, after] = await Promise.all(phases.map((phase) => said(produce, phase).then(look)))
    const [code] = await ended
    if (code !== 0 || before === undefined || after === undefined) throw new Error(`produce ended with ${code}`)
    const redisS = after.redisS - before.redisS
    return {
      imagesPerS: images / (after.timeS - before.timeS),
      cpuSPerImage: (after.cpuS - before.cpuS + redisS) / images,
      redisShardS: redisS / Math.ceil(images / shardSize),
    }
  } finally {
    client.disconnect()
    await Promise.all(
      workers.map(async (worker) => {
        worker.kill('SIGTERM')
        if (worker.exitCode === null) await once(worker, 'close')
      }),
    )
  }
}

function said(child: ChildProcess, text: string): Promise<void> {
  return new Promise((resolve, reject) => {
    let heard = ''
    child.stderr?.on('data', (chunk: Buffer) => {
      heard += chunk.toString()
      if (heard.includes(text)) resolve()
    })
    child.once('close', () => reject(new Error(`a worker ended: ${heard}`)))
  })
}

async function redisCpuS(client: Redis): Promise<number> {
  const info = await client.info('cpu')
  const field = (name: string): number => Number(new RegExp(`^${name}:([\\d.]+)`, 'm').exec(info)?.[1])
  return field('used_cpu_user') + field('used_cpu_sys')
}

/** Of a process and its children: of a worker and its units. */
function treeCpuS(root: number): number {
  const stats = readdirSync('/proc')
    .map(Number)
    .filter((pid) => pid > 0)
    .map((pid) => ({ pid, fields: statOf(pid) }))
  const own = stats.filter(({ pid, fields }) => pid === root || Number(fields[1]) === root)
  return own.reduce((sum, { fields }) => sum + Number(fields[11]) + Number(fields[12]), 0) / ticksPerS
}

/** The fields after the program's name: state, parent and so on. */
function statOf(pid: number): string[] {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  } catch {
    return []
  }
}
