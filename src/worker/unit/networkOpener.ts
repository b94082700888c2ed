import { Semaphore } from '../../base/semaphore.ts'
import { gpuMemoryUsed } from '../../machine/gpuMemory.ts'
import { networkMemoryKey } from '../networkMemory.ts'
import type { MeasuredNetwork, OpenedHow, UnitReport, UnitSettings } from '../unitMessages.ts'
import type { EngineHost } from './engineHost.ts'
import type { NetworkFile } from './engineMessages.ts'
import { forgetPeakMemory, peakMemoryBytes } from './peakMemory.ts'
import type { ShardEngine } from './pipeline.ts'

/** A network's files. They are not read before there is memory for them. */
export interface NetworkSource {
  /** Of all of them together, bytes. */
  readonly size: () => Promise<number>
  readonly read: () => Promise<NetworkFile>
}

export interface OpenEngine {
  /** See `networkMemoryKey`. */
  readonly key: string
  readonly engine: ShardEngine
  /** Reports how much memory it takes, once: at the latest when a shard that used it is at its end. */
  readonly measure: () => void
}

/** Opens networks one after another, each when the supervisor says that there is memory for it, and measures them. */
export class NetworkOpener {
  readonly #host: EngineHost
  readonly #settings: UnitSettings
  readonly #send: (report: UnitReport) => void
  readonly #one = new Semaphore(1)
  #permitted: () => void = () => undefined
  #opened = 0

  constructor(host: EngineHost, settings: UnitSettings, send: (report: UnitReport) => void) {
    this.#host = host
    this.#settings = settings
    this.#send = send
  }

  permitted(): void {
    this.#permitted()
  }

  /** `name` is what the engine thread knows it by. Raises what the source and `EngineHost.open` raise. */
  open(name: string, set: MeasuredNetwork, source: NetworkSource): Promise<OpenEngine> {
    return this.#one.use(1, () => this.#open(name, set, source))
  }

  async #open(name: string, set: MeasuredNetwork, source: NetworkSource): Promise<OpenEngine> {
    const { engine: engineName, enginesFolder, batch, largestBatch, intraOpThreads, modelsFolder } = this.#settings
    const key = networkMemoryKey({ set, engine: engineName, batch })
    const { file } = set.network
    const fileBytes = await source.size()
    const permission = new Promise<void>((resolve) => (this.#permitted = resolve))
    this.#send({ type: 'mayOpen', network: { key, file, fileBytes } })
    await permission
    const isFirst = this.#opened++ === 0
    const usedBefore = await this.#deviceUsed()
    if (!isFirst) forgetPeakMemory()
    let how: OpenedHow | undefined
    try {
      const { objectives, scope, relu6, style, gradients } = set.options
      const means = { engine: engineName, enginesFolder, batch, largestBatch, intraOpThreads, modelsFolder }
      const options = { objectives, scope, relu6, style, gradients: gradients !== 'none', ...means }
      const onBegin = (tried: number | null) => this.#send({ type: 'opening', batch: tried })
      const engine =
        (await this.#host.openKept(name, set.network, options)) ??
        (await this.#host.open(name, set.network, await source.read(), options, onBegin))
      how = { isKept: engine.isKept, notes: engine.notes }
      // One that is found compiled takes less than one that is not, and the next unit may not find it.
      const isOnly = isFirst && !engine.isKept
      let isMeasured = false
      const measure = () => {
        if (!isMeasured) void this.#measure(key, isOnly, usedBefore)
        isMeasured = true
      }
      const explain: ShardEngine['explain'] = async (...batch) => {
        const explained = await engine.explain(...batch)
        measure()
        return explained
      }
      return { key, engine: { ...engine, explain }, measure }
    } catch (error) {
      this.#send({ type: 'closed', network: key })
      throw error
    } finally {
      this.#send({ type: 'opened', how })
    }
  }

  async #measure(network: string, isOnly: boolean, usedBefore: number | null): Promise<void> {
    const processBytes = peakMemoryBytes()
    const used = usedBefore === null ? null : await this.#deviceUsed()
    const deviceBytes = used === null || usedBefore === null ? null : Math.max(0, used - usedBefore)
    this.#send({ type: 'memory', network, memory: { processBytes, deviceBytes }, isOnly })
  }

  /** Null where the engine uses no memory of a GPU that nvidia-smi knows. */
  async #deviceUsed(): Promise<number | null> {
    return this.#host.device === 'a GPU' ? gpuMemoryUsed(this.#settings.gpuEnvironment) : null
  }
}
