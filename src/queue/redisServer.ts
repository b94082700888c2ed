import { spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { mkdir, open, readFile, rename, rm } from 'node:fs/promises'
import { connect } from 'node:net'
import { join } from 'node:path'
import { backoffMs, pause, type Backoff } from '../base/backoff.ts'
import { InputError } from '../base/errors.ts'
import { lockFile, type FileLock } from '../base/fileLock.ts'
import type { Logger } from '../base/telemetry.ts'

/** A server that was just started may have the files, and answers in a moment. */
const takingFiles: Backoff = { firstMs: 20, longestMs: 500 }
/** A command waits for the server, and asking it costs next to nothing. */
const awaitingAnswer: Backoff = { firstMs: 5, longestMs: 100 }

/** Where one private server lives. */
export interface ServerPlace {
  /** Its own folder, of this user alone. */
  readonly folder: string
  readonly socket: string
  readonly program: string
  readonly searchPath: string
  readonly log: Logger
}

/**
 * Makes sure that a server answers on the socket: finds the running one or starts one. The caller holds the start lock
 * of the folder. InputError `no-redis` when it cannot be.
 */
export async function ensureServer(place: ServerPlace): Promise<'found' | 'started'> {
  if ((await ping(place.socket)) === 'ready') return 'found'
  const lock = await takeFiles(place)
  if (lock === null) return 'found'
  try {
    await start(place, lock)
  } catch (error) {
    if (!(error instanceof UnreadableDataError)) throw error
    // The store is the truth: a run whose queue is lost is rebuilt from its manifest and records.
    const aside = `${dataFolder(place)}.unreadable-${Date.now()}`
    place.log.warn({ aside }, 'the data of the private Redis cannot be read; it is set aside, the queue starts empty')
    await rename(dataFolder(place), aside)
    await start(place, lock)
  } finally {
    // The server has inherited the lock and keeps it for as long as it lives.
    lock.release()
  }
  return 'started'
}

/** Ends the server and waits until its files are free. The caller holds the start lock of the folder. */
export async function stopServer(place: ServerPlace): Promise<void> {
  // NOSAVE is about the snapshot, of which there is none; the append-only file is written out all the same.
  await ask(place.socket, 'SHUTDOWN NOSAVE', 1_000)
  const lock = await endHolder(place, { politelyMs: 10_000 })
  lock.release()
}

/** Whether a server answers on the socket, now and without waiting for one that is starting. */
export async function serverAnswers(socket: string): Promise<boolean> {
  return (await ping(socket)) === 'ready'
}

type Answer = 'ready' | 'loading' | 'mute' | 'absent'

async function ping(socket: string): Promise<Answer> {
  const reply = await ask(socket, 'PING', 2_000)
  if (reply.startsWith('+PONG')) return 'ready'
  if (reply.startsWith('-LOADING')) return 'loading'
  return reply === 'absent' ? 'absent' : 'mute'
}

/**
 * The first bytes of the reply; `absent` when nobody accepts the connection, empty when nobody replies in time. Raw, since
 * a Redis client waits and repeats by itself, where here every answer means something of its own.
 */
function ask(socket: string, command: string, timeoutMs: number): Promise<string> {
  return new Promise((resolve) => {
    const connection = connect(socket)
    let connected = false
    const done = (reply: string) => {
      connection.destroy()
      resolve(reply)
    }
    connection.setTimeout(timeoutMs, () => done(''))
    connection.once('connect', () => {
      connected = true
      connection.write(`${command}\r\n`)
    })
    connection.once('data', (bytes) => done(bytes.toString('latin1')))
    connection.once('error', () => done(connected ? '' : 'absent'))
    connection.once('close', () => done(''))
  })
}

const serverLock = (place: ServerPlace, waitMs: number) =>
  lockFile(join(place.folder, 'server.lock'), { kind: 'exclusive', waitMs, searchPath: place.searchPath })
const dataFolder = (place: ServerPlace) => join(place.folder, 'data')
const pidFile = (place: ServerPlace) => join(place.folder, 'server.pid')
const logFile = (place: ServerPlace) => join(place.folder, 'server.log')

/**
 * The lock that every server holds on its files for life: two servers on the same files would ruin them. Null when its
 * holder turned out to answer after all, as one does that was just being started by a headlight which was then killed.
 */
async function takeFiles(place: ServerPlace): Promise<FileLock | null> {
  const absentLimitMs = 5_000
  const muteLimitMs = 60_000
  const since = Date.now()
  for (let attempt = 1; ; attempt++) {
    const lock = await serverLock(place, 0)
    if (lock !== null) return lock
    const answer = await ping(place.socket)
    if (answer === 'ready') return null
    const waitedMs = Date.now() - since
    // Its socket was deleted under it (by a cleaner of /tmp, say): nobody can ever reach it again, so it must go.
    if (answer === 'absent' && waitedMs > absentLimitMs) return endHolder(place, { politelyMs: 10_000 })
    if (answer === 'mute' && waitedMs > muteLimitMs) {
      throw new InputError(
        'no-redis',
        `the private Redis in ${place.folder} runs but does not reply; end it with: kill -9 ${(await holder(place)) ?? 'its pid'}`,
      )
    }
    await pause(backoffMs(takingFiles, attempt))
  }
}

/** Ends whoever holds the server's files, first by SIGTERM (writes its data out), then by SIGKILL, and takes them. */
async function endHolder(place: ServerPlace, o: { politelyMs: number }): Promise<FileLock> {
  const free = await serverLock(place, o.politelyMs)
  if (free !== null) return free
  for (const signal of ['SIGTERM', 'SIGKILL'] as const) {
    const pid = await holder(place)
    try {
      if (pid !== null) process.kill(pid, signal)
    } catch {
      // It has just ended by itself.
    }
    const lock = await serverLock(place, 10_000)
    if (lock !== null) return lock
  }
  throw new InputError('no-redis', `the private Redis in ${place.folder} cannot be ended; end it and try again`)
}

/**
 * The pid that the server wrote down. To be trusted only while the server's lock is held: the file is deleted before each
 * start, so then the pid in it is its holder's.
 */
async function holder(place: ServerPlace): Promise<number | null> {
  const pid = Number(await readFile(pidFile(place), 'utf8').catch(() => ''))
  return Number.isInteger(pid) && pid > 1 ? pid : null
}

class UnreadableDataError extends Error {}

async function start(place: ServerPlace, lock: FileLock): Promise<void> {
  const hadData = existsSync(dataFolder(place))
  await mkdir(dataFolder(place), { recursive: true, mode: 0o700 })
  await rm(pidFile(place), { force: true })
  await rm(place.socket, { force: true })
  await rename(logFile(place), `${logFile(place)}.1`).catch(() => undefined)
  const log = await open(logFile(place), 'a', 0o600)
  const args = [
    ['--port', '0'],
    ['--unixsocket', place.socket],
    ['--unixsocketperm', '700'],
    ['--dir', dataFolder(place)],
    ['--pidfile', pidFile(place)],
    ['--appendonly', 'yes'],
    ['--appendfsync', 'everysec'],
    // No snapshots beside the append-only file.
    ['--save', ''],
    ['--maxmemory-policy', 'noeviction'],
    ['--daemonize', 'no'],
  ].flat()
  const server = spawn(place.program, args, {
    // In a process group of its own: Ctrl-C must reach headlight, not Redis.
    detached: true,
    cwd: place.folder,
    stdio: ['ignore', log.fd, log.fd, lock.fd],
    // Not this process' environment: it may hold credentials, and Redis refuses to start in an unknown locale.
    env: { LC_ALL: 'C', PATH: place.searchPath },
  })
  let ended: { what: string; byItself: boolean } | null = null
  server.once('error', (error) => (ended = { what: error.message, byItself: false }))
  server.once('exit', (code, signal) => {
    ended = { what: `ended with ${signal ?? `code ${code}`}`, byItself: signal === null && code !== 0 }
  })
  server.unref()
  await log.close()

  const absentLimitMs = 60_000
  const since = Date.now()
  for (let attempt = 1; ; attempt++) {
    const answer = await ping(place.socket)
    if (answer === 'ready') return
    if (ended !== null) throw await startError(place, hadData, ended)
    // Loading takes as long as it takes; silence does not.
    if (answer !== 'loading' && Date.now() - since > absentLimitMs) {
      server.kill('SIGKILL')
      throw await startError(place, hadData, { what: 'did not answer', byItself: false })
    }
    await pause(backoffMs(awaitingAnswer, attempt))
  }
}

/**
 * The last words of Redis and Valkey when the append-only file is not what they wrote, or what a newer version wrote. A
 * healthy start speaks of AOF and RDB as well, so the lines before the last say nothing.
 */
const unreadable = /Bad file format|append[- ]only file|AOF|RDB|Unrecoverable error|checksum/i
/** The files are whole, only no place is left to write on, or no right. */
const unwritable = /No space left|Disk quota|Permission denied|Read-only file system|Input\/output error/i

/**
 * UnreadableDataError only of a server that gave up by itself over its data: one that was killed, or that cannot start
 * at all (no memory, a full disk), must not cost the queue. Data that it has only just begun is not to blame either.
 */
async function startError(
  place: ServerPlace,
  hadData: boolean,
  ended: { what: string; byItself: boolean },
): Promise<Error> {
  const lines = (await readFile(logFile(place), 'utf8').catch(() => '')).trim().split('\n')
  const last = lines.at(-1) ?? ''
  if (ended.byItself && hadData && unreadable.test(last) && !unwritable.test(last)) {
    return new UnreadableDataError(last)
  }
  return new InputError(
    'no-redis',
    `the private Redis (${place.program}) ${ended.what}: "${last}"; see ${logFile(place)} or give --redis URL`,
  )
}
