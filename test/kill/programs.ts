import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { readdirSync, readFileSync } from 'node:fs'
import { mkdir, rm } from 'node:fs/promises'
import { connect } from 'node:net'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { provideTestRedis } from '../support/redis.ts'

const main = fileURLToPath(new URL('../../dist/cli/main.js', import.meta.url))
const contract = JSON.stringify(new URL('../../dist/queue/jobs.js', import.meta.url).href)

/** Everything as it is, but that the shards of a killed worker are taken over after seconds and not half a minute. */
const shortLocks = `data:text/javascript,${encodeURIComponent(`
  import { workerOptions } from ${contract}
  Object.assign(workerOptions, { lockDuration: 2000, stalledInterval: 1000 })
`)}`

/** A headlight command that may be killed and started again. */
export class Program {
  readonly name: string
  readonly #args: readonly string[]
  readonly #environment: Readonly<Record<string, string>>
  /** Characters that are read before both outputs are closed. */
  readonly #readsFor: () => number
  #child: ChildProcess | undefined
  #output = ''
  /** Of the process that was started last: how it ended by itself, or undefined while it runs or when it was killed. */
  ended: { code: number | null; output: string } | undefined

  constructor(
    name: string,
    args: readonly string[],
    environment: Readonly<Record<string, string>>,
    readsFor: () => number = () => Infinity,
  ) {
    this.name = name
    this.#args = args
    this.#environment = environment
    this.#readsFor = readsFor
  }

  start(): void {
    this.ended = undefined
    this.#output = ''
    const { PATH = '', HOME = '' } = process.env
    const child = spawn(process.execPath, ['--import', shortLocks, main, ...this.#args], {
      env: { PATH, HOME, ...this.#environment },
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    this.#child = child
    let left = this.#readsFor()
    const read = (text: string): void => {
      if (this.#child === child) this.#output = (this.#output + text).slice(-20_000)
      left -= text.length
      if (left <= 0) for (const stream of [child.stdout, child.stderr]) stream.destroy()
    }
    for (const stream of [child.stdout, child.stderr]) stream.setEncoding('utf8').on('data', read)
    read('')
    child.once('close', (code) => {
      if (this.#child !== child) return
      this.#child = undefined
      this.ended = { code, output: this.#output }
    })
  }

  /** Undefined while it does not run. */
  get pid(): number | undefined {
    return this.#child?.pid
  }

  /** What it said since its last start. */
  get output(): string {
    return this.#output
  }

  signal(signal: NodeJS.Signals): void {
    this.#child?.kill(signal)
  }

  async kill(): Promise<void> {
    const child = this.#child
    if (child === undefined) return
    this.#child = undefined
    const exited = once(child, 'exit')
    child.kill('SIGKILL')
    await exited
  }

  /** Process ids of its computing units. */
  units(): number[] {
    return this.pid === undefined
      ? []
      : childrenOf(this.pid).filter((pid) => /worker\/unit\/unit\.js/.test(commandOf(pid)))
  }
}

/** What carries the queue where it is not the private server of a run. */
export interface QueueServer {
  readonly url: string
  /** Undefined while it does not run. */
  readonly pid: number | undefined
  start(): Promise<void>
  kill(): Promise<void>
  deleteData(): Promise<void>
  /** Ends it for good. */
  stop(): Promise<void>
}

/** A Redis as people run it, with an append-only file, which may be killed and started again on its data or without. */
export class RedisServer implements QueueServer {
  readonly url: string
  readonly #folder: string
  readonly #socket: string
  #child: ChildProcess | undefined

  constructor(folder: string) {
    this.#folder = join(folder, 'redis')
    this.#socket = join(folder, 'redis.sock')
    this.url = `redis+unix://${this.#socket}`
  }

  async start(): Promise<void> {
    await mkdir(this.#folder, { recursive: true })
    await rm(this.#socket, { force: true })
    const settings = ['--port', '0', '--unixsocket', this.#socket, '--dir', this.#folder, '--save', '']
    const child = spawn(await provideTestRedis(), [...settings, '--appendonly', 'yes'], {
      stdio: 'ignore',
      cwd: this.#folder,
    })
    this.#child = child
    while (!(await isReady(this.#socket))) {
      if (child.exitCode !== null) throw new Error(`redis-server ended with code ${child.exitCode}`)
      if (child.signalCode !== null) return
      await sleep(10)
    }
  }

  async kill(): Promise<void> {
    const child = this.#child
    if (child === undefined) return
    this.#child = undefined
    const exited = once(child, 'exit')
    child.kill('SIGKILL')
    await exited
  }

  /** Undefined while it does not run. */
  get pid(): number | undefined {
    return this.#child?.pid
  }

  stop(): Promise<void> {
    return this.kill()
  }

  async deleteData(): Promise<void> {
    await rm(this.#folder, { recursive: true, force: true })
  }
}

function isReady(socket: string): Promise<boolean> {
  return new Promise((resolve) => {
    const connection = connect(socket)
    const done = (ready: boolean): void => {
      connection.destroy()
      resolve(ready)
    }
    connection.once('error', () => done(false))
    connection.once('close', () => done(false))
    connection.once('connect', () => connection.write('PING\r\n'))
    connection.once('data', (answer) => done(answer.toString().startsWith('+PONG')))
  })
}

function childrenOf(parent: number): number[] {
  return readdirSync('/proc')
    .map(Number)
    .filter((pid) => Number.isInteger(pid) && pid > 0 && parentOf(pid) === parent)
}

function parentOf(pid: number): number | undefined {
  try {
    return Number(/^PPid:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1])
  } catch {
    return undefined
  }
}

function commandOf(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8')
  } catch {
    return ''
  }
}
