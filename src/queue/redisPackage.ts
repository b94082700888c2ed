import { execFile } from 'node:child_process'
import { chmod, mkdir, readdir, rename, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { InputError } from '../base/errors.ts'
import { findExecutable } from '../base/executable.ts'
import { lockFile } from '../base/fileLock.ts'
import type { Logger } from '../base/telemetry.ts'
import { findRedisProgram, inspectProgram, programFolder, unpackedProgram, type RedisProgram } from './redisProgram.ts'

const run = promisify(execFile)

const commandTimeoutMs = 180_000

/**
 * A Redis or Valkey server program: an installed one, one unpacked before, or one unpacked now from the distribution's
 * package into the state folder. That takes neither root nor an installation: `apt-get download`, `dpkg-deb -x`.
 *
 * InputError `no-redis` with the command to type when there is none to be had.
 */
export async function provideRedisProgram(o: {
  searchPath: string
  stateFolder: string
  /** Unpacking takes many seconds, in which nothing else is to be seen. */
  onUnpack?: () => void
  log: Logger
}): Promise<RedisProgram> {
  const found = await findRedisProgram(o)
  if (found !== null) return found
  const aptGet = findExecutable('apt-get', o.searchPath)
  const dpkgDeb = findExecutable('dpkg-deb', o.searchPath)
  if (aptGet === null || dpkgDeb === null) {
    throw new InputError(
      'no-redis',
      'neither redis-server nor valkey-server (6.2 or newer) is on the PATH; install one (brew install redis, dnf install valkey, …) or give --redis URL',
    )
  }

  await mkdir(o.stateFolder, { recursive: true, mode: 0o700 })
  const folder = programFolder(o.stateFolder)
  const lock = await lockFile(`${folder}.lock`, {
    kind: 'exclusive',
    waitMs: 2 * commandTimeoutMs,
    searchPath: o.searchPath,
  })
  try {
    // Another start may have unpacked it while this one waited.
    const meanwhile = await findRedisProgram(o)
    if (meanwhile !== null) return meanwhile
    o.onUnpack?.()
    return await unpack(folder, { aptGet, dpkgDeb, searchPath: o.searchPath, log: o.log })
  } catch (error) {
    if (error instanceof InputError) throw error
    throw new InputError(
      'no-redis',
      `no redis-server is on the PATH, and the distribution's could not be unpacked into ${folder} (${lastLine(error)}); type "sudo apt-get install redis-server" or give --redis URL`,
      { cause: error },
    )
  } finally {
    lock?.release()
  }
}

interface Tools {
  aptGet: string
  dpkgDeb: string
  searchPath: string
  log: Logger
}

async function unpack(folder: string, tools: Tools): Promise<RedisProgram> {
  // The lock is held, so a partial folder is what a killed start left behind.
  const partial = `${folder}.partial`
  await rm(partial, { recursive: true, force: true })
  const packages = join(partial, 'packages')
  await mkdir(packages, { recursive: true })

  const download = await downloader(partial, packages, tools)
  const server = await firstOf(
    async () => (await download(['redis-server', 'redis-tools']), 'redis-server'),
    async () => (await download(['valkey-server', 'valkey-tools']), 'valkey-server'),
  )
  const root = join(partial, 'root')
  await unpackAll(packages, root, tools)
  await completeLibraries(join(root, 'usr', 'bin', server), packages, root, download, tools)

  const program = unpackedProgram(partial)
  await mkdir(join(partial, 'bin'))
  await writeFile(program, wrapper(server, await libraryFolders(root)))
  await chmod(program, 0o755)
  if ((await inspectProgram(program, 'unpacked')) === null) {
    const { stderr } = await run(program, ['--version'])
    throw new Error(`the unpacked ${server} does not run or is older than 6.2 ${stderr}`.trim())
  }
  for (const name of ['packages', 'lists', 'cache']) await rm(join(partial, name), { recursive: true, force: true })
  await rm(folder, { recursive: true, force: true })
  await rename(partial, folder)
  const unpacked = await inspectProgram(unpackedProgram(folder), 'unpacked')
  if (unpacked === null) throw new Error(`the unpacked ${server} does not run`)
  return unpacked
}

type Download = (names: readonly string[]) => Promise<void>

/**
 * `apt-get download` with the machine's package lists, or, where these are missing or stale (fresh containers have
 * none), with lists of our own: apt needs root only for the folders of the system.
 */
async function downloader(partial: string, packages: string, tools: Tools): Promise<Download> {
  const options = ['-q', '-o', 'APT::Sandbox::User=root']
  const withOptions: (more: readonly string[]) => Download = (more) => async (names) => {
    await run(tools.aptGet, [...options, ...more, 'download', ...names], { cwd: packages, timeout: commandTimeoutMs })
  }
  const system = withOptions([])
  try {
    await system(['redis-server'])
    return system
  } catch (error) {
    tools.log.info(`the package lists of this machine do not serve (${lastLine(error)}); fetching them`)
  }
  const lists = join(partial, 'lists')
  const cache = join(partial, 'cache')
  await mkdir(join(lists, 'partial'), { recursive: true })
  await mkdir(join(cache, 'archives', 'partial'), { recursive: true })
  const own = ['-o', `Dir::State::Lists=${lists}`, '-o', `Dir::Cache=${cache}`]
  await run(tools.aptGet, [...options, ...own, 'update'], { timeout: commandTimeoutMs })
  return withOptions(own)
}

async function unpackAll(packages: string, root: string, tools: Tools): Promise<void> {
  for (const file of await debFiles(packages)) await run(tools.dpkgDeb, ['-x', file, root])
}

const debFiles = async (folder: string) =>
  (await readdir(folder)).filter((name) => name.endsWith('.deb')).map((name) => join(folder, name))

/**
 * Fetches the libraries that the loader misses, out of what the packages so far depend on. Never libc6: a libc beside
 * the machine's own loader crashes every program.
 */
async function completeLibraries(binary: string, packages: string, root: string, download: Download, tools: Tools) {
  const fetched = new Set<string>()
  for (let round = 0; round < 4; round++) {
    const missing = await missingLibraries(binary, root, tools)
    if (missing.length === 0) return
    const candidates = (await libraryDependencies(packages, tools)).filter(([first]) => !fetched.has(first))
    const named = candidates.filter((names) => names.some((name) => missing.some((so) => provides(name, so))))
    for (const names of named.length > 0 ? named : candidates) {
      fetched.add(names[0])
      await firstOf(...names.map((name) => () => download([name])))
    }
    await unpackAll(packages, root, tools)
  }
  const missing = await missingLibraries(binary, root, tools)
  if (missing.length > 0) throw new Error(`no package gives ${missing.join(', ')}`)
}

/** Names of shared objects that `binary` needs and the loader does not find. */
async function missingLibraries(binary: string, root: string, tools: Tools): Promise<string[]> {
  const ldd = findExecutable('ldd', tools.searchPath)
  if (ldd === null) throw new Error('ldd is not on the PATH')
  const { stdout } = await run(ldd, [binary], {
    env: { LD_LIBRARY_PATH: (await libraryFolders(root)).map((f) => join(root, f)).join(':'), PATH: tools.searchPath },
  })
  return [...stdout.matchAll(/^\s*(\S+) => not found/gm)].flatMap(([, name]) => (name === undefined ? [] : [name]))
}

/** `liblua5.1.so.0` is in the package `liblua5.1-0`, `libssl.so.3` in `libssl3` or `libssl3t64`. */
function provides(packageName: string, sharedObject: string): boolean {
  const bare = (text: string) => text.replace('.so', '').replaceAll(/[.-]/g, '')
  return bare(packageName).startsWith(bare(sharedObject))
}

/** Each library that the packages here depend on, as its alternatives. */
async function libraryDependencies(packages: string, tools: Tools): Promise<[string, ...string[]][]> {
  const dependencies: [string, ...string[]][] = []
  for (const file of await debFiles(packages)) {
    const { stdout } = await run(tools.dpkgDeb, ['-f', file, 'Depends'])
    for (const entry of stdout.split(',')) {
      const [first, ...others] = entry.split('|').map((name) => name.trim().replace(/[ :(].*$/s, ''))
      if (first?.startsWith('lib') === true && !first.startsWith('libc6')) dependencies.push([first, ...others])
    }
  }
  return dependencies
}

/** Folders below `root` that hold shared objects, relative to it. */
async function libraryFolders(root: string): Promise<string[]> {
  const entries = await readdir(root, { recursive: true, withFileTypes: true })
  const folders = entries.filter((entry) => /\.so(\.|$)/.test(entry.name)).map((entry) => entry.parentPath)
  return [...new Set(folders)].map((folder) => folder.slice(root.length + 1)).sort()
}

/** Replaces itself by the server, so that pid and inherited descriptors stay; finds its libraries beside itself. */
function wrapper(server: string, libraries: readonly string[]): string {
  const path = libraries.map((folder) => `$root/${folder}`).join(':')
  return `#!/bin/sh
root="\${0%/*}/../root"
LD_LIBRARY_PATH="${path}" exec "$root/usr/bin/${server}" "$@"
`
}

async function firstOf<T>(...attempts: (() => Promise<T>)[]): Promise<T> {
  let last: unknown
  for (const attempt of attempts) {
    try {
      return await attempt()
    } catch (error) {
      last ??= error
    }
  }
  throw last
}

function lastLine(error: unknown): string {
  const said =
    error instanceof Error && 'stderr' in error && typeof error.stderr === 'string' ? error.stderr.trim() : ''
  return (said === '' ? String(error) : said).split('\n').at(-1) ?? ''
}
