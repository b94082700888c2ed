import { toErrorMessage } from '../../base/errorMessage.ts'
import { openAdapter } from '../../dataset/adapters.ts'
import type { LocalPaths } from '../../output/networkFile.ts'
import type { ResultSet } from '../../output/resultSet.ts'
import { channelsOf, storedDescription } from '../../saliency/networks/description.ts'
import type { Store } from '../../storage/store.ts'
import { openDataset, openOutput, outputName } from '../endpoints.ts'
import { Measurements } from '../measurements.ts'
import { asPlaceFault, callStore, storeRetries, type StoreCall } from '../storeCall.ts'
import type { MeasuredNetwork, ShardDone, ShardOrder, UnitCommand, UnitReport, UnitSettings } from '../unitMessages.ts'
import { EngineHost } from './engineHost.ts'
import { EngineTurns, type EngineTurn } from './engineTurns.ts'
import { fetchNetwork, networkSize } from './fetchNetwork.ts'
import { localNetwork } from './localNetwork.ts'
import { ManifestSlices } from './manifestSlices.ts'
import { NetworkOpener, type OpenEngine } from './networkOpener.ts'
import { computeShard } from './pipeline.ts'
import { DecodeLimits } from './source.ts'
import { StoreWait } from './storeWait.ts'

// The child process that computes whole shards, one after the other. It never outlives its supervisor.

/** A near store answers faster than it is decoded; a distant one needs many requests on the way. */
const fetchConcurrencies = { file: 4, remote: 16 }
const progressIntervalMs = 500
/** A store that answers within this is not worth a message. */
const mentionedWaitMs = 1_000
/** Networks kept compiled: shards of two runs may come in turns, and a compiled network takes hundreds of megabytes. */
const keptSets = 2

interface OpenSet {
  readonly name: string
  readonly dataset: Store
  readonly output: Store
  engine: Promise<OpenEngine> | undefined
  /** The same once it is open. */
  opened: OpenEngine | undefined
  /** Shards at work on it. */
  users: number
}

interface Shard {
  readonly id: number
  readonly order: ShardOrder
  readonly stop: AbortController
  readonly turn: EngineTurn
  lastProgressAt: number
}

class Unit {
  readonly #settings: UnitSettings
  readonly #host = new EngineHost((error) => {
    process.stderr.write(`${error.stack ?? error.message}\n`)
    process.exit(1)
  })
  readonly #opener: NetworkOpener
  readonly #slices = new ManifestSlices()
  readonly #sets = new Map<string, OpenSet>()
  readonly #measurements = new Measurements()
  readonly #waiting = new StoreWait((isWaiting) => send({ type: 'waiting', isWaiting }), mentionedWaitMs)
  readonly #turns = new EngineTurns()
  readonly #decodeLimits = new DecodeLimits()
  readonly #shards = new Map<number, Shard>()
  #noted: () => void = () => undefined

  constructor(settings: UnitSettings) {
    this.#settings = settings
    this.#opener = new NetworkOpener(this.#host, settings, send)
  }

  async start(): Promise<void> {
    try {
      await this.#host.find(this.#settings.engine, this.#settings.enginesFolder)
      send({ type: 'ready' })
    } catch (error) {
      send({ type: 'unusable', error: toErrorMessage(error) })
    }
  }

  async shard(id: number, order: ShardOrder): Promise<void> {
    const shard = { id, order, stop: new AbortController(), turn: this.#turns.take(), lastProgressAt: 0 }
    this.#shards.set(id, shard)
    try {
      const done = await this.#compute(shard)
      this.#measured()
      send({ type: 'done', shard: id, done })
    } catch (error) {
      this.#measured()
      send({ type: 'failed', shard: id, error: toErrorMessage(asPlaceFault(error)) })
    } finally {
      this.#shards.delete(id)
      shard.turn.pass()
    }
  }

  stop(id: number): void {
    this.#shards.get(id)?.stop.abort(new Error('the supervisor stopped the shard'))
  }

  noted(): void {
    this.#noted()
  }

  async measure(paths: LocalPaths, set: MeasuredNetwork): Promise<void> {
    try {
      const { engine } = await this.#opener.open(paths.network, set, localNetwork(paths))
      const { width, height, channels } = storedDescription(set.network.description).input
      await engine.explain([new Uint8Array(channelsOf(channels) * width * height)])
    } catch (error) {
      send({ type: 'unusable', error: toErrorMessage(error) })
    }
  }

  mayOpen(): void {
    this.#opener.permitted()
  }

  async #compute(shard: Shard): Promise<ShardDone> {
    const open = this.#open(shard.order)
    open.users++
    try {
      await this.#makeRoom()
      return await this.#computeWith(open, shard)
    } finally {
      open.users--
      // None of its images may have come to the engine.
      open.opened?.measure()
    }
  }

  async #computeWith(open: OpenSet, shard: Shard): Promise<ShardDone> {
    const { id, stop, turn } = shard
    const { job, set, lastAttempt, alone } = shard.order
    const { dataset, output } = open
    const fetchConcurrency =
      this.#settings.fetchConcurrency ?? fetchConcurrencies[dataset.uri.startsWith('file:') ? 'file' : 'remote']
    const { written, computed, failed, engine, engineMs } = await computeShard({
      job,
      set,
      description: storedDescription(set.network.description),
      dataset,
      output,
      adapter: openAdapter(set.options.adapter),
      engine: async () => (await (open.engine ??= this.#openEngine(open, set, shard))).engine,
      entries: () => callStore(this.#storeCall(shard, stop.signal), () => this.#slices.read(output, job)),
      fetchConcurrency,
      decodeLimits: this.#decodeLimits,
      turn,
      retries: storeRetries,
      lastAttempt,
      alone: alone && {
        convicted: new Map(Object.entries(alone.convicted)),
        announce: (key) => this.#announce(shard, key),
        clear: () => send({ type: 'alone', shard: id, key: null }),
      },
      signal: stop.signal,
      measurements: this.#measurements,
      onTurn: () => send({ type: 'turn', shard: id }),
      onStep: (done) => {
        if (progress(shard, done.computed, done.failed)) this.#measured()
      },
      onPending: (change) => this.#waiting.changed(change),
    })
    return {
      outcome: written ? 'computed' : 'skipped',
      computed,
      failed,
      engine: engine ?? this.#settings.engine,
      engineReason: this.#settings.engineReason,
      engineMs,
    }
  }

  #open({ job, set }: ShardOrder): OpenSet {
    const name = `${outputName(job)} ${set.id}`
    const { endpoints } = this.#settings
    const open = this.#sets.get(name) ?? {
      name,
      output: openOutput(job, endpoints),
      dataset: openDataset(set, endpoints),
      engine: undefined,
      opened: undefined,
      users: 0,
    }
    // Moved to the end: the set that was not used for longest is the first to go.
    this.#sets.delete(name)
    this.#sets.set(name, open)
    return open
  }

  async #openEngine(open: OpenSet, set: ResultSet, shard: Shard): Promise<OpenEngine> {
    try {
      // Not stopped with the shard that happened to ask first: the next one waits for the same engine.
      const call = this.#storeCall(shard, new AbortController().signal)
      const { cacheFolder } = this.#settings
      open.opened = await this.#opener.open(open.name, set, {
        size: () => callStore(call, () => networkSize(open.output, set, cacheFolder)),
        read: async () => {
          const files = await callStore(call, () => fetchNetwork(open.output, set, cacheFolder))
          progress(shard, 0, 0)
          return files
        },
      })
      // Whoever asked for it may be gone.
      if (open.users === 0) open.opened.measure()
      return open.opened
    } catch (error) {
      // The next shard tries again: the file may have been put back, the store may be there again.
      open.engine = undefined
      throw error
    }
  }

  #storeCall(shard: Shard, signal: AbortSignal): StoreCall {
    return {
      retries: storeRetries,
      signal,
      onRetry: () => progress(shard, 0, 0),
      onPending: (change) => this.#waiting.changed(change),
    }
  }

  async #makeRoom(): Promise<void> {
    for (const [name, { dataset, output, engine, users }] of this.#sets) {
      if (this.#sets.size <= keptSets) return
      if (users > 0) continue
      this.#sets.delete(name)
      dataset.close()
      output.close()
      // One that is still being opened is closed after that, or it would stay for good.
      const opened = await engine?.catch(() => undefined)
      if (!opened) continue
      await this.#host.close(name)
      send({ type: 'closed', network: opened.key })
    }
  }

  #announce(shard: Shard, key: string): Promise<void> {
    return new Promise((resolve) => {
      this.#noted = resolve
      send({ type: 'alone', shard: shard.id, key })
    })
  }

  #measured(): void {
    const measured = this.#measurements.take()
    if (measured) send({ type: 'measured', measured })
  }
}

/** Whether it was time to say so. */
function progress(shard: Shard, computed: number, failed: number): boolean {
  const now = performance.now()
  if (now - shard.lastProgressAt < progressIntervalMs) return false
  shard.lastProgressAt = now
  send({ type: 'progress', shard: shard.id, computed, failed })
  return true
}

function send(report: UnitReport): void {
  process.send?.(report)
}

// The channel closes when the supervisor ends, however it ended. SIGKILL, because process.exit waits for the engine
// thread, and stopping a thread inside a native call aborts or hangs. What is half-written is never visible.
process.on('disconnect', () => process.kill(process.pid, 'SIGKILL'))
// Ctrl-C reaches the whole process group, and some service managers signal every process: the supervisor decides.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => undefined)

let unit: Unit | undefined
process.on('message', (command: UnitCommand) => {
  switch (command.type) {
    case 'start':
      unit = new Unit(command.settings)
      void unit.start()
      break
    case 'shard':
      void unit?.shard(command.shard, command.order)
      break
    case 'stop':
      unit?.stop(command.shard)
      break
    case 'noted':
      unit?.noted()
      break
    case 'measure':
      void unit?.measure(command.paths, command.set)
      break
    case 'open':
      unit?.mayOpen()
      break
    case 'exit':
      process.disconnect()
      break
  }
})
