import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { Redis } from 'ioredis'
import { z } from 'zod'
import { freePort, provideTestRedis } from './redis.ts'
import { startRedisPair } from './redisPair.ts'

const address = z.tuple([z.string(), z.coerce.number()])
const list = z.array(z.unknown())
/** Longer than sentinels take for one, or to give it up. */
const failoverMs = 10_000

/** Two servers, one the replica of the other, and two sentinels that agree on which is the primary. */
export interface GuardedRedis {
  /** `redis+sentinel://…`, of both sentinels. */
  readonly url: string
  /** Has the sentinels make the replica the primary, and waits until both know. */
  failOver(): Promise<void>
  stop(): Promise<void>
}

/** @param password that the sentinels want; the servers want none */
export async function startSentinels(password?: string): Promise<GuardedRedis> {
  const pair = await startRedisPair()
  const folder = await mkdtemp(join(tmpdir(), 'headlight-sentinel-'))
  const ports = [await freePort(), await freePort()]
  const sentinels = await Promise.all(ports.map((port) => startSentinel(folder, port, pair.ports[0], password)))
  const clients = ports.map((port) => new Redis({ port, ...(password === undefined ? {} : { password }) }))
  // They hear of the replica from the primary, every ten seconds or a second at first.
  for (const client of clients) {
    while (list.parse(await client.call('SENTINEL', 'REPLICAS', 'main')).length === 0) await sleep(50)
  }
  return {
    url: `redis+sentinel://${ports.map((port) => `127.0.0.1:${port}`).join(',')}/main${password === undefined ? '' : `?sentinelPassword=${password}`}`,
    failOver: async () => {
      const known = () => Promise.all(ports.map((port) => whoIsPrimary(port, password)))
      const [before] = await known()
      const isOver = async () => {
        const now = await known()
        return now.every((port) => port === now[0] && port !== before)
      }
      // On a busy machine they refuse it (NOGOODSLAVE) while they have not heard from the replica, or give it up.
      for (let asked = -Infinity; !(await isOver()); await sleep(50)) {
        if (performance.now() - asked < failoverMs) continue
        asked = performance.now()
        await clients[0]?.call('SENTINEL', 'FAILOVER', 'main').catch(() => (asked = -Infinity))
      }
    },
    stop: async () => {
      for (const client of clients) client.disconnect()
      await Promise.all(sentinels.map((stop) => stop()))
      await pair.stop()
      await rm(folder, { recursive: true, force: true })
    },
  }
}

/** The port of the server that the sentinel at a port takes for the primary. */
export async function whoIsPrimary(port: number, password?: string): Promise<number> {
  const client = new Redis({ port, ...(password === undefined ? {} : { password }) })
  try {
    return address.parse(await client.call('SENTINEL', 'GET-MASTER-ADDR-BY-NAME', 'main'))[1]
  } finally {
    client.disconnect()
  }
}

/** Ends the sentinel when the result is called. */
export async function startSentinel(
  folder: string,
  port: number,
  primary: number,
  password?: string,
): Promise<() => Promise<void>> {
  const file = join(folder, `${port}.conf`)
  const settings = `
    port ${port}
    bind 127.0.0.1
    sentinel monitor main 127.0.0.1 ${primary} 1
    sentinel down-after-milliseconds main 1000
    sentinel failover-timeout main 2000
    ${password === undefined ? '' : `requirepass ${password}`}
  `
  await writeFile(file, settings)
  const server = spawn(await provideTestRedis(), [file, '--sentinel'], {
    cwd: folder,
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  let said = ''
  server.stdout.setEncoding('utf8').on('data', (text: string) => (said += text))
  const ended = once(server, 'exit')
  while (!said.includes('Sentinel ID is')) {
    if (server.exitCode !== null) throw new Error(`the sentinel ended with code ${server.exitCode}: ${said}`)
    await sleep(20)
  }
  return async () => {
    server.kill('SIGKILL')
    await ended
  }
}
