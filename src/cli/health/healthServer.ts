import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { InputError } from '../../base/errors.ts'
import type { Logger } from '../../base/telemetry.ts'

export interface HealthServerOptions {
  readonly host: string
  /** 0 takes a free one. */
  readonly port: number
  /** Why the process takes no work now; null when it does. */
  readonly obstacle: () => Promise<string | null>
  /** Asked at every scrape. */
  readonly metrics: { readonly contentType: string; text(): Promise<string> }
  readonly log: Logger
}

/**
 * Serves `/healthz`, `/readyz` and `/metrics`. That it answers at all is its being alive: compute and locks run elsewhere
 * or wait for nobody, so a process whose event loop hangs is one to be killed. InputError `bad-option` when the port
 * cannot be had.
 */
export async function startHealthServer(o: HealthServerOptions): Promise<{ port: number; close(): Promise<void> }> {
  const answer = async (path: string): Promise<{ status: number; type: string; body: string }> => {
    const text = 'text/plain; charset=utf-8'
    switch (path) {
      case '/healthz':
        return { status: 200, type: text, body: 'alive\n' }
      case '/readyz': {
        const obstacle = await o.obstacle()
        return { status: obstacle === null ? 200 : 503, type: text, body: `${obstacle ?? 'ready'}\n` }
      }
      case '/metrics':
        return { status: 200, type: o.metrics.contentType, body: await o.metrics.text() }
      default:
        return { status: 404, type: text, body: 'there are /healthz, /readyz and /metrics\n' }
    }
  }
  const respond = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    try {
      if (request.method !== 'GET' && request.method !== 'HEAD') {
        response.writeHead(405, { allow: 'GET, HEAD' }).end()
        return
      }
      const { status, type, body } = await answer((request.url ?? '').split('?')[0] ?? '')
      response.writeHead(status, { 'content-type': type, 'cache-control': 'no-store' }).end(body)
    } catch (error) {
      o.log.warn({ err: error }, `${request.url} could not be answered`)
      response.writeHead(500).end()
    }
  }
  const server = createServer((request, response) => void respond(request, response))
  server.listen(o.port, o.host)
  try {
    await once(server, 'listening')
  } catch (error) {
    const said = error instanceof Error ? error.message : String(error)
    throw new InputError('bad-option', `--health-port ${o.port} cannot be served on ${o.host}: ${said}`, {
      cause: error,
    })
  }
  server.on('error', (error) => o.log.warn({ err: error }, 'the health port had an error'))
  const { port } = server.address() as AddressInfo
  o.log.info({ host: o.host, port }, 'serving /healthz, /readyz and /metrics')
  return {
    port,
    close: async () => {
      server.closeAllConnections()
      server.close()
      await once(server, 'close')
    },
  }
}
