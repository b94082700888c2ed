import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { z } from 'zod'
import { readProc } from '../processTree.ts'

const program = fileURLToPath(new URL('../../dist/cli/main.js', import.meta.url))
/** As many as a browser opens to one host. */
const connections = 6

const printedSchema = z.object({ address: z.url() })
const waitingSchema = z.object({ waiting: z.object({ done: z.number(), total: z.number() }) })

export interface Answer {
  readonly bytes: Buffer
  readonly ms: number
  /** Rows that were told to have been read, each time that the answer was not there yet. */
  readonly progress: readonly number[]
}

/** The built `headlight serve` as a process of its own, and what a browser asks of it. */
export class Server {
  readonly #process: ChildProcess
  readonly #address: string
  readonly #cookie: string

  private constructor(process: ChildProcess, address: string, cookie: string) {
    this.#process = process
    this.#address = address
    this.#cookie = cookie
  }

  /** @param folder for what it keeps between starts */
  static async start(
    output: string,
    { folder, options = [], env = {} }: { folder: string; options?: readonly string[]; env?: NodeJS.ProcessEnv },
  ): Promise<Server> {
    const own = ['--port', '0', '--json', '--cache-folder', `${folder}/cache`, '--state-folder', `${folder}/state`]
    const child = spawn(process.execPath, [program, 'serve', output, ...own, ...options], {
      stdio: ['ignore', 'pipe', 'inherit'],
      env: { ...process.env, ...env },
    })
    const printed = once(createInterface(child.stdout), 'line') as Promise<[string]>
    const ended = once(child, 'exit').then(() => Promise.reject(new Error('headlight serve ended')))
    ended.catch(() => undefined)
    const [line] = await Promise.race([printed, ended])
    const address = printedSchema.parse(JSON.parse(line)).address
    const entered = await fetch(address, { redirect: 'manual' })
    const cookie = entered.headers.get('set-cookie')?.split(';')[0] ?? ''
    return new Server(child, new URL(address).origin, cookie)
  }

  /** Asks again while the answer is on its way. Rejects what is no success. */
  async get(path: string): Promise<Answer> {
    const start = performance.now()
    const progress: number[] = []
    for (;;) {
      const response = await fetch(`${this.#address}${path}`, { headers: { cookie: this.#cookie } })
      const bytes = Buffer.from(await response.arrayBuffer())
      if (response.status === 200) return { bytes, ms: performance.now() - start, progress }
      if (response.status !== 202) throw new Error(`${path}: ${response.status} ${bytes.toString().slice(0, 300)}`)
      progress.push(waitingSchema.parse(JSON.parse(bytes.toString())).waiting.done)
    }
  }

  /** ms until all are there, asked for as a browser does. */
  async getAll(paths: readonly string[]): Promise<number> {
    const start = performance.now()
    const left = [...paths]
    const lane = async (): Promise<void> => {
      for (let path = left.shift(); path !== undefined; path = left.shift()) await this.get(path)
    }
    await Promise.all(Array.from({ length: connections }, lane))
    return performance.now() - start
  }

  /** MB, now and at most so far. Linux only; 0 where /proc does not tell. */
  residentMb(): { readonly now: number; readonly peak: number } {
    const status = readProc(`/proc/${this.#process.pid}/status`)
    const megabytes = (name: string) => Number(new RegExp(`^${name}:\\s+(\\d+) kB$`, 'm').exec(status)?.[1] ?? 0) / 1024
    return { now: megabytes('VmRSS'), peak: megabytes('VmHWM') }
  }

  async stop(): Promise<void> {
    if (this.#process.exitCode !== null) return
    const ended = once(this.#process, 'exit')
    this.#process.kill('SIGTERM')
    await ended
  }
}
