import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { Redis } from 'ioredis'
import { freePort, provideTestRedis } from '../support/redis.ts'
import { startSentinel, whoIsPrimary } from '../support/sentinels.ts'
import { startTcpProxy, type TcpProxy } from '../support/tcpProxy.ts'
import type { QueueServer } from './programs.ts'

/** Longer than a sentinel takes to notice a dead primary, to elect a leader and to wait for what it began before. */
const failoverLimitMs = 15_000

/**
 * Two servers with append-only files, one the replica of the other, found by way of a proxy or of two sentinels. What is
 * killed and started again is the one that is the primary at the time.
 */
export class FailoverPair implements QueueServer {
  readonly #servers: readonly [Server, Server]
  readonly #proxy: TcpProxy | undefined
  readonly #sentinels: readonly { port: number; stop: () => Promise<void> }[]
  readonly url: string
  #down: Server | undefined

  private constructor(
    servers: readonly [Server, Server],
    proxy: TcpProxy | undefined,
    sentinels: readonly { port: number; stop: () => Promise<void> }[],
  ) {
    this.#servers = servers
    this.#proxy = proxy
    this.#sentinels = sentinels
    const hosts = sentinels.map(({ port }) => `127.0.0.1:${port}`).join(',')
    this.url = proxy === undefined ? `redis+sentinel://${hosts}/main` : `redis://127.0.0.1:${proxy.port}`
  }

  static async begin(folder: string, by: 'proxy' | 'sentinel'): Promise<FailoverPair> {
    const servers = [
      new Server(join(folder, 'redis-a'), await freePort()),
      new Server(join(folder, 'redis-b'), await freePort()),
    ] as const
    await Promise.all(servers.map((server) => server.start()))
    const [first, second] = servers
    await second.asked((client) => client.replicaof('127.0.0.1', first.port))
    if (by === 'proxy') return new FailoverPair(servers, await startTcpProxy(first.port), [])
    const ports = [await freePort(), await freePort()]
    const sentinels = ports.map(async (port) => ({ port, stop: await startSentinel(folder, port, first.port) }))
    return new FailoverPair(servers, undefined, await Promise.all(sentinels))
  }

  get pid(): number | undefined {
    return this.#down === undefined ? this.#servers[0].pid : undefined
  }

  /** Starts again what was killed: behind the proxy as the primary that it was, else as what the sentinels make of it. */
  async start(): Promise<void> {
    const server = this.#down
    await server?.start()
    this.#down = undefined
  }

  async kill(): Promise<void> {
    const primary = await this.#primary()
    this.#down = primary
    await primary.kill()
  }

  async deleteData(): Promise<void> {
    await this.#down?.deleteData()
  }

  /**
   * Makes the replica the primary, with what it has; the old one becomes its replica and stays reachable. Returns what
   * happened: where one is down, or has not caught up, there is no failing over.
   */
  async failOver(followsAfterMs: number): Promise<string> {
    const [first, second] = this.#servers
    if (this.pid === undefined) return 'no failover: a server is down'
    if (this.#proxy === undefined) {
      const { port = 0 } = this.#sentinels[0] ?? {}
      const before = await whoIsPrimary(port)
      const answer = await asked(port, (client) => client.call('SENTINEL', 'FAILOVER', 'main')).catch(String)
      if (answer !== 'OK') return `the sentinels do not fail over (${String(answer)})`
      const deadline = performance.now() + failoverLimitMs
      while ((await whoIsPrimary(port)) === before) {
        if (performance.now() > deadline) return 'the sentinels have not failed over'
        await sleep(50)
      }
      return `the sentinels have failed over to ${await whoIsPrimary(port)}`
    }
    const old = await this.#primary()
    const next = old === first ? second : first
    await next.asked((client) => client.replicaof('NO', 'ONE'))
    await old.asked((client) => client.replicaof('127.0.0.1', next.port))
    await sleep(followsAfterMs)
    this.#proxy.target = next.port
    return `Redis has failed over to ${next.port}, and the proxy followed after ${Math.round(followsAfterMs)} ms`
  }

  async stop(): Promise<void> {
    await this.#proxy?.stop()
    await Promise.all(this.#sentinels.map(({ stop }) => stop()))
    await Promise.all(this.#servers.map((server) => server.kill()))
  }

  async #primary(): Promise<Server> {
    const port = this.#proxy?.target ?? (await whoIsPrimary(this.#sentinels[0]?.port ?? 0))
    return this.#servers.find((server) => server.port === port) ?? this.#servers[0]
  }
}

class Server {
  readonly port: number
  readonly #folder: string
  #child: ChildProcess | undefined

  constructor(folder: string, port: number) {
    this.#folder = folder
    this.port = port
  }

  get pid(): number | undefined {
    return this.#child?.pid
  }

  async start(): Promise<void> {
    await mkdir(this.#folder, { recursive: true })
    const settings = `--port ${this.port} --bind 127.0.0.1 --appendonly yes --repl-diskless-sync-delay 0`
    const child = spawn(await provideTestRedis(), [...settings.split(' '), '--save', ''], {
      stdio: 'ignore',
      cwd: this.#folder,
    })
    this.#child = child
    while ((await this.asked((client) => client.ping()).catch(() => undefined)) !== 'PONG') {
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

  async deleteData(): Promise<void> {
    await rm(this.#folder, { recursive: true, force: true })
  }

  asked<T>(ask: (client: Redis) => Promise<T>): Promise<T> {
    return asked(this.port, ask)
  }
}

async function asked<T>(port: number, ask: (client: Redis) => Promise<T>): Promise<T> {
  const client = new Redis({ port, retryStrategy: () => null })
  client.on('error', () => undefined)
  try {
    return await ask(client)
  } finally {
    client.disconnect()
  }
}
