import { readdirSync, readFileSync } from 'node:fs'
import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { layout } from '../../src/output/layout.ts'
import type { Store } from '../../src/storage/store.ts'
import { processRuns, searchPathWithRedis } from '../support/redis.ts'
import { apply, plannedChanges, replacements, type Change } from './changes.ts'
import { FailoverPair } from './failover.ts'
import { imageCount, shardCount, shardSize, type Place } from './place.ts'
import { Program, RedisServer, type QueueServer } from './programs.ts'
import { Random } from './random.ts'
import { checkKept, differences, publishedRun, readResults, readState, type Results } from './results.ts'
import { mayBeBorne, readersOf } from './unread.ts'

export interface Round {
  readonly seed: number
  readonly store: 'folder' | 's3'
  /** `together`: `run` with a private Redis. `apart`: `produce` beside two `worker`s and a Redis of their own. */
  readonly programs: 'together' | 'apart'
  /** Of programs apart. With the others it fails over in the middle of the round, once or twice. */
  readonly redis: 'alone' | 'proxy' | 'sentinel'
  /** Whether the dataset gains and loses images meanwhile. */
  readonly isChanging: boolean
  /** Whether its runs keep one run whole and are killed while they remove what older ones hold. Only of changing ones. */
  readonly isKeeping: boolean
  /** Whether the outputs of the programs are closed early. */
  readonly isUnread: boolean
}

/** Seeds that follow each other go through all kinds of rounds. */
export function roundOf(seed: number): Round {
  const isApart = (seed >> 1) % 2 === 1
  // Every third of those apart, counted from 0.
  const kind = (['alone', 'proxy', 'sentinel'] as const)[(2 * (seed >> 2) + (seed % 2)) % 3]
  return {
    seed,
    store: seed % 2 === 0 ? 'folder' : 's3',
    programs: isApart ? 'apart' : 'together',
    redis: isApart ? (kind ?? 'alone') : 'alone',
    isChanging: (seed >> 2) % 2 === 1,
    isKeeping: (seed >> 2) % 4 === 3,
    isUnread: seed % 3 === 0,
  }
}

/** How often a store that keeps failing, or a Redis that is away at the start, may end a program; it is started again. */
const exitsBorne = 8

export interface Quiet {
  readonly results: Results
  /** What is long on this machine at this hour. */
  readonly tookMs: number
}

/** What is long, where no quiet run says it. */
const assumedMs = 15_000

/** A run that nobody disturbs: what rounds at this place must equal, byte for byte, whose dataset stays. */
export async function quietRun(place: Place): Promise<Quiet> {
  await place.fill(place.dataset)
  const began = performance.now()
  await runQuietly(place, runArguments(place, place.dataset, place.output('quiet'), 2), 'quiet')
  return { results: await resultsOf(place, 'quiet'), tookMs: performance.now() - began }
}

async function runQuietly(place: Place, args: readonly string[], output: string): Promise<void> {
  place.become('calm')
  const run = new Program('run', args, await environmentOf(place, output))
  run.start()
  while (run.ended === undefined) await sleep(50)
  if (run.ended.code !== 0) throw new Error(`the quiet run ended with ${run.ended.code}: ${run.ended.output}`)
}

/**
 * One run with everything that happens to it. Raises an error that tells what happened, and when, if it does not come
 * to its end or to other bytes than the quiet run. Returns the story.
 *
 * @param quiet null: the dataset changes, so that the run is held against a fresh one
 */
export async function disturbedRun(place: Place, round: Round, quiet: Quiet | null): Promise<string[]> {
  const disturbance = new Disturbance(place, round, quiet?.tookMs ?? assumedMs)
  try {
    await disturbance.play()
    await disturbance.close()
    const different =
      quiet === null
        ? await differencesAfterClosing(place, round, disturbance)
        : differences(quiet.results, await resultsOf(place, disturbance.name))
    if (different.length > 0) throw new Error(`not as in the quiet run: ${different.slice(0, 20).join(', ')}`)
    return disturbance.story
  } catch (error) {
    const said = disturbance.programs.map(({ name, output }) => `--- ${name}\n${output.slice(-3_000)}`)
    const told = [String(error), ...disturbance.story, ...said].join('\n')
    throw new Error(`round ${round.seed} (${round.store}, ${round.programs}): ${told}`, { cause: error })
  } finally {
    await disturbance.close()
  }
}

/** A run that nobody disturbs closes what the dataset's changes left open; then all must be as after a fresh run. */
async function differencesAfterClosing(place: Place, round: Round, disturbance: Disturbance): Promise<string[]> {
  const { name, dataset } = disturbance
  // One unit: the start of a second takes longer than what it would compute.
  const args = [...runArguments(place, dataset, place.output(name), 1), ...keeping(round)]
  if (round.isKeeping) disturbance.story.push(await killedWhileRemoving(place, round, disturbance, args))
  await runQuietly(place, args, name)
  if (round.isKeeping) await inStore(place, place.output(name), checkKept)
  const fresh = `${name}-fresh`
  await runQuietly(place, runArguments(place, dataset, place.output(fresh), 1), fresh)
  const images = place.open(dataset)
  const keys = new Set<string>()
  for await (const { key } of images.list()) keys.add(key)
  images.close()
  const state = (output: string): Promise<Results> =>
    inStore(place, place.output(output), (store) => readState(store, keys.size))
  const isOfGone = (found: string): boolean =>
    found.startsWith('maps/') && !keys.has(found.replace(/^maps\/[^/]+\//, ''))
  return differences(await state(fresh), await state(name)).filter((found) => !isOfGone(found))
}

/** The closing run, over some more images that were replaced, killed as soon as something of the run before it has been removed. */
async function killedWhileRemoving(
  place: Place,
  { seed }: Round,
  { name, dataset }: Disturbance,
  args: readonly string[],
): Promise<string> {
  for (const change of replacements(new Random(seed + 4_000_000)))
    await inStore(place, dataset, (images) => apply(change, images))
  return inStore(place, place.output(name), async (output) => {
    const { set, run } = await publishedRun(output)
    const program = new Program('run', args, await environmentOf(place, name))
    place.become('troubled')
    program.start()
    const isRemoving = async (): Promise<boolean> =>
      (await output.head(layout.runTable(set, run)).catch(() => true)) === undefined
    while (program.ended === undefined && !(await isRemoving())) await sleep(2)
    const how = program.ended === undefined ? 'was killed while it removed' : 'was not killed: it had removed'
    await program.kill()
    return `a run ${how} what ${run} held`
  })
}

const keeping = ({ isKeeping }: Round): string[] => (isKeeping ? ['--keep-runs', '1'] : [])

type Blow = 'main' | 'worker' | 'unit' | 'redis' | 'redis-data' | 'freeze' | 'drain' | 'outage' | 'failover'

/** Twice where it is common. */
const blows: Readonly<Record<Round['programs'], readonly [Blow, ...Blow[]]>> = {
  together: ['main', 'main', 'unit', 'unit', 'redis', 'redis-data', 'freeze', 'outage'],
  apart: ['main', 'main', 'worker', 'worker', 'unit', 'unit', 'redis', 'redis-data', 'freeze', 'drain', 'outage'],
}

class Disturbance {
  readonly name: string
  readonly story: string[] = []
  readonly programs: Program[] = []
  readonly dataset: string
  readonly #changes: Change[]
  readonly #place: Place
  readonly #round: Round
  readonly #random: Random
  readonly #readsFor: () => number
  readonly #quietMs: number
  readonly #began = performance.now()
  #redis: QueueServer | undefined
  #pair: FailoverPair | undefined
  #redisDownAt = -Infinity
  #exits = 0
  #pending: Promise<void>[] = []
  readonly #units = new Set<number>()
  #notedUnitsAt = -Infinity
  readonly #drained = new Set<Program>()
  #isOver = false
  #isEnded = false

  constructor(place: Place, round: Round, quietMs: number) {
    this.name = `round${round.seed}`
    this.#place = place
    this.#round = round
    this.#random = new Random(round.seed)
    this.#readsFor = round.isUnread ? readersOf(new Random(round.seed + 2_000_000)) : () => Infinity
    this.#quietMs = quietMs
    this.dataset = round.isChanging ? place.ownDataset(this.name) : place.dataset
    // Chance of its own, so that a seed's blows stay the same.
    this.#changes = round.isChanging ? plannedChanges(new Random(round.seed + 1_000_000)) : []
  }

  async play(): Promise<void> {
    const { programs, isChanging } = this.#round
    if (isChanging) await this.#place.fill(this.dataset)
    const [main, ...workers] = programs === 'together' ? await this.#together() : await this.#apart()
    if (this.#place.kind === 's3') this.#place.become('troubled')
    for (const program of this.programs) program.start()
    const changing = this.#change()
    changing.catch(() => undefined)
    // Sorted, so that they are spread over the whole run; the last may come when all is computed, or over.
    const moments = Array.from({ length: this.#random.integer(4, 7) }, () => this.#random.between(0, 1.15)).sort(
      (a, b) => a - b,
    )
    const plan: { share: number; blow: Blow; after: number; limitMs: number }[] = moments.map((share) => ({
      share,
      blow: this.#random.pick(blows[programs]),
      after: this.#random.between(0, 300),
      limitMs: this.#random.between(0.3, 0.9) * this.#quietMs,
    }))
    if (this.#pair !== undefined) {
      const chance = new Random(this.#round.seed + 3_000_000)
      for (let i = chance.integer(1, 2); i > 0; i--) {
        plan.push({ share: chance.between(0.05, 0.9), blow: 'failover', after: 0, limitMs: this.#quietMs })
      }
      plan.sort((a, b) => a.share - b.share)
    }
    for (const { share, blow, after, limitMs } of plan) {
      await this.#until(() => this.#share() >= share, limitMs)
      await this.#until(() => false, after)
      if (main.ended?.code === 0) break
      this.#strike(blow, main, workers)
    }
    await Promise.all(this.#pending)
    await this.#until(() => main.ended?.code === 0, Infinity)
    this.#tell('ended')
    this.#isEnded = true
    await changing
  }

  /** Ends what is left, and looks that nothing stays behind. */
  async close(): Promise<void> {
    if (this.#isOver) return
    this.#isOver = true
    this.#place.become('calm')
    await Promise.allSettled(this.#pending)
    await Promise.all(this.programs.map((program) => program.kill()))
    await this.#redis?.stop()
    const deadline = performance.now() + 10_000
    const left = (): number[] => [...this.#units].filter(processRuns)
    while (left().length > 0 && performance.now() < deadline) await sleep(50)
    const units = left()
    for (const pid of units) process.kill(pid, 'SIGKILL')
    const redis = this.#privateRedis()
    if (redis !== undefined && processRuns(redis)) process.kill(redis, 'SIGKILL')
    else if (units.length === 0) return
    throw new Error(`processes stayed behind: ${units.length} units, Redis ${redis ?? 'none'}`)
  }

  /** Those that the run was too fast for come after it. */
  async #change(): Promise<void> {
    const dataset = this.#place.open(this.dataset)
    try {
      for (const change of this.#changes) {
        while (this.#share() < change.share && !this.#isEnded && !this.#isOver) await sleep(50)
        if (this.#isOver) return
        this.#tell(await apply(change, dataset))
      }
    } finally {
      dataset.close()
    }
  }

  async #together(): Promise<[Program]> {
    const run = new Program('run', this.#arguments(), await environmentOf(this.#place, this.name), this.#readsFor)
    this.programs.push(run)
    return [run]
  }

  async #apart(): Promise<[Program, ...Program[]]> {
    const environment = await environmentOf(this.#place, this.name)
    const { redis: kind } = this.#round
    const folder = this.#place.scratch(this.name)
    if (kind !== 'alone') this.#pair = await FailoverPair.begin(folder, kind)
    this.#redis = this.#pair ?? new RedisServer(folder)
    if (kind === 'alone') await this.#redis.start()
    const redis = ['--redis', this.#redis.url]
    const produce = new Program(
      'produce',
      ['produce', ...this.#arguments().slice(1), ...redis],
      environment,
      this.#readsFor,
    )
    const worker = (name: string): Program =>
      new Program(name, ['worker', '--json', ...redis, '--units', '1'], environment, this.#readsFor)
    this.programs.push(produce, worker('worker 1'), worker('worker 2'))
    return [produce, ...this.programs.slice(1)]
  }

  #arguments(): string[] {
    const args = runArguments(this.#place, this.dataset, this.#place.output(this.name), 2)
    return [...(this.#round.programs === 'together' ? args : args.slice(0, -2)), ...keeping(this.#round)]
  }

  #strike(blow: Blow, main: Program, workers: readonly Program[]): void {
    const random = this.#random
    const computing = workers.length === 0 ? [main] : workers
    const victim = computing[random.integer(0, computing.length - 1)] ?? main
    const pauseMs = random.between(0, 2_000)
    switch (blow) {
      case 'main':
        return this.#later(() => this.#killAndRestart(main, pauseMs))
      case 'worker':
        return this.#later(() => this.#killAndRestart(victim, pauseMs))
      case 'unit': {
        const unit = victim.units()[0]
        this.#tell(`a unit of ${victim.name} (${unit ?? 'which has none'}) is killed`)
        if (unit !== undefined) process.kill(unit, 'SIGKILL')
        return
      }
      case 'redis':
      case 'redis-data':
        return this.#later(() => this.#killRedis(blow === 'redis-data', pauseMs))
      case 'freeze':
        return this.#later(() => this.#freeze(victim, 1_000 + 2 * pauseMs))
      case 'drain':
        this.#tell(`${victim.name} is told to stop`)
        this.#drained.add(victim)
        victim.signal('SIGTERM')
        return
      case 'failover':
        return this.#later(() => this.#failOver(pauseMs))
      case 'outage':
        if (this.#place.kind === 's3') this.#later(() => this.#outage(pauseMs))
    }
  }

  async #killAndRestart(program: Program, pauseMs: number): Promise<void> {
    if (program.pid === undefined) return
    this.#noteUnits()
    this.#tell(`${program.name} is killed, and back in ${Math.round(pauseMs)} ms`)
    await program.kill()
    await sleep(pauseMs)
    if (!this.#isOver && program.pid === undefined) program.start()
  }

  async #killRedis(withData: boolean, pauseMs: number): Promise<void> {
    const how = withData ? 'is killed and its data deleted' : 'is killed'
    this.#redisDownAt = performance.now()
    if (this.#redis !== undefined) {
      // Another blow has it down, and starts it again: two servers on one folder would be no Redis that anyone runs.
      if (this.#redis.pid === undefined) return
      this.#tell(`Redis ${how}, and back in ${Math.round(pauseMs)} ms`)
      await this.#redis.kill()
      if (withData) await this.#redis.deleteData()
      await sleep(pauseMs)
      if (!this.#isOver) await this.#redis.start()
      this.#redisDownAt = performance.now()
      return
    }
    const pid = this.#privateRedis()
    this.#tell(`the private Redis (${pid ?? 'which does not run'}) ${how}`)
    if (pid === undefined) return
    // The file stays open in the dying server; the next one finds none.
    if (withData) await rm(join(this.#privateFolder() ?? '', 'data'), { recursive: true, force: true })
    try {
      process.kill(pid, 'SIGKILL')
    } catch {
      // It has ended by itself.
    }
  }

  async #failOver(followsAfterMs: number): Promise<void> {
    this.#redisDownAt = performance.now()
    this.#tell((await this.#pair?.failOver(followsAfterMs)) ?? 'no pair')
    this.#redisDownAt = performance.now()
  }

  async #freeze(program: Program, ms: number): Promise<void> {
    this.#tell(`${program.name} is frozen for ${Math.round(ms)} ms`)
    const { pid } = program
    program.signal('SIGSTOP')
    await sleep(ms)
    if (program.pid === pid) program.signal('SIGCONT')
  }

  async #outage(ms: number): Promise<void> {
    this.#tell(`the store is out for ${Math.round(ms)} ms`)
    this.#place.become('out')
    await sleep(ms)
    if (!this.#isOver) this.#place.become('troubled')
  }

  /** Lets time pass, and starts again what has ended by itself where that is nobody's fault. */
  async #until(condition: () => boolean, limitMs: number): Promise<void> {
    const deadline = performance.now() + limitMs
    while (!condition() && performance.now() < deadline) {
      if (performance.now() - this.#began > 60_000 + 15 * this.#quietMs)
        throw new Error('the round does not come to its end')
      await sleep(50)
      this.#noteUnits()
      for (const program of this.programs) this.#look(program)
    }
  }

  #look(program: Program): void {
    const { ended } = program
    const isMain = program === this.programs[0]
    if (ended === undefined || (isMain && ended.code === 0)) return
    const code = /"error":\s*\{\s*"code":\s*"([^"]+)"/.exec(ended.output)?.[1] ?? ''
    const wasRedisAway = performance.now() - this.#redisDownAt < 20_000
    const isBorne =
      // Told to stop; by the signal itself when that came before the program could listen.
      (this.#drained.has(program) && (ended.code === 0 || ended.code === null)) ||
      (this.#place.kind === 's3' && ['store-busy', 'store-gone', 'unreachable'].includes(code)) ||
      (wasRedisAway && ['no-redis', 'queue-lost'].includes(code)) ||
      (this.#round.isUnread && mayBeBorne(ended.code, wasRedisAway || this.#place.kind === 's3'))
    this.#tell(`${program.name} ended by itself with ${ended.code}: ${ended.output.trim().split('\n').at(-1)}`)
    if (!this.#drained.delete(program)) this.#exits++
    if (!isBorne || this.#exits > exitsBorne) throw new Error(`${program.name} ended with ${ended.code}`)
    program.start()
  }

  #later(action: () => Promise<void>): void {
    const done = action()
    this.#pending.push(done)
    // Looked at when all are waited for.
    done.catch(() => undefined)
  }

  #noteUnits(): void {
    // Looking through all processes takes longer than a blow.
    if (performance.now() - this.#notedUnitsAt < 500) return
    this.#notedUnitsAt = performance.now()
    for (const program of this.programs) for (const pid of program.units()) this.#units.add(pid)
  }

  /** Shards done of all. */
  #share(): number {
    return this.#place.committed(this.name) / shardCount
  }

  #privateFolder(): string | undefined {
    try {
      const all = join(this.#place.scratch(this.name), 'headlight', 'redis')
      return readdirSync(all).map((name) => join(all, name))[0]
    } catch {
      return undefined
    }
  }

  #privateRedis(): number | undefined {
    try {
      return Number(readFileSync(join(this.#privateFolder() ?? '', 'server.pid'), 'utf8'))
    } catch {
      return undefined
    }
  }

  #tell(what: string): void {
    const seconds = ((performance.now() - this.#began) / 1000).toFixed(1)
    this.story.push(`${seconds} s, ${Math.round(this.#share() * 100)} %: ${what}`)
  }
}

function runArguments(place: Place, dataset: string, output: string, units: number): string[] {
  const options = ['--dataset', dataset, '--output', output, '--network', place.network]
  const results = ['--adapter', 'filename', '--objective', 'sum,yaw', '--shard-size', String(shardSize)]
  return ['run', '--json', ...options, ...results, '--units', String(units)]
}

async function environmentOf(place: Place, name: string): Promise<Record<string, string>> {
  const folder = place.scratch(name)
  return {
    ...place.environment,
    PATH: await searchPathWithRedis(),
    XDG_STATE_HOME: folder,
    XDG_CACHE_HOME: folder,
  }
}

async function inStore<T>(place: Place, uri: string, look: (store: Store) => Promise<T>): Promise<T> {
  const store = place.open(uri)
  try {
    return await look(store)
  } finally {
    store.close()
  }
}

function resultsOf(place: Place, output: string): Promise<Results> {
  return inStore(place, place.output(output), (store) => readResults(store, imageCount))
}
