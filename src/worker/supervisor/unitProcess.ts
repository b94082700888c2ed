import { fork, type ChildProcess } from 'node:child_process'
import { fromErrorMessage } from '../../base/errorMessage.ts'
import { PlaceError, TransientError } from '../../base/errors.ts'
import { siblingModule } from '../../base/siblingModule.ts'
import type { Logger } from '../../base/telemetry.ts'
import type { LocalPaths } from '../../output/networkFile.ts'
import { runInLog, type ShardJob } from '../../queue/jobs.ts'
import type { Measured } from '../measurements.ts'
import type { NetworkMemory, OpenedNetwork } from '../networkMemory.ts'
import type { DeathManner } from '../suspicion.ts'
import type {
  MeasuredNetwork,
  ShardDone,
  ShardOrder,
  ShardReport,
  UnitCommand,
  UnitReport,
  UnitSettings,
} from '../unitMessages.ts'
import { UnitWatch } from './unitWatch.ts'

export interface UnitProcessOptions {
  readonly name: string
  readonly settings: UnitSettings
  /** This process's own when undefined. */
  readonly environment: Readonly<Record<string, string | undefined>> | undefined
  /** A unit at work that reports nothing for so long is killed. */
  readonly silenceMs: number
  /** One that does not start, or does not open a network, within this is killed, too. */
  readonly startMs: number
  readonly onMeasured: (measured: Measured) => void
  /** The unit waits for `open()`. */
  readonly onMayOpen: (network: OpenedNetwork) => void
  /** `isOnly`: the unit has compiled it, and has opened no other network before. */
  readonly onMemory: (network: string, memory: NetworkMemory, isOnly: boolean) => void
  readonly onClosed: (network: string) => void
  readonly log: Logger
}

export interface ShardListener {
  /** The shard before has left the engine to this one. */
  readonly onTurn: () => void
  readonly onProgress: (done: { computed: number; failed: number }) => void
  /** Awaited by the unit before it decodes and computes the sample. */
  readonly onAlone: (key: string) => Promise<void>
  /** The sample named last is done. */
  readonly onAloneDone: () => void
}

/** A unit's process is gone, whether at its start or in the middle of a shard. */
export class UnitDeath extends TransientError {
  readonly manner: DeathManner

  constructor(message: string, manner: DeathManner) {
    super('unit-died', message)
    this.manner = manner
  }
}

interface Work extends ShardListener {
  readonly job: ShardJob
  readonly resolve: (done: ShardDone) => void
  readonly reject: (error: unknown) => void
  readonly forget: () => void
  /** Runs once the shard was told to stop. */
  stopTimer: NodeJS.Timeout | undefined
}

/** Whether the shard must stop, and whether it may stay only until it is in somebody's way. */
export interface StopSignals {
  /** The unit stops putting at once; one that does not say so in time is killed. */
  readonly stop: AbortSignal
  /** Not urgent: the shard stops when the unit comes to it. */
  readonly move: AbortSignal
}

/** How long a unit that was told to stop may take; an engine call in flight cannot be broken off. */
const stopGraceMs = 5_000
const outputTailLength = 2_000

/** One child process, from its fork to its death. */
export class UnitProcess {
  readonly name: string
  readonly pid: number | undefined
  /** Resolves when the unit can take a shard; rejects when it died before that, or cannot run its engine. */
  readonly ready: Promise<void>
  /** Resolves, saying why, when the process is gone. */
  readonly death: Promise<string>
  readonly #o: UnitProcessOptions
  readonly #child: ChildProcess
  readonly #works = new Map<number, Work>()
  #orders = 0
  readonly #watch: UnitWatch
  #killedFor: string | undefined
  /** The unit waits for a store. */
  #isWaiting = false
  /** The unit waits for a note of ours. */
  #isNoting = false
  #manner: DeathManner = 'ended'
  /** What the shards hear of instead of the death: no other shard would fare better in another unit. */
  #fault: PlaceError | undefined
  #triedBatch: number | null = null
  #lastJob: ShardJob | undefined
  #outputTail = ''

  constructor(options: UnitProcessOptions) {
    this.#o = options
    this.name = options.name
    // Not detached, so that nobody is left behind; its standard output is kept away from ours, which is for results.
    this.#child = fork(siblingModule(import.meta.url, '../unit/unit'), {
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
      ...(options.environment === undefined ? {} : { env: options.environment }),
    })
    this.pid = this.#child.pid
    for (const stream of [this.#child.stdout, this.#child.stderr])
      stream?.on('data', (chunk: Buffer) => {
        this.#outputTail = (this.#outputTail + chunk.toString()).slice(-outputTailLength)
      })
    this.death = new Promise((resolve) => {
      // 'close' comes when the pipes are drained too, so that the last words are known. A fork that failed has only 'error'.
      this.#child.on('close', (code, signal) => resolve(signal ? `signal ${signal}` : `exit code ${code}`))
      this.#child.on('error', (error) => {
        if (this.#child.pid === undefined) resolve(error.message)
      })
    }).then((how) => this.#died(String(how)))
    this.ready = new Promise((resolve, reject) => {
      this.#child.on('message', (report: UnitReport) => this.#reported(report, { resolve, reject }))
      void this.death.then((why) => reject(new UnitDeath(`unit ${this.name} died at its start: ${why}`, this.#manner)))
    })
    this.ready.catch(() => undefined)
    const { silenceMs, startMs } = options
    this.#watch = new UnitWatch({ silenceMs, startMs, onLate: (phase, complaint) => this.#late(phase, complaint) })
    this.#send({ type: 'start', settings: options.settings })
  }

  /** The batch in whose trial the unit is, or died: memory that is out may end a process instead of raising an error. */
  get triedBatch(): number | null {
    return this.#triedBatch
  }

  /** Of a unit that is dead: the shard that it was at; undefined when there was none. */
  get lastJob(): ShardJob | undefined {
    return this.#lastJob
  }

  get isAlive(): boolean {
    return this.#child.connected && this.#killedFor === undefined
  }

  /**
   * Computes one shard. Rejects with the unit's own error, or with UnitDeath; after either the unit puts nothing more of
   * it. A second shard waits for the first one's last batch.
   */
  compute(order: ShardOrder, listener: ShardListener, { stop, move }: StopSignals): Promise<ShardDone> {
    const shard = ++this.#orders
    return new Promise((resolve, reject) => {
      const stopNow = () => this.#stop(shard, true)
      const stopSometime = () => this.#stop(shard, false)
      stop.addEventListener('abort', stopNow, { once: true })
      move.addEventListener('abort', stopSometime, { once: true })
      if (this.#works.size === 0) {
        this.#isWaiting = false
        this.#isNoting = false
      }
      const forget = () => {
        stop.removeEventListener('abort', stopNow)
        move.removeEventListener('abort', stopSometime)
      }
      this.#works.set(shard, { ...listener, job: order.job, resolve, reject, forget, stopTimer: undefined })
      this.#watch.busy(true)
      this.#send({ type: 'shard', shard, order })
    })
  }

  /** Lets the unit open the network that it asked for. */
  open(): void {
    this.#watch.enter('running')
    this.#send({ type: 'open' })
  }

  /** Has a network opened that lies at `paths`; `onMemory` hears of it, unless the unit dies of it. */
  measure(paths: LocalPaths, set: MeasuredNetwork): void {
    this.#watch.busy(true)
    this.#send({ type: 'measure', paths, set })
  }

  /** Ends the process, if need be by force, and waits until it is gone. */
  async exit(graceMs: number): Promise<void> {
    this.#killedFor ??= 'told to exit'
    this.#manner = 'dismissed'
    this.#send({ type: 'exit' })
    const timer = setTimeout(() => this.#child.kill('SIGKILL'), graceMs)
    await this.death
    clearTimeout(timer)
  }

  /** Ends the process at once; whatever it computes fails with `unit-died`, by no fault of its own. */
  kill(why: string): void {
    this.#manner = 'dismissed'
    this.#kill(why)
  }

  #kill(why: string): void {
    this.#killedFor ??= why
    this.#child.kill('SIGKILL')
  }

  #stop(shard: number, isUrgent: boolean): void {
    const work = this.#works.get(shard)
    if (!work) return
    this.#send({ type: 'stop', shard })
    if (isUrgent) work.stopTimer = setTimeout(() => this.kill('it did not stop a shard in time'), stopGraceMs)
  }

  #reported(report: UnitReport, start: { resolve: () => void; reject: (error: unknown) => void }): void {
    if (this.#killedFor !== undefined) return
    this.#watch.alive()
    switch (report.type) {
      case 'ready':
        this.#watch.enter('running')
        start.resolve()
        break
      case 'unusable': {
        const error = fromErrorMessage(report.error)
        start.reject(error)
        this.#kill(error.message)
        break
      }
      case 'measured':
        this.#o.onMeasured(report.measured)
        break
      case 'waiting':
        this.#isWaiting = report.isWaiting
        break
      case 'mayOpen':
        this.#watch.enter('asking')
        this.#o.onMayOpen(report.network)
        break
      case 'memory':
        this.#o.onMemory(report.network, report.memory, report.isOnly)
        break
      case 'closed':
        this.#o.onClosed(report.network)
        break
      case 'opening':
        this.#triedBatch = report.batch
        this.#watch.enter('opening')
        break
      case 'opened':
        this.#triedBatch = null
        this.#watch.enter('running')
        if (report.how) {
          const { isKept, notes } = report.how
          this.#o.log.debug(
            { unit: this.name, notes },
            isKept ? 'the network was found compiled' : 'the network was compiled',
          )
        }
        break
      case 'turn':
      case 'progress':
      case 'alone':
      case 'done':
      case 'failed':
        this.#shardReported(report)
    }
  }

  #shardReported(report: ShardReport): void {
    const work = this.#works.get(report.shard)
    work?.stopTimer?.refresh()
    this.#watch.progress(report.shard)
    switch (report.type) {
      case 'turn':
        if (work) this.#watch.turn(report.shard)
        work?.onTurn()
        break
      case 'progress':
        work?.onProgress({ computed: report.computed, failed: report.failed })
        break
      case 'alone':
        if (report.key === null) {
          work?.onAloneDone()
          break
        }
        this.#isNoting = true
        // When the note cannot be made the unit waits, falls silent and is killed: never touch a suspect unannounced.
        void work?.onAlone(report.key).then(
          () => {
            this.#isNoting = false
            this.#send({ type: 'noted' })
          },
          (error: unknown) =>
            this.#o.log.warn(
              { unit: this.name, ...(work && runInLog(work.job)), err: error },
              'could not note the suspected sample',
            ),
        )
        break
      case 'done':
        this.#finish(report.shard)?.resolve(report.done)
        break
      case 'failed':
        this.#finish(report.shard)?.reject(fromErrorMessage(report.error))
        break
    }
  }

  #died(how: string): string {
    const why = this.#killedFor ?? how
    const said = this.#outputTail.trim()
    // The first has the engine.
    const [atWork] = this.#works.values()
    this.#lastJob = atWork?.job
    // No image was computed yet, and the next unit leaves that batch out.
    if (this.#triedBatch !== null) this.#manner = 'dismissed'
    for (const shard of this.#works.keys())
      this.#finish(shard)?.reject(this.#fault ?? new UnitDeath(`unit ${this.name} died: ${why}`, this.#manner))
    this.#watch.end()
    return said ? `${why}; it said: ${said}` : why
  }

  #finish(shard: number): Work | undefined {
    const work = this.#works.get(shard)
    this.#works.delete(shard)
    this.#watch.forget(shard)
    if (this.#works.size === 0) this.#watch.busy(false)
    work?.forget()
    clearTimeout(work?.stopTimer)
    return work
  }

  #late(phase: 'starting' | 'running' | 'opening', complaint: string): void {
    // Neither start nor opening looks at any image.
    if (phase !== 'running') this.#manner = 'dismissed'
    else this.#manner = this.#isWaiting || this.#isNoting ? 'waiting' : 'silence'
    if (phase === 'opening') this.#fault = new PlaceError('engine-wrong', `unit ${this.name} was ended: ${complaint}`)
    this.#kill(complaint)
  }

  #send(command: UnitCommand): void {
    // A dead unit takes nothing; its death is what callers hear of.
    if (this.#child.connected) this.#child.send(command, () => undefined)
  }
}
