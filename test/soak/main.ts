/**
 * `npm run test:soak [-- --images 100000 --seed N --interval-seconds 30 --live-heap]`: one long run over small images with the tiny
 * network, during which producer, a worker, its unit and Redis (now and then with its data) are killed again and again.
 * Afterwards every image must have exactly one record, and the memory of every kind of process must have stayed level.
 * The second worker and its unit go through all of it unharmed, since only a long life shows a slow leak. With an interval
 * of 0 nothing is killed. `--live-heap` collects garbage all the time and also measures what is left: only a leak grows then.
 */
import { existsSync, readFileSync } from 'node:fs'
import { mkdir, mkdtemp, readdir, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { openStore } from '../../src/storage/open.ts'
import { Program, RedisServer } from '../kill/programs.ts'
import { Random } from '../kill/random.ts'
import { readResults } from '../kill/results.ts'
import { searchPathWithRedis } from '../support/redis.ts'
import { makeImages, makeNetwork } from './material.ts'
import { MemoryWatch } from './memoryWatch.ts'

const { values } = parseArgs({
  options: {
    images: { type: 'string', default: '100000' },
    seed: { type: 'string', default: '1' },
    'interval-seconds': { type: 'string', default: '30' },
    'live-heap': { type: 'boolean', default: false },
  },
})
const images = Number(values.images)
const random = new Random(Number(values.seed))
const intervalMs = Number(values['interval-seconds']) * 1000
if (![images, Number(values.seed), intervalMs].every(Number.isFinite)) throw new Error('options are numbers')

const sampleMs = 2_000
/** A program that starts while Redis is away says so and ends; its service manager would start it again. */
const borneCodes = ['no-redis', 'queue-lost']

const say = (line: string): void => void process.stdout.write(`${line}\n`)
const folder = await mkdtemp(join(tmpdir(), 'headlight-soak-'))
const redis = new RedisServer(folder)
const programs: Program[] = []
try {
  say(`${images} images in ${folder}`)
  await makeImages(join(folder, 'images'), images)
  const network = await makeNetwork(folder)
  await redis.start()
  const heaps = join(folder, 'heaps')
  await mkdir(heaps)
  const liveHeap = {
    NODE_OPTIONS: `--import ${new URL('liveHeap.mjs', import.meta.url).href}`,
    HEADLIGHT_LIVE_HEAPS: heaps,
  }
  const folders = { XDG_STATE_HOME: folder, XDG_CACHE_HOME: folder }
  const environment = { PATH: await searchPathWithRedis(), ...folders, ...(values['live-heap'] ? liveHeap : {}) }
  const queue = ['--redis', redis.url]
  const data = ['--dataset', join(folder, 'images'), '--output', join(folder, 'out'), '--network', network]
  const produce = new Program('produce', ['produce', '--json', ...data, ...queue], environment)
  const worker = (name: string) => new Program(name, ['worker', '--json', '--units', '1', ...queue], environment)
  const [victim, spared] = [worker('worker 1'), worker('worker 2')]
  programs.push(produce, victim, spared)

  const alive = () => [
    { kind: 'producer', pids: [produce.pid] },
    { kind: 'supervisor, killed', pids: [victim.pid] },
    { kind: 'unit, killed', pids: victim.units() },
    { kind: 'supervisor, spared', pids: [spared.pid] },
    { kind: 'unit, spared', pids: spared.units() },
    { kind: 'Redis', pids: [redis.pid] },
  ]
  const memory = new MemoryWatch(alive)
  const live = new MemoryWatch(alive, (pid) => {
    const file = join(heaps, String(pid))
    return existsSync(file) ? Number(readFileSync(file, 'utf8')) || undefined : undefined
  })
  const killed: Record<string, number> = {}
  const kill = async (what: string, action: () => Promise<void>): Promise<void> => {
    killed[what] = (killed[what] ?? 0) + 1
    await action()
  }
  const strike = async (): Promise<void> => {
    const pauseMs = random.between(0, 2_000)
    const again = (program: Program) => async () => {
      await program.kill()
      await sleep(pauseMs)
      program.start()
    }
    const redisAgain = (withData: boolean) => async () => {
      await redis.kill()
      if (withData) await redis.deleteData()
      await sleep(pauseMs)
      await redis.start()
    }
    switch (random.pick(['producer', 'worker', 'worker', 'unit', 'unit', 'unit', 'Redis', 'Redis and its data'])) {
      case 'producer':
        return kill('producer', again(produce))
      case 'worker':
        return kill('worker', again(victim))
      case 'unit':
        return kill('unit', async () => {
          const [pid] = victim.units()
          if (pid !== undefined) process.kill(pid, 'SIGKILL')
        })
      case 'Redis':
        return kill('Redis', redisAgain(false))
      default:
        return kill('Redis and its data', redisAgain(true))
    }
  }

  const began = performance.now()
  for (const program of programs) program.start()
  let nextBlow = performance.now() + intervalMs
  let exits = 0
  let said = performance.now()
  while (produce.ended?.code !== 0) {
    await sleep(sampleMs)
    memory.look()
    live.look()
    for (const program of programs) {
      const { ended } = program
      if (ended === undefined || (program === produce && ended.code === 0)) continue
      const code = /"error":\s*\{\s*"code":\s*"([^"]+)"/.exec(ended.output)?.[1] ?? ''
      if (!borneCodes.includes(code)) throw new Error(`${program.name} ended with ${ended.code}: ${ended.output}`)
      exits++
      program.start()
    }
    if (intervalMs > 0 && performance.now() > nextBlow) {
      await strike()
      nextBlow = performance.now() + random.between(0.5, 1.5) * intervalMs
    }
    if (performance.now() - said > 60_000) {
      said = performance.now()
      say(`${((said - began) / 60_000).toFixed(0)} min: ${JSON.stringify(killed)}`)
    }
  }
  const minutes = (performance.now() - began) / 60_000

  /** What the producer holds while it writes the table is another matter than what it gathers while it waits. */
  const lastCommit = async (): Promise<number> => {
    const records = (await readdir(join(folder, 'out'), { recursive: true })).filter((name) =>
      name.endsWith('/records'),
    )
    const times = await Promise.all(records.map(async (name) => (await stat(join(folder, 'out', name))).mtimeMs))
    return Math.max(...times)
  }

  const output = openStore(join(folder, 'out'))
  await readResults(output, images)
  output.close()
  say(`${images} images in ${minutes.toFixed(1)} min: 0 lost, 0 double`)
  const blows = Object.entries(killed).map(([what, n]) => `${what} ${n}`)
  say(`killed: ${blows.length === 0 ? 'nothing' : blows.join(', ')}; ended without Redis: ${exits}`)
  const until = await lastCommit()
  for (const [what, watch] of [
    ['memory', memory],
    ['live heap', live],
  ] as const) {
    for (const { kind, lives, peakMb, slopeMbPerHour, errorMbPerHour } of watch.slopes(until)) {
      const slope = Number.isFinite(slopeMbPerHour)
        ? `${slopeMbPerHour.toFixed(1)} ± ${errorMbPerHour.toFixed(1)} MB an hour`
        : 'too short a life for a slope'
      say(`${what} of ${kind}: ${slope}, at most ${peakMb.toFixed(0)} MB, ${lives} processes`)
    }
  }
} finally {
  await Promise.all(programs.map((program) => program.kill()))
  await redis.kill()
  await rm(folder, { recursive: true, force: true, maxRetries: 20, retryDelay: 500 })
}
