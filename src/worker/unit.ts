import type { ResultSet } from '../contract/resultSet.ts'
import { openAdapter } from '../dataset/open.ts'
import { descriptionSchema } from '../saliency/networks/description.ts'
import { openStore } from '../storage/open.ts'
import type { Store } from '../storage/store.ts'
import { EngineHost } from './engineHost.ts'
import { toErrorMessage } from './errorMessage.ts'
import { ManifestSlices } from './manifestSlices.ts'
import { fetchNetwork } from './network.ts'
import { computeShard, type ShardEngine } from './pipeline.ts'
import { asPlaceFault, callStore, type StoreCall, storeRetries } from './storeCall.ts'
import { StoreWait } from './storeWait.ts'
import type { ShardDone, ShardOrder, UnitCommand, UnitReport, UnitSettings } from './unitMessages.ts'

// The child process that computes whole shards, one at a time. It never outlives its supervisor.

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
  engine: Promise<ShardEngine> | undefined
}

class Unit {
  readonly #settings: UnitSettings
  readonly #host = new EngineHost((error) => {
    process.stderr.write(`${error.stack ?? error.message}\n`)
    process.exit(1)
  })
  readonly #slices = new ManifestSlices()
  readonly #sets = new Map<string, OpenSet>()
  readonly #waiting = new StoreWait((isWaiting) => send({ type: 'waiting', isWaiting }), mentionedWaitMs)
  #stop = new AbortController()
  #noted: () => void = () => undefined
  #lastProgressAt = 0

  constructor(settings: UnitSettings) {
    this.#settings = settings
  }

  async start(): Promise<void> {
    try {
      await this.#host.find(this.#settings.engine)
      send({ type: 'ready' })
    } catch (error) {
      send({ type: 'failed', error: toErrorMessage(error) })
    }
  }

  async shard(order: ShardOrder): Promise<void> {
    this.#stop = new AbortController()
    try {
      send({ type: 'done', done: await this.#compute(order) })
    } catch (error) {
      send({ type: 'failed', error: toErrorMessage(asPlaceFault(error)) })
    }
  }

  stop(): void {
    this.#stop.abort(new Error('the supervisor stopped the shard'))
  }

  noted(): void {
    this.#noted()
  }

  async #compute(order: ShardOrder): Promise<ShardDone> {
    const { job, set, lastAttempt, alone } = order
    const { fetchConcurrency } = this.#settings
    const open = await this.#open(order)
    const { dataset, output } = open
    const { written, computed, failed, engine, engineMs } = await computeShard({
      job,
      set,
      description: descriptionSchema.parse(set.network.description),
      dataset,
      output,
      adapter: openAdapter(set.options.adapter),
      engine: () => (open.engine ??= this.#openEngine(open, set)),
      entries: () => callStore(this.#storeCall(), () => this.#slices.read(output, job)),
      fetchConcurrency: fetchConcurrency ?? fetchConcurrencies[dataset.uri.startsWith('file:') ? 'file' : 'remote'],
      retries: storeRetries,
      lastAttempt,
      alone: alone && {
        convicted: new Map(Object.entries(alone.convicted)),
        announce: (key) => this.#announce(key),
        clear: () => send({ type: 'alone', key: null }),
      },
      signal: this.#stop.signal,
      onStep: (done) => this.#progress(done.computed, done.failed),
      onPending: (change) => this.#waiting.changed(change),
    })
    return {
      outcome: written ? 'computed' : 'skipped',
      computed,
      failed,
      engine: engine ?? this.#settings.engine,
      engineMs,
    }
  }

  async #open({ job, set }: ShardOrder): Promise<OpenSet> {
    const name = `${job.output} ${set.id}`
    let open = this.#sets.get(name)
    if (!open) {
      await this.#makeRoom()
      const { endpointOverride } = this.#settings
      open = {
        name,
        output: openStore(job.output, { endpoint: endpointOverride ?? job.endpoint }),
        dataset: openStore(set.dataset.uri, { endpoint: endpointOverride ?? set.dataset.endpoint ?? undefined }),
        engine: undefined,
      }
    }
    // Moved to the end: the set that was not used for longest is the first to go.
    this.#sets.delete(name)
    this.#sets.set(name, open)
    return open
  }

  async #openEngine(open: OpenSet, set: ResultSet): Promise<ShardEngine> {
    try {
      const { cacheFolder, engine, batch, intraOpThreads } = this.#settings
      const bytes = await callStore(this.#storeCall(), () => fetchNetwork(open.output, set, cacheFolder))
      this.#progress(0, 0)
      const network = { file: set.network.file, bytes, description: set.network.description }
      const { objectives, scope, style, gradients } = set.options
      const options = { objectives, scope, style, gradients: gradients !== 'none', batch, engine, intraOpThreads }
      return await this.#host.open(open.name, network, options)
    } catch (error) {
      // The next shard tries again: the file may have been put back, the store may be there again.
      open.engine = undefined
      throw error
    }
  }

  #storeCall(): StoreCall {
    return {
      retries: storeRetries,
      signal: this.#stop.signal,
      onRetry: () => this.#progress(0, 0),
      onPending: (change) => this.#waiting.changed(change),
    }
  }

  async #makeRoom(): Promise<void> {
    for (const [name, { dataset, output, engine }] of this.#sets) {
      if (this.#sets.size < keptSets) return
      this.#sets.delete(name)
      dataset.close()
      output.close()
      if (engine) await this.#host.close(name)
    }
  }

  #announce(key: string): Promise<void> {
    return new Promise((resolve) => {
      this.#noted = resolve
      send({ type: 'alone', key })
    })
  }

  #progress(computed: number, failed: number): void {
    const now = performance.now()
    if (now - this.#lastProgressAt < progressIntervalMs) return
    this.#lastProgressAt = now
    send({ type: 'progress', computed, failed })
  }
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
      void unit?.shard(command.order)
      break
    case 'stop':
      unit?.stop()
      break
    case 'noted':
      unit?.noted()
      break
    case 'exit':
      process.disconnect()
      break
  }
})
