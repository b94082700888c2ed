import { InputError } from '../../base/errors.ts'
import { settles } from '../../base/settles.ts'
import { withoutPassword, type Logger } from '../../base/telemetry.ts'
import { readFlags } from '../../output/flags.ts'
import { liveHold } from '../../output/hold.ts'
import { openRunState, type OpenRunState } from '../../output/openRunState.ts'
import { readResultSet, resultSetIds, type ResultSet } from '../../output/resultSet.ts'
import { latestRun, readRun, type Run } from '../../output/runs.ts'
import type { QueueConnection } from '../../queue/redisUrl.ts'
import { isSilent, workerStateText, workerStatuses, type WorkerStatus } from '../../queue/workerStatus.ts'
import type { Store } from '../../storage/store.ts'
import type { LiveReply, LiveRun } from '../wire.ts'
import { RunWatch, type LatestImage } from './runWatch.ts'

/** Readers who ask at the same time are told the same. */
const freshMs = 1_000
/** All result sets are asked for new runs, and the runs at work how they are, so often. */
const rediscoverMs = 15_000
/** While workers compute and no run is known: one has begun, or serves another output. */
const rediscoverSoonMs = 4_000
const restateMs = 6_000
/** A Redis that is there answers in milliseconds. */
const redisPatienceMs = 1_500

interface WatchedRun {
  readonly set: ResultSet
  readonly run: Run
  readonly watch: RunWatch
  state: OpenRunState
  statedMs: number
}

export interface LiveOptions {
  readonly output: Store
  readonly onlySet: string | null
  /** The Redis to ask for workers; undefined: there is none now. */
  readonly findRedis: () => Promise<QueueConnection | undefined>
  readonly log: Logger
}

/** What goes on now: runs out of the store, workers out of Redis. Looks only while somebody asks, and reads only. */
export class LiveDesk {
  readonly #options: LiveOptions
  #watched = new Map<string, WatchedRun>()
  #discoveredMs = Number.NEGATIVE_INFINITY
  /** Workers compute, and no run is known. */
  #isRunMissing = false
  #told: { readonly atMs: number; readonly reply: Promise<LiveReply> } | undefined

  constructor(options: LiveOptions) {
    this.#options = options
  }

  /** Raises what the store raises. */
  look(): Promise<LiveReply> {
    const nowMs = performance.now()
    if (this.#told !== undefined && nowMs - this.#told.atMs < freshMs) return this.#told.reply
    // One look at a time: two at once would count what has landed twice.
    const before = this.#told?.reply.catch(() => undefined)
    const reply = (async () => {
      await before
      return this.#looked(performance.now())
    })()
    this.#told = { atMs: nowMs, reply }
    return reply
  }

  /** An image that a run has just computed; undefined when it is none of the last. */
  latest(set: string, run: string, key: string): LatestImage | undefined {
    return this.#watched.get(`${set}/${run}`)?.watch.latest.find((image) => image.key === key)
  }

  async #looked(nowMs: number): Promise<LiveReply> {
    if (nowMs - this.#discoveredMs >= (this.#isRunMissing ? rediscoverSoonMs : rediscoverMs)) {
      await this.#discover()
      this.#discoveredMs = nowMs
    }
    const asked = this.#workers()
    // A store that fails meanwhile is told first; this is then nobody's to hear.
    asked.catch(() => undefined)
    for (const watched of this.#watched.values()) {
      try {
        await watched.watch.look(nowMs)
        await this.#restate(watched, nowMs)
      } catch (error) {
        this.#leaveOut(watched.set.id, error)
      }
    }
    const told = await asked
    this.#isRunMissing =
      this.#watched.size === 0 && told.workers.some(({ imagesPerSecond }) => (imagesPerSecond ?? 0) > 0)
    return {
      at: new Date().toISOString(),
      ...told,
      runs: [...this.#watched.values()].map(liveRun),
    }
  }

  /** Finds the open runs; of a result set only the newest can be. */
  async #discover(): Promise<void> {
    const { output, onlySet } = this.#options
    const found = new Map<string, WatchedRun>()
    for await (const id of onlySet === null ? resultSetIds(output) : [onlySet]) {
      try {
        const run = await latestRun(output, id)
        if (run?.state !== 'open') continue
        const name = `${id}/${run.run}`
        const set = await readResultSet(output, id)
        const known = this.#watched.get(name)
        if (known !== undefined) found.set(name, known)
        else if (set !== undefined) {
          const watch = new RunWatch(output, id, run.run)
          found.set(name, { set, run, watch, state: 'running', statedMs: Number.NEGATIVE_INFINITY })
        }
      } catch (error) {
        this.#leaveOut(id, error)
      }
    }
    this.#watched = found
  }

  /** One result set that cannot be read is no reason to show none. */
  #leaveOut(set: string, error: unknown): void {
    if (!(error instanceof InputError)) throw error
    this.#options.log.debug({ err: error }, `${set} is not looked at`)
  }

  async #restate(watched: WatchedRun, nowMs: number): Promise<void> {
    if (nowMs - watched.statedMs < restateMs) return
    watched.statedMs = nowMs
    const { output } = this.#options
    const { set, run, watch } = watched
    const [now, hold, { paused }] = await Promise.all([
      readRun(output, set.id, run.run),
      liveHold(output, set.id, new Date()),
      readFlags(output, set.id, run.run),
    ])
    if (now?.state !== 'open') {
      this.#watched.delete(`${set.id}/${run.run}`)
      return
    }
    const isBegun = watch.total !== null || watch.done > 0
    watched.state = openRunState(now, { paused, held: hold?.hold.run === run.run, isBegun })
  }

  async #workers(): Promise<Pick<LiveReply, 'redis' | 'isRedisSilent' | 'workers'>> {
    const { findRedis, log } = this.#options
    const connection = await findRedis()
    if (connection === undefined) return { redis: null, isRedisSilent: false, workers: [] }
    const redis = withoutPassword(connection.description)
    const leaving = new AbortController()
    const asked = workerStatuses(connection, log, { strikesOff: false, signal: leaving.signal })
    // A client that looks for its Redis keeps a command waiting for ever, and its connection open.
    if (!(await settles(asked, redisPatienceMs))) {
      leaving.abort()
      return { redis, isRedisSilent: true, workers: [] }
    }
    try {
      return { redis, isRedisSilent: false, workers: (await asked).map(liveWorker) }
    } catch (error) {
      log.debug({ err: error }, 'the workers could not be asked for')
      return { redis, isRedisSilent: true, workers: [] }
    }
  }
}

function liveWorker(worker: WorkerStatus): LiveReply['workers'][number] {
  const { host, pid, version, engine, device, units, imagesPerSecond, lastSignSecondsAgo } = worker
  return {
    host,
    pid,
    version,
    engine,
    device,
    units,
    state: workerStateText(worker),
    imagesPerSecond: isSilent(worker) ? null : imagesPerSecond,
    lastSignSecondsAgo,
  }
}

function liveRun({ set, run, watch, state }: WatchedRun): LiveRun {
  return {
    set: set.id,
    network: set.network.file,
    run: run.run,
    state,
    startedAt: run.startedAt,
    done: watch.done,
    total: watch.total,
    imagesPerSecond: watch.imagesPerSecond,
    read: watch.read,
    failuresByCode: watch.failuresByCode,
    objective: set.options.objectives[0] ?? '',
    latest: watch.latest.map(({ key }) => key),
  }
}
