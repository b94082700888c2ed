import { spawn, type ChildProcess } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { z } from 'zod'
import type { GpuContext } from './context.ts'
import { withinSeconds } from './withinSeconds.ts'

const script = fileURLToPath(new URL('./contender.py', import.meta.url))

const replies = {
  facts: z.looseObject({ torch: z.string(), device: z.string() }),
  open: z.object({ ms: z.number() }),
  free: z.object({}),
  measure: z.object({ msPerImage: z.number(), memoryMb: z.number().nullable() }),
  /** By image: yaw, pitch, roll; relative error and norm of the gradient. */
  truth: z.object({
    angles: z.array(z.array(z.number())),
    float32Error: z.array(z.number()),
    norm: z.array(z.number()),
  }),
} as const
type Replies = typeof replies

/** PyTorch in a process of its own, see contender.py. */
export class PyTorch {
  readonly #child: ChildProcess
  readonly #gone: Promise<never>
  #said = ''
  #rest = ''
  #answered: (line: string) => void = () => undefined

  constructor({
    python,
    environment,
    device,
    signal,
  }: Pick<GpuContext, 'python' | 'environment' | 'device' | 'signal'>) {
    // The card that headlight is measured on, in the order in which nvidia-smi counts.
    const visible = device === null ? {} : { CUDA_VISIBLE_DEVICES: device, CUDA_DEVICE_ORDER: 'PCI_BUS_ID' }
    this.#child = spawn(python, ['-u', script], {
      stdio: ['pipe', 'pipe', 'pipe'],
      env: { ...environment, ...visible },
      signal,
      killSignal: 'SIGKILL',
    })
    this.#child.stderr?.on('data', (chunk: Buffer) => (this.#said = (this.#said + chunk.toString()).slice(-2_000)))
    this.#child.stdout?.on('data', (chunk: Buffer) => {
      const lines = (this.#rest + chunk.toString()).split('\n')
      this.#rest = lines.pop() ?? ''
      for (const line of lines) this.#answered(line)
    })
    this.#child.stdin?.on('error', () => undefined)
    this.#gone = new Promise((_, reject) => {
      this.#child.on('error', (error) => reject(new Error(`${python}: ${error.message}`)))
      this.#child.once('close', () => {
        reject(new Error(this.#said.trim().split('\n').at(-1) || 'PyTorch ended without a word'))
      })
    })
    this.#gone.catch(() => undefined)
  }

  /** Raises an Error when PyTorch is not there, fails or takes longer. */
  async ask<K extends keyof Replies>(
    request: { readonly do: K } & Readonly<Record<string, unknown>>,
    seconds: number,
  ): Promise<z.infer<Replies[K]>> {
    const answer = (): Promise<string> =>
      new Promise((resolve) => {
        this.#answered = resolve
        this.#child.stdin?.write(`${JSON.stringify(request)}\n`)
      })
    const reply: unknown = JSON.parse(await withinSeconds(seconds, () => Promise.race([answer(), this.#gone])))
    const failed = z.object({ error: z.string() }).safeParse(reply)
    if (failed.success) throw new Error(failed.data.error)
    return replies[request.do].parse(reply) as z.infer<Replies[K]>
  }

  async close(): Promise<void> {
    this.#child.kill('SIGKILL')
    await this.#gone.catch(() => undefined)
  }
}
