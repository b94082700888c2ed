import { createHash } from 'node:crypto'
import { existsSync, lstatSync, mkdirSync } from 'node:fs'
import { realpath } from 'node:fs/promises'
import { connect, type Socket } from 'node:net'
import { hostname } from 'node:os'
import { join } from 'node:path'
import { backoffMs, pause, type Backoff } from '../base/backoff.ts'
import { InputError } from '../base/errors.ts'
import { lockFile, type FileLock } from '../base/fileLock.ts'
import type { Logger } from '../base/telemetry.ts'
import { provideRedisProgram } from './redisPackage.ts'
import { ensureServer, serverAnswers, stopServer, type ServerPlace } from './redisServer.ts'
import { unixConnection, type QueueConnection } from './redisUrl.ts'

const startingAgain: Backoff = { firstMs: 250, longestMs: 30_000 }

export interface PrivateRedis {
  readonly connection: QueueConnection
  /** Lets go of the server; the last one to do so stops it. A killed process counts as having let go. */
  release(): Promise<void>
}

/**
 * Finds or starts the Redis server of one user, host and output: a Unix socket, no port, an append-only file, in a
 * folder under `stateFolder`. It outlives a killed headlight and is found again by the next one; while this process
 * lives, a server that dies is started again on its data.
 *
 * Three locks, all of which the kernel drops when their holder dies: `start.lock` covers look-and-start and
 * let-go-and-stop; `clients.lock` is shared by all who use the server; `server.lock` is held by the server itself.
 *
 * @param o.output canonical URI of the output store
 * @param o.searchPath the PATH in which to look for programs
 * @throws InputError `no-redis`
 */
export async function openPrivateRedis(o: {
  stateFolder: string
  output: string
  /** Called before a server program is unpacked, which takes many seconds. */
  onUnpack?: () => void
  log: Logger
  searchPath: string
}): Promise<PrivateRedis> {
  const folder = join(o.stateFolder, 'redis', folderName(o.output))
  ownFolder(folder)
  const program = await provideRedisProgram(o)
  const place: ServerPlace = {
    folder,
    socket: await socketPath(folder),
    program: program.path,
    searchPath: o.searchPath,
    log: o.log,
  }
  const client = await withStartLock(place, async () => {
    const state = await ensureServer(place)
    o.log.debug({ folder, state, program }, 'private Redis')
    return lock(place, 'clients.lock', { kind: 'shared', waitMs: lockWaitMs })
  })
  if (client === null) throw new InputError('no-redis', `the file ${join(folder, 'clients.lock')} stays locked`)
  const watchdog = watch(place)
  let released: Promise<void> | undefined
  return {
    connection: unixConnection(place.socket, { db: 0 }, describe(folder)),
    release: () => (released ??= release(place, client, watchdog)),
  }
}

/** The private server of an output, where one runs on this host: to look at, not to keep. Nothing is started or made. */
export async function runningPrivateRedis(o: {
  stateFolder: string
  output: string
}): Promise<QueueConnection | undefined> {
  const folder = join(o.stateFolder, 'redis', folderName(o.output))
  if (!existsSync(folder)) return undefined
  const socket = await socketPath(folder)
  return (await serverAnswers(socket)) ? unixConnection(socket, { db: 0 }, describe(folder)) : undefined
}

const describe = (folder: string) => `the private Redis in ${folder}`

async function release(place: ServerPlace, client: FileLock, watchdog: Watchdog): Promise<void> {
  await watchdog.stop()
  await withStartLock(place, async () => {
    client.release()
    const alone = await lock(place, 'clients.lock', { kind: 'exclusive', waitMs: 0 })
    if (alone === null) return
    try {
      await stopServer(place)
    } finally {
      alone.release()
    }
  })
}

const lockWaitMs = 120_000

function lock(place: ServerPlace, name: string, o: { kind: 'exclusive' | 'shared'; waitMs: number }) {
  return lockFile(join(place.folder, name), { ...o, searchPath: place.searchPath })
}

async function withStartLock<T>(place: ServerPlace, action: () => Promise<T>): Promise<T> {
  const start = await lock(place, 'start.lock', { kind: 'exclusive', waitMs: lockWaitMs })
  if (start === null) {
    throw new InputError(
      'no-redis',
      `another headlight has been starting the private Redis in ${place.folder} for two minutes; end it and try again`,
    )
  }
  try {
    return await action()
  } finally {
    start.release()
  }
}

/** The host is part of it, since a home folder may be shared by machines, which cannot share a socket. */
function folderName(output: string): string {
  const parts = [hostname(), process.getuid?.() ?? 0, output]
  return createHash('sha256').update(JSON.stringify(parts)).digest('hex').slice(0, 16)
}

/** Bytes of a socket's path without the closing NUL. Redis cuts a longer one off silently. */
const socketPathLimit = process.platform === 'darwin' ? 103 : 107

/** In the server's folder; where that is too deep, in a short folder of this user under /tmp. */
async function socketPath(folder: string): Promise<string> {
  const inFolder = join(folder, 'redis.sock')
  if (Buffer.byteLength(inFolder) <= socketPathLimit) return inFolder
  const short = `/tmp/headlight-${process.getuid?.() ?? 0}`
  ownFolder(short)
  const name = createHash('sha256')
    .update(await realpath(folder))
    .digest('hex')
    .slice(0, 16)
  return join(short, `${name}.sock`)
}

/**
 * Makes a folder that no other user can look into. Whoever owns the folder of a socket can put another server there, and
 * anybody may have made one under /tmp first.
 */
function ownFolder(folder: string): void {
  try {
    mkdirSync(folder, { recursive: true, mode: 0o700 })
  } catch (error) {
    throw new InputError(
      'no-redis',
      `the folder ${folder} for the private Redis cannot be made (${String(error)}); choose another state folder or give --redis URL`,
      { cause: error },
    )
  }
  // Not what a link points to: the link's owner may turn it.
  const found = lstatSync(folder)
  const mine = process.getuid === undefined || found.uid === process.getuid()
  if (!found.isDirectory() || !mine || (found.mode & 0o077) !== 0) {
    throw new InputError(
      'no-redis',
      `the folder ${folder} must belong to this user alone (chmod 700); mend or remove it, or give --redis URL`,
    )
  }
}

interface Watchdog {
  stop(): Promise<void>
}

/**
 * Keeps a silent connection to the server. When it breaks, the server has died: start it again on its data, so that
 * whoever waits for Redis goes on. Asking every few seconds instead would find it seconds late.
 */
function watch(place: ServerPlace): Watchdog {
  const stopped = new AbortController()
  let socket: Socket
  let restarting: Promise<void> = Promise.resolve()

  const listen = () => {
    socket = connect(place.socket)
    // A process that has nothing else to do may end.
    socket.unref()
    socket.on('error', () => undefined)
    socket.once('close', () => {
      if (!stopped.signal.aborted) restarting = restart()
    })
  }

  const restart = async () => {
    for (let attempt = 1; !stopped.signal.aborted; attempt++) {
      try {
        const state = await withStartLock(place, () => ensureServer(place))
        if (state === 'started') place.log.warn('the private Redis had ended; it was started again on its data')
        listen()
        return
      } catch (error) {
        const pauseMs = Math.round(backoffMs(startingAgain, attempt))
        place.log.error({ err: error }, `the private Redis ended and does not start again; next try in ${pauseMs} ms`)
        await pause(pauseMs, { signal: stopped.signal, ref: false })
      }
    }
  }

  listen()
  return {
    stop: async () => {
      stopped.abort()
      await restarting
      socket.destroy()
    },
  }
}
