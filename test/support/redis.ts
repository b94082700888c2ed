import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { connect, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { delimiter, dirname, join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { createLogger } from '../../src/base/telemetry.ts'
import { openPrivateRedis } from '../../src/queue/privateRedis.ts'
import { provideRedisProgram } from '../../src/queue/redisPackage.ts'
import type { QueueConnection } from '../../src/queue/redisUrl.ts'

export const silent = createLogger('silent')

/** Shared by all tests, so that the distribution's package is unpacked once per checkout. */
const cacheFolder = fileURLToPath(new URL('../../node_modules/.cache/headlight', import.meta.url))

/**
 * A PATH on which a Redis server program is found, unpacked first if need be. Where none can be had it raises the
 * sentence that says what to install: a test must fail then, since skipped it would look like passed.
 */
export async function searchPathWithRedis(): Promise<string> {
  return `${dirname(await provideTestRedis())}${delimiter}${process.env.PATH ?? ''}`
}

let provided: Promise<{ path: string }> | undefined

/** The path of a Redis server program. */
export async function provideTestRedis(): Promise<string> {
  provided ??= provideRedisProgram({ searchPath: process.env.PATH ?? '', stateFolder: cacheFolder, log: silent })
  return (await provided).path
}

/** A Redis of this test alone, with its data in a temporary folder. */
export async function startTestRedis(): Promise<{ connection: QueueConnection; stop(): Promise<void> }> {
  const stateFolder = await mkdtemp(join(tmpdir(), 'headlight-redis-'))
  const redis = await openPrivateRedis({
    stateFolder,
    output: 'file:///test/',
    log: silent,
    searchPath: await searchPathWithRedis(),
  })
  return {
    connection: redis.connection,
    stop: async () => {
      await redis.release()
      await rm(stateFolder, { recursive: true, force: true })
    },
  }
}

/** A Redis on a TCP port of this machine (a free one unless given), with settings of the test's own. */
export async function startTcpRedis(
  o: { port?: number; settings?: readonly string[] } = {},
): Promise<{ port: number; stop(): Promise<void> }> {
  const port = o.port ?? (await freePort())
  const args = ['--port', `${port}`, '--bind', '127.0.0.1', '--save', '', ...(o.settings ?? [])]
  const folder = await mkdtemp(join(tmpdir(), 'headlight-redis-'))
  const server = spawn(await provideTestRedis(), args, { cwd: folder, stdio: 'ignore' })
  const ended = once(server, 'exit')
  while (!(await accepts(port))) {
    if (server.exitCode !== null || server.signalCode !== null)
      throw new Error(`redis-server ${args.join(' ')} ended with code ${server.exitCode}`)
    await sleep(20)
  }
  return {
    port,
    stop: async () => {
      server.kill('SIGKILL')
      await ended
      await rm(folder, { recursive: true, force: true })
    },
  }
}

/** Free when asked; nobody else listens on loopback ports in the few milliseconds until it is used. */
export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  server.close()
  await once(server, 'close')
  if (address === null || typeof address === 'string') throw new Error('no port')
  return address.port
}

/** Free, and low enough for a node of a cluster, which talks to the others on the port ten thousand higher. */
export async function freeClusterPort(): Promise<number> {
  for (;;) {
    const port = await freePort()
    if (port <= 55_535) return port
  }
}

function accepts(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1')
    socket.once('error', () => resolve(false))
    socket.once('connect', () => {
      socket.destroy()
      resolve(true)
    })
  })
}

/** Whether a process of this pid runs; one that has ended and waits for its parent to notice does not. */
export function processRuns(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return !/^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'))
  } catch {
    return false
  }
}
