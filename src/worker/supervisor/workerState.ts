import { hostname } from 'node:os'
import type { Heartbeat } from '../../queue/heartbeat.ts'
import type { WorkerEvent } from './workerEvent.ts'

/** Long enough that a slow network on one core shows more than zero, short enough to see a change. */
const rateWindowMs = 10_000

/** What a worker could say of itself at any moment, gathered from its events. */
export class WorkerState {
  readonly #version: string
  readonly #startedAt = new Date()
  readonly #units = new Set<string>()
  #engine: string
  #leaves: Heartbeat['leaves']
  #fault: { code: string; message: string } | null = null
  #isStopping = false
  #computed = 0
  #failed = 0
  #recent: { at: number; images: number }[] = []

  constructor(version: string, engine: string) {
    this.#version = version
    this.#engine = engine
  }

  heard(event: WorkerEvent): void {
    switch (event.type) {
      case 'unit-started':
        this.#units.add(event.unit)
        break
      case 'unit-died':
      case 'unit-dismissed':
        this.#units.delete(event.unit)
        break
      case 'place-fault':
        this.#fault = { code: event.code, message: event.message }
        break
      case 'place-retry':
        this.#fault = null
        break
      case 'measured': {
        const { computed, failures } = event.measured
        const failed = Object.values(failures).reduce((sum, n) => sum + n, 0)
        this.#computed += computed
        this.#failed += failed
        this.#recent.push({ at: performance.now(), images: computed + failed })
        this.#forget()
        break
      }
      case 'shard':
        if (event.result.engine !== '') this.#engine = event.result.engine
        if (event.result.outcome === 'computed') this.#leaves = undefined
        break
      case 'run-fault':
      case 'refused':
        this.#leaves = { run: event.run, code: event.code, message: event.message }
        break
      case 'shard-failed':
        break
    }
  }

  stopping(): void {
    this.#isStopping = true
  }

  /** Why no shards are pulled; null when they are. */
  get obstacle(): string | null {
    if (this.#isStopping) return 'it was told to stop'
    if (this.#fault) return this.#fault.message
    return this.#units.size === 0 ? 'no computing unit is alive' : null
  }

  get isWaiting(): boolean {
    return this.#fault !== null
  }

  get units(): number {
    return this.#units.size
  }

  get heartbeat(): Heartbeat {
    this.#forget()
    const seconds = Math.min(rateWindowMs, Date.now() - this.#startedAt.getTime()) / 1000
    const images = this.#recent.reduce((sum, { images }) => sum + images, 0)
    return {
      host: hostname(),
      pid: process.pid,
      version: this.#version,
      engine: this.#engine,
      device: this.#engine.split(':')[1] ?? 'cpu',
      state: this.#isStopping ? 'stopping' : this.#fault ? 'waiting' : 'working',
      fault: this.#fault?.code ?? null,
      ...(this.#leaves === undefined ? {} : { leaves: this.#leaves }),
      units: this.#units.size,
      computed: this.#computed,
      failed: this.#failed,
      imagesPerSecond: seconds > 0 ? images / seconds : 0,
      startedAt: this.#startedAt.toISOString(),
    }
  }

  #forget(): void {
    const since = performance.now() - rateWindowMs
    while (this.#recent[0] && this.#recent[0].at < since) this.#recent.shift()
  }
}
