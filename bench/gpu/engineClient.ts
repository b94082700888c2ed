import { fork, type ChildProcess } from 'node:child_process'
import { siblingModule } from '../../src/base/siblingModule.ts'
import { engineEnvironment } from '../../src/machine/engineEnvironment.ts'
import type { EngineName } from '../../src/saliency/engines/openEngine.ts'
import type { GpuContext } from './context.ts'
import type { CheckDone, EngineReply, EngineRequest } from './engineMessages.ts'
import { withinSeconds } from './withinSeconds.ts'

interface ClientOptions {
  readonly engine: EngineName
  /** Whether products may be rounded to TF32; headlight itself never allows it. */
  readonly tf32?: boolean
  /** Threads inside one call. */
  readonly threads?: number
}

/** An engine in a process of its own, which a crash, a hang or a lack of memory ends without harm to the others. */
export class EngineClient {
  readonly #child: ChildProcess
  readonly #gone: Promise<never>
  #said = ''

  constructor(context: GpuContext, { engine, tf32 = false, threads = 2 }: ClientOptions) {
    const { environment, enginesFolder, device } = context
    const env = engineEnvironment(environment, { engine, enginesFolder, device: isNvidias(engine) ? device : null })
    this.#child = fork(
      siblingModule(import.meta.url, './engineProcess'),
      [JSON.stringify({ engine, enginesFolder, threads })],
      {
        stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
        // Where TF32 may be used, nothing may be said of it: any value forbids or forces it in one of the libraries.
        env: tf32 ? { ...env, NVIDIA_TF32_OVERRIDE: undefined } : env,
        serialization: 'advanced',
        signal: context.signal,
        killSignal: 'SIGKILL',
      },
    )
    this.#child.stderr?.on('data', (chunk: Buffer) => (this.#said = (this.#said + chunk.toString()).slice(-2_000)))
    this.#gone = new Promise((_, reject) => {
      this.#child.on('error', reject)
      this.#child.once('close', (code, signal) => {
        const how = signal === null ? `exit code ${code}` : `signal ${signal}`
        reject(new Error(`the engine's process ended with ${how}: ${this.#said.trim().split('\n').at(-1) ?? ''}`))
      })
    })
    this.#gone.catch(() => undefined)
  }

  /** Raises an Error when the engine fails, when its process ends or when the time is up. */
  async ask<T extends EngineReply['type']>(
    request: EngineRequest,
    expected: T,
    seconds: number,
    onCheck: (done: CheckDone) => void = () => undefined,
  ): Promise<EngineReply & { type: T }> {
    let listener: ((reply: EngineReply) => void) | undefined
    const answer = (): Promise<EngineReply> =>
      new Promise((resolve) => {
        listener = (reply) => {
          if (reply.type === 'check') onCheck(reply.done)
          else resolve(reply)
        }
        this.#child.on('message', listener)
        // A process that is gone is told of by its end.
        this.#child.send(request, () => undefined)
      })
    try {
      const reply = await withinSeconds(seconds, () => Promise.race([answer(), this.#gone]))
      if (reply.type === 'failed') throw new Error(reply.error)
      if (!isOf(reply, expected)) throw new Error(`the engine's process answered ${reply.type} to ${request.type}`)
      return reply
    } finally {
      if (listener !== undefined) this.#child.off('message', listener)
    }
  }

  /** Ends the process, whatever it does, and waits until the device's memory is free again. */
  async close(): Promise<void> {
    this.#child.kill('SIGKILL')
    await this.#gone.catch(() => undefined)
  }
}

const isOf = <T extends EngineReply['type']>(reply: EngineReply, type: T): reply is EngineReply & { type: T } =>
  reply.type === type

/** Engines that take the device which CUDA_VISIBLE_DEVICES leaves them. */
export const isNvidias = (engine: EngineName): boolean => engine === 'onnxruntime:cuda' || engine === 'tfjs:tensorflow'
