import { once } from 'node:events'
import { connect, createServer, type Socket } from 'node:net'

/**
 * A port of this machine behind which one of several servers stands, as behind the address that a managed service or a
 * load balancer gives out: another target takes the connections from then on, and those that there are stay where they
 * are.
 */
export interface TcpProxy {
  readonly port: number
  /** The port that new connections are led to. */
  target: number
  /** Connections so far. */
  accepted: number
  /** Ends the connections that there are. */
  cut(): void
  /** Of the connections that there are, neither side hears anything more, as when a machine has lost its network. */
  silence(): void
  stop(): Promise<void>
}

export async function startTcpProxy(target: number): Promise<TcpProxy> {
  const open = new Set<Socket>()
  const keep = (socket: Socket, other: Socket): void => {
    open.add(socket)
    socket.on('error', () => undefined)
    socket.once('close', () => {
      open.delete(socket)
      other.destroy()
    })
  }
  const server = createServer((client) => {
    proxy.accepted++
    const upstream = connect(proxy.target, '127.0.0.1')
    keep(client, upstream)
    keep(upstream, client)
    client.pipe(upstream)
    upstream.pipe(client)
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('no port')
  const proxy: TcpProxy = {
    port: address.port,
    target,
    accepted: 0,
    cut: () => {
      for (const socket of open) socket.destroy()
    },
    silence: () => {
      for (const socket of open) socket.unpipe().resume().removeAllListeners('close')
    },
    stop: async () => {
      server.close()
      for (const socket of open) socket.destroy()
      await once(server, 'close')
    },
  }
  return proxy
}
