import { Worker } from 'node:worker_threads'
import { fromErrorMessage } from '../../base/errorMessage.ts'
import { siblingModule } from '../../base/siblingModule.ts'
import type { EngineOptions, EngineReply, EngineRequest, NetworkFile, NetworkIdentity } from './engineMessages.ts'
import type { ShardEngine } from './pipeline.ts'

interface Pending {
  readonly resolve: (reply: EngineReply) => void
  readonly reject: (error: unknown) => void
}

export interface OpenedEngine extends ShardEngine {
  /** It was found compiled. */
  readonly isKept: boolean
  /** For the log. */
  readonly notes: readonly string[]
}

/** A unit's engine thread, seen from its main thread. `onDeath` means that the unit cannot go on. */
export class EngineHost {
  readonly #thread: Worker
  /** Requests are answered in order, so the oldest pending one is the one that a reply belongs to. */
  readonly #pending: Pending[] = []
  /** Of the last `open`: networks are opened one after another. */
  #onBegin: (batch: number | null) => void = () => undefined

  #device = ''

  constructor(onDeath: (error: Error) => void) {
    this.#thread = new Worker(siblingModule(import.meta.url, 'engineThread'))
    this.#thread.on('message', (reply: EngineReply) => this.#answered(reply))
    this.#thread.on('error', onDeath)
    this.#thread.on('exit', (code) => onDeath(new Error(`the engine thread ended with code ${code}`)))
  }

  /** What the engine that was found computes on, for people: `the CPU`, `a GPU`. */
  get device(): string {
    return this.#device
  }

  /** Loads the engine's library. Raises InputError `bad-engine` when this machine cannot run it. */
  async find(engine: string, enginesFolder: string | undefined): Promise<void> {
    const found = await this.#ask({ type: 'find', engine, enginesFolder }, [])
    if (found.type === 'found') this.#device = found.device
  }

  /**
   * Compiles the network of a result set, which may take seconds, on a new GPU many minutes. `onBegin` is called when the
   * engine has come to it (`null`), and before a batch is tried whose memory may not be there.
   */
  async open(
    set: string,
    identity: NetworkIdentity,
    network: NetworkFile,
    options: EngineOptions,
    onBegin: (batch: number | null) => void,
  ): Promise<OpenedEngine> {
    this.#onBegin = onBegin
    const opened = await this.#open(set, identity, network, options)
    if (opened === null) throw new Error('the engine thread did not open a network that it was given')
    return opened
  }

  /** The same without the network, where its program was kept compiled; else null. */
  openKept(set: string, identity: NetworkIdentity, options: EngineOptions): Promise<OpenedEngine | null> {
    return this.#open(set, identity, null, options)
  }

  async #open(
    set: string,
    identity: NetworkIdentity,
    network: NetworkFile | null,
    options: EngineOptions,
  ): Promise<OpenedEngine | null> {
    const opened = await this.#ask({ type: 'open', set, identity, network, options }, [])
    if (opened.type === 'absent') return null
    if (opened.type !== 'opened') throw new Error(`the engine thread answered ${opened.type} to open`)
    const { engine, batch, isKept, notes } = opened
    return {
      engine,
      batch,
      isKept,
      notes,
      explain: async (images, classes) => {
        const given = images.map(ownBuffer)
        const transferred = given.map(({ buffer }) => buffer).filter((buffer) => buffer instanceof ArrayBuffer)
        const reply = await this.#ask({ type: 'explain', set, images: given, classes }, transferred)
        if (reply.type !== 'explained') throw new Error(`the engine thread answered ${reply.type} to explain`)
        return reply
      },
    }
  }

  /** Gives the memory of a result set's network back. */
  async close(set: string): Promise<void> {
    await this.#ask({ type: 'close', set }, [])
  }

  #ask(request: EngineRequest, transferred: ArrayBuffer[]): Promise<EngineReply> {
    return new Promise((resolve, reject) => {
      this.#pending.push({ resolve, reject })
      this.#thread.postMessage(request, transferred)
    })
  }

  #answered(reply: EngineReply): void {
    if (reply.type === 'opening') return this.#onBegin(reply.batch)
    const pending = this.#pending.shift()
    if (reply.type === 'failed') pending?.reject(fromErrorMessage(reply.error))
    else pending?.resolve(reply)
  }
}

/** Transferring takes the whole buffer: a view of a larger one (Node's pool, for instance) must be copied out first. */
function ownBuffer(image: Uint8Array): Uint8Array {
  return image.byteLength === image.buffer.byteLength && image.buffer instanceof ArrayBuffer
    ? image
    : Uint8Array.from(image)
}
