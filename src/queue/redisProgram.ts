import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { findExecutable } from '../base/executable.ts'
import { isRecent } from './checkRedis.ts'

const run = promisify(execFile)

/** A server program that runs on this machine and is recent enough. */
export interface RedisProgram {
  readonly path: string
  readonly server: 'redis' | 'valkey'
  readonly version: string
  /** `search path`: installed on the machine; `unpacked`: in headlight's state folder. */
  readonly origin: 'search path' | 'unpacked'
}

/** Where `redisPackage.ts` unpacks the distribution's package. */
export const programFolder = (stateFolder: string) => join(stateFolder, 'redis-program')
export const unpackedProgram = (folder: string) => join(folder, 'bin', 'redis-server')

/**
 * The first of `redis-server` and `valkey-server` on the search path, then the unpacked one. One that does not start
 * or is too old is passed over, since a newer one may stand behind it. Null when there is none; nothing is installed.
 */
export async function findRedisProgram(o: { searchPath: string; stateFolder: string }): Promise<RedisProgram | null> {
  for (const name of ['redis-server', 'valkey-server']) {
    const path = findExecutable(name, o.searchPath)
    const found = path === null ? null : await inspectProgram(path, 'search path')
    if (found !== null) return found
  }
  return inspectProgram(unpackedProgram(programFolder(o.stateFolder)), 'unpacked')
}

/** Null when the program does not start or is too old. */
export async function inspectProgram(path: string, origin: RedisProgram['origin']): Promise<RedisProgram | null> {
  try {
    // "Redis server v=7.0.15 sha=…" or "Valkey server v=8.1.1 sha=…"
    const { stdout } = await run(path, ['--version'], { timeout: 10_000 })
    const match = /^(Redis|Valkey) server v=(\d+\.\d+[\d.]*)/i.exec(stdout)
    const [, name, version] = match ?? []
    if (name === undefined || version === undefined || !isRecent(version)) return null
    return { path, server: name.toLowerCase() === 'valkey' ? 'valkey' : 'redis', version, origin }
  } catch {
    return null
  }
}
