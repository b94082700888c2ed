import { availableParallelism } from 'node:os'
import { gpuMemoryUsed } from '../../src/machine/gpuMemory.ts'
import { PyTorch } from './contender.ts'
import { cardEngine, type GpuContext } from './context.ts'
import { EngineClient } from './engineClient.ts'

export type Kind = 'headlight' | 'eager' | 'compiled'

/** One contender with one size open. */
export interface Turn {
  readonly name: string
  /** ms per image, over a good part of a second. */
  readonly measure: () => Promise<number>
  /** Of the device; null where it is not told. */
  readonly memoryMb: () => number | null
  /** Gives the device's memory back, for whoever is next. */
  readonly close: () => Promise<void>
}

const measureMs = { card: 600, rehearsal: 150 } as const

/**
 * Who is measured, each in a process that stays from one size to the next: to start one takes seconds, of which there are
 * few. One that failed is ended, and the next size gets a new one.
 */
export class Contenders {
  readonly #context: GpuContext
  readonly #processes = new Map<string, EngineClient | PyTorch>()

  constructor(context: GpuContext) {
    this.#context = context
  }

  /** Raises an Error when the size cannot be had. */
  async open(kind: Kind, batch: number, tf32: boolean): Promise<Turn> {
    return kind === 'headlight' ? this.#openOwn(batch, tf32) : this.#openPytorch(kind, batch, tf32)
  }

  async close(): Promise<void> {
    for (const process of this.#processes.values()) await process.close()
    this.#processes.clear()
  }

  async #openOwn(batch: number, tf32: boolean): Promise<Turn> {
    const { network } = this.#context
    const { engine } = cardEngine(this.#context)
    // Whether TF32 may be used is settled when a process starts.
    const name = `${engine} ${tf32}`
    const threads = availableParallelism()
    const client = this.#process(name, EngineClient, () => new EngineClient(this.#context, { engine, tf32, threads }))
    const before = await this.#gpuBytes()
    await this.#kept(name, client.ask({ type: 'open', network, batch }, 'opened', this.#secondsLeft()))
    const after = await this.#gpuBytes()
    return {
      name: engine,
      measure: async () => {
        const asked = client.ask({ type: 'measure', forMs: this.#measureMs }, 'measured', this.#secondsLeft())
        return (await this.#kept(name, asked)).msPerImage
      },
      memoryMb: () => (before === null || after === null ? null : (after - before) / 2 ** 20),
      close: async () => void (await this.#kept(name, client.ask({ type: 'close' }, 'closed', 20))),
    }
  }

  async #openPytorch(kind: 'eager' | 'compiled', batch: number, tf32: boolean): Promise<Turn> {
    const name = `PyTorch ${kind}`
    const pytorch = this.#process(name, PyTorch, () => new PyTorch(this.#context))
    const request = { do: 'open', network: this.#context.network, kind, batch, tf32 } as const
    await this.#kept(name, pytorch.ask(request, this.#secondsLeft()))
    let memoryMb: number | null = null
    return {
      name,
      measure: async () => {
        const asked = pytorch.ask({ do: 'measure', seconds: this.#measureMs / 1000 }, this.#secondsLeft())
        const found = await this.#kept(name, asked)
        memoryMb = found.memoryMb
        return found.msPerImage
      },
      memoryMb: () => memoryMb,
      close: async () => void (await this.#kept(name, pytorch.ask({ do: 'free' }, 20))),
    }
  }

  #process<T extends EngineClient | PyTorch>(name: string, kind: new (...args: never[]) => T, start: () => T): T {
    const known = this.#processes.get(name)
    if (known instanceof kind) return known
    const started = start()
    this.#processes.set(name, started)
    return started
  }

  /** A process that failed may have left the device's memory in any state. */
  async #kept<T>(name: string, asked: Promise<T>): Promise<T> {
    try {
      return await asked
    } catch (error) {
      const process = this.#processes.get(name)
      this.#processes.delete(name)
      await process?.close()
      throw error
    }
  }

  /** In use on the card that is measured, by whomever. */
  async #gpuBytes(): Promise<number | null> {
    const { device } = this.#context
    return device === null ? null : gpuMemoryUsed({ CUDA_VISIBLE_DEVICES: device, CUDA_DEVICE_ORDER: 'PCI_BUS_ID' })
  }

  get #measureMs(): number {
    return this.#context.isRehearsal ? measureMs.rehearsal : measureMs.card
  }

  readonly #secondsLeft = (): number => Math.max(5, this.#context.secondsLeft())
}
