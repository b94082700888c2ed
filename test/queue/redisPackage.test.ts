import { chmodSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { findExecutable } from '../../src/base/executable.ts'
import { provideRedisProgram } from '../../src/queue/redisPackage.ts'
import { findRedisProgram } from '../../src/queue/redisProgram.ts'
import { silent } from '../support/redis.ts'

let folder: string
let bin: string
let stateFolder: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'headlight-package-'))
  bin = join(folder, 'bin')
  stateFolder = join(folder, 'state')
  mkdirSync(bin)
  for (const name of ['flock', 'sh']) symlinkSync(findExecutable(name, process.env.PATH ?? '') ?? '', join(bin, name))
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))

function program(name: string, script: string) {
  writeFileSync(join(bin, name), `#!/bin/sh\n${script}\n`)
  chmodSync(join(bin, name), 0o755)
}
const find = () => findRedisProgram({ searchPath: bin, stateFolder })
const provide = () => provideRedisProgram({ searchPath: bin, stateFolder, log: silent })

test('an installed server is used', async () => {
  program('redis-server', 'echo "Redis server v=6.2.6 sha=00000000:0 malloc=jemalloc-5.1.0 bits=64 build=1"')
  expect(await provide()).toEqual({
    path: join(bin, 'redis-server'),
    server: 'redis',
    version: '6.2.6',
    origin: 'search path',
  })
})

test('a server that is too old or does not start is passed over', async () => {
  program('redis-server', 'echo "Redis server v=6.0.16 sha=00000000:0"')
  expect(await find()).toBeNull()
  program('valkey-server', 'echo "Valkey server v=8.1.1 sha=00000000:0"')
  expect(await find()).toMatchObject({ server: 'valkey', version: '8.1.1' })
  program('valkey-server', 'exit 127')
  expect(await find()).toBeNull()
})

test('where nothing can be unpacked a sentence says what to install', async () => {
  await expect(provide()).rejects.toThrow(/^neither redis-server nor valkey-server .* is on the PATH; install one/)
})

test('where the package cannot be had a sentence says why and what to type', async () => {
  program('apt-get', 'echo "E: Unable to locate package $*" >&2; exit 100')
  program('dpkg-deb', 'exit 1')
  await expect(provide()).rejects.toThrow(
    /could not be unpacked into \S+state\/redis-program \(E: Unable to locate package .*\); type "sudo apt-get install redis-server" or give --redis URL$/,
  )
})

test('package lists are fetched without root where the machine has none', async () => {
  const calls = join(folder, 'calls')
  program(
    'apt-get',
    `echo "$*" >> ${calls}
case "$*" in
  *State::Lists*update) touch ${folder}/updated ;;
  *State::Lists*download*) [ -e ${folder}/updated ] || exit 100; for p in "$@"; do case "$p" in redis-*) echo > "$p.deb";; esac; done ;;
  *) echo "E: Unable to locate package redis-server" >&2; exit 100 ;;
esac`,
  )
  program(
    'dpkg-deb',
    `[ "$1" = -x ] || exit 0
/bin/mkdir -p "$3/usr/bin"
printf '#!/bin/sh\\necho "Redis server v=7.0.15 sha=0"\\n' > "$3/usr/bin/redis-server"
/bin/chmod 755 "$3/usr/bin/redis-server"`,
  )
  program('ldd', 'echo "	libc.so.6 => /lib/libc.so.6 (0x0)"')
  program('touch', 'echo > "$1"')
  expect(await provide()).toEqual({
    path: join(stateFolder, 'redis-program', 'bin', 'redis-server'),
    server: 'redis',
    version: '7.0.15',
    origin: 'unpacked',
  })
  expect(await find()).toMatchObject({ origin: 'unpacked' })
})
