import { once } from 'node:events'
import type { Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { createAdaptorServer, type HttpBindings } from '@hono/node-server'
import type { Hono } from 'hono'
import { InputError } from '../base/errors.ts'

/** How long a request may go on once the server ends. */
const lastWordsMs = 2_000

export interface Listening {
  readonly port: number
  /** Lets what is being answered end, for a moment; then the port is free. */
  close(): Promise<void>
}

/** Serves the app. `port` 0 takes a free one. InputError `bad-option` when the port or the address cannot be had. */
export async function listen(app: Hono<{ Bindings: HttpBindings }>, host: string, port: number): Promise<Listening> {
  // Without the library's own Request and Response in place of Node.js': nothing else of the process is to change.
  const server = createAdaptorServer({ fetch: app.fetch, overrideGlobalObjects: false }) as Server
  // Headers that trickle in, and connections that ask nothing, are not kept for ever.
  server.headersTimeout = 10_000
  server.requestTimeout = 30_000
  server.listen(port, host)
  try {
    await once(server, 'listening')
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    const reason =
      code === 'EADDRINUSE' ? 'something else listens there; --port takes another, and 0 any free one' : String(error)
    throw new InputError('bad-option', `port ${port} of ${host} cannot be served: ${reason}`, { cause: error })
  }
  return {
    port: (server.address() as AddressInfo).port,
    close: async () => {
      const closed = once(server, 'close')
      server.close()
      server.closeIdleConnections()
      const timer = setTimeout(() => server.closeAllConnections(), lastWordsMs)
      await closed
      clearTimeout(timer)
    },
  }
}
