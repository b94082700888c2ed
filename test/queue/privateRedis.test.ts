import { chmodSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Redis } from 'ioredis'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { openPrivateRedis, type PrivateRedis } from '../../src/queue/privateRedis.ts'
import type { QueueConnection } from '../../src/queue/redisUrl.ts'
import { processRuns, searchPathWithRedis, silent } from '../support/redis.ts'

let stateFolder: string
const opened: PrivateRedis[] = []
beforeEach(() => {
  stateFolder = mkdtempSync(join(tmpdir(), 'headlight-private-'))
})
afterEach(async () => {
  for (const redis of opened.splice(0)) await redis.release()
  rmSync(stateFolder, { recursive: true, force: true })
})

async function open(o: { output?: string; stateFolder?: string } = {}): Promise<PrivateRedis> {
  const redis = await openPrivateRedis({
    stateFolder: o.stateFolder ?? stateFolder,
    output: o.output ?? 's3://bucket/output/',
    log: silent,
    searchPath: await searchPathWithRedis(),
  })
  opened.push(redis)
  return redis
}

async function ask<T>(connection: QueueConnection, question: (client: Redis) => Promise<T>): Promise<T> {
  const client = new Redis(connection.redis)
  try {
    return await question(client)
  } finally {
    client.disconnect()
  }
}
const serverPid = ({ connection }: PrivateRedis) =>
  ask(connection, async (client) => Number(/process_id:(\d+)/.exec(await client.info('server'))?.[1]))
const serverFolder = () => join(stateFolder, 'redis', readdirSync(join(stateFolder, 'redis'))[0] ?? '')

test('the server keeps every write, evicts nothing, and listens on its socket alone', async () => {
  const { connection } = await open()
  const setting = (name: string) =>
    ask(connection, async (client) => (await client.config('GET', name)) as [string, string])
  expect((await setting('appendonly'))[1]).toBe('yes')
  expect((await setting('appendfsync'))[1]).toBe('everysec')
  expect((await setting('save'))[1]).toBe('')
  expect((await setting('maxmemory-policy'))[1]).toBe('noeviction')
  expect((await setting('port'))[1]).toBe('0')
  expect((await setting('unixsocketperm'))[1]).toBe('700')
})

test('the server is in a process group of its own and knows nothing of our environment', async () => {
  vi.stubEnv('HEADLIGHT_TEST_SECRET', 'hunter2')
  const pid = await serverPid(await open())
  vi.unstubAllEnvs()
  // After the name in parentheses: state, parent, process group, session.
  const [, , group, session] = readFileSync(`/proc/${pid}/stat`, 'utf8')
    .replace(/^.*\) /, '')
    .split(' ')
  expect([Number(group), Number(session)]).toEqual([pid, pid])
  expect(readFileSync(`/proc/${pid}/environ`, 'latin1')).not.toContain('hunter2')
})

test('one output has one server, another output another one', async () => {
  const [first, second, other] = [await open(), await open(), await open({ output: 's3://bucket/other/' })]
  expect(await serverPid(second)).toBe(await serverPid(first))
  expect(await serverPid(other)).not.toBe(await serverPid(first))
})

test('the last one to let go stops the server, and what it held is there at the next start', async () => {
  const [first, second] = [await open(), await open()]
  const pid = await serverPid(first)
  await ask(first.connection, (client) => client.set('kept', 'yes'))
  await first.release()
  expect(processRuns(pid)).toBe(true)
  await Promise.all([second.release(), second.release()])
  expect(processRuns(pid)).toBe(false)

  const next = await open()
  expect(await ask(next.connection, (client) => client.get('kept'))).toBe('yes')
})

test('its description holds no secret and names its folder', async () => {
  const { connection } = await open()
  expect(connection.description).toBe(`the private Redis in ${serverFolder()}`)
})

test('where the state folder is too deep for a socket the path of the socket is short', async () => {
  const deep = join(stateFolder, 'deep'.repeat(30), 'täglich neu')
  mkdirSync(deep, { recursive: true })
  const first = await open({ stateFolder: deep })
  expect(Buffer.byteLength(first.connection.redis.path ?? '')).toBeLessThanOrEqual(103)
  const second = await open({ stateFolder: deep })
  expect(await serverPid(second)).toBe(await serverPid(first))
})

test('a folder that others can look into is refused', async () => {
  await (await open()).release()
  chmodSync(serverFolder(), 0o755)
  await expect(open()).rejects.toThrow(/must belong to this user alone \(chmod 700\)/)
})

test('a state folder that cannot be written is said so', async () => {
  writeFileSync(join(stateFolder, 'file'), '')
  await expect(open({ stateFolder: join(stateFolder, 'file') })).rejects.toThrow(
    /^the folder .* cannot be made \(.*\); choose another state folder or give --redis URL$/,
  )
})

test('data that cannot be read is set aside, and the queue starts empty', async () => {
  const first = await open()
  await ask(first.connection, (client) => client.set('lost', 'yes'))
  await first.release()
  const data = join(serverFolder(), 'data')
  for (const entry of readdirSync(data, { recursive: true, withFileTypes: true })) {
    if (entry.isFile()) writeFileSync(join(entry.parentPath, entry.name), 'this is no append-only file\n'.repeat(100))
  }
  const second = await open()
  expect(await ask(second.connection, (client) => client.get('lost'))).toBeNull()
  expect(readdirSync(serverFolder()).filter((name) => name.startsWith('data.unreadable-'))).toHaveLength(1)
})

test.each([
  ['is killed while it loads', 'echo "* Done loading RDB, keys loaded: 1"; kill -9 $$'],
  [
    'says a healthy word about its AOF before it fails',
    'echo "* Creating AOF base file"; echo "Out of memory"; exit 1',
  ],
  ['finds no space', 'echo "Can\'t write the append only file: No space left on device"; exit 1'],
])('data is not set aside for a server that %s', async (_what, script) => {
  await (await open()).release()
  const bin = join(stateFolder, 'bin')
  mkdirSync(bin)
  const version = '[ "$1" = --version ] && echo "Redis server v=7.0.0 sha=0" && exit 0'
  writeFileSync(join(bin, 'redis-server'), `#!/bin/sh\n${version}\n${script}\n`)
  chmodSync(join(bin, 'redis-server'), 0o755)
  const searchPath = `${bin}:${process.env.PATH}`
  const failing = openPrivateRedis({ stateFolder, output: 's3://bucket/output/', log: silent, searchPath })
  await expect(failing).rejects.toMatchObject({ code: 'no-redis' })
  expect(readdirSync(serverFolder()).filter((name) => name.startsWith('data'))).toEqual(['data'])
})

test('a server that blames its data again when it has none any more is refused with its words', async () => {
  await (await open()).release()
  const bin = join(stateFolder, 'bin')
  mkdirSync(bin)
  const version = '[ "$1" = --version ] && echo "Redis server v=7.0.0 sha=0" && exit 0'
  const script = 'echo "Bad file format reading the append only file"; exit 1'
  writeFileSync(join(bin, 'redis-server'), `#!/bin/sh\n${version}\n${script}\n`)
  chmodSync(join(bin, 'redis-server'), 0o755)
  const searchPath = `${bin}:${process.env.PATH}`
  const failing = openPrivateRedis({ stateFolder, output: 's3://bucket/output/', log: silent, searchPath })
  await expect(failing).rejects.toMatchObject({
    name: 'InputError',
    code: 'no-redis',
    message: expect.stringContaining('"Bad file format reading the append only file"'),
  })
})

test('a server that cannot start says its own last words', async () => {
  const bin = join(stateFolder, 'bin')
  mkdirSync(bin)
  writeFileSync(
    join(bin, 'redis-server'),
    '#!/bin/sh\n[ "$1" = --version ] && echo "Redis server v=7.0.0 sha=0" && exit 0\necho "Out of everything"; exit 1\n',
  )
  chmodSync(join(bin, 'redis-server'), 0o755)
  const broken = openPrivateRedis({
    stateFolder,
    output: 's3://bucket/output/',
    log: silent,
    searchPath: `${bin}:${process.env.PATH}`,
  })
  await expect(broken).rejects.toThrow(
    /ended with code 1: "Out of everything"; see \S+server\.log or give --redis URL$/,
  )
})
