import { setTimeout as sleep } from 'node:timers/promises'
import { Redis } from 'ioredis'
import { startTcpRedis } from './redis.ts'
import { startTcpProxy, type TcpProxy } from './tcpProxy.ts'

/** Two servers, one the replica of the other, and a proxy before the primary. */
export interface RedisPair {
  readonly proxy: TcpProxy
  /** `redis://…`, of the proxy. */
  readonly url: string
  /** Ports; the first is the primary at the start. */
  readonly ports: readonly [number, number]
  /** Makes the server at one port the primary and the other its replica. Both stay reachable; the proxy is not touched. */
  promote(port: number): Promise<void>
  /** Waits until the replica has all that the primary has. */
  linked(): Promise<void>
  stop(): Promise<void>
}

const settings = ['--repl-diskless-sync-delay', '0']

export async function startRedisPair(): Promise<RedisPair> {
  const first = await startTcpRedis({ settings })
  const second = await startTcpRedis({ settings: [...settings, '--replicaof', `127.0.0.1 ${first.port}`] })
  const proxy = await startTcpProxy(first.port)
  const ports = [first.port, second.port] as const
  await untilLinked(ports)
  return {
    proxy,
    url: `redis://127.0.0.1:${proxy.port}`,
    ports,
    promote: async (port) => {
      await asked(port, (client) => client.replicaof('NO', 'ONE'))
      for (const other of ports) {
        if (other !== port) await asked(other, (client) => client.replicaof('127.0.0.1', port))
      }
    },
    linked: () => untilLinked(ports),
    stop: async () => {
      await proxy.stop()
      await Promise.all([first.stop(), second.stop()])
    },
  }
}

async function untilLinked(ports: readonly number[]): Promise<void> {
  const offsets = () =>
    Promise.all(
      ports.map(async (port) => {
        const info = await asked(port, (client) => client.info('replication'))
        const isLinked = /role:master|master_link_status:up/.test(info)
        return isLinked ? /master_repl_offset:(\d+)/.exec(info)?.[1] : undefined
      }),
    )
  while (new Set(await offsets()).size > 1) await sleep(20)
}

async function asked<T>(port: number, ask: (client: Redis) => Promise<T>): Promise<T> {
  const client = new Redis({ port })
  try {
    return await ask(client)
  } finally {
    client.disconnect()
  }
}
