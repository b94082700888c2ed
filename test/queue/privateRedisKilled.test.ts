import { spawn, type ChildProcess } from 'node:child_process'
import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { Redis } from 'ioredis'
import { afterEach, beforeAll, beforeEach, expect, test, vi } from 'vitest'
import { openQueue } from '../../src/queue/connection.ts'
import { openPrivateRedis } from '../../src/queue/privateRedis.ts'
import { bundled } from '../support/bundled.ts'
import { processRuns, searchPathWithRedis, silent } from '../support/redis.ts'

const clientProgram = bundled(fileURLToPath(new URL('../support/redisClientMain.ts', import.meta.url)))
const output = 's3://bucket/output/'
let searchPath: string
let stateFolder: string
const children: ChildProcess[] = []

beforeAll(async () => {
  searchPath = await searchPathWithRedis()
})
beforeEach(() => {
  stateFolder = mkdtempSync(join(tmpdir(), 'headlight-killed-'))
})
afterEach(async () => {
  for (const child of children.splice(0)) child.kill('SIGKILL')
  // The last one stops whatever server the killed ones left behind.
  await (await open()).release()
  rmSync(stateFolder, { recursive: true, force: true })
})

const open = () => openPrivateRedis({ stateFolder, output, log: silent, searchPath })

interface Client {
  readonly child: ChildProcess
  /** Of the server that it found or started. */
  readonly serverPid: number
  release(): Promise<void>
}

async function startClient(): Promise<Client> {
  const child = spawn(process.execPath, [clientProgram, stateFolder, output, searchPath], {
    stdio: ['pipe', 'pipe', 'inherit'],
  })
  children.push(child)
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]()
  const first: string = (await lines.next()).value ?? 'ended without a word'
  const pid = /^open (\d+)$/.exec(first)?.[1]
  if (pid === undefined) throw new Error(first)
  return {
    child,
    serverPid: Number(pid),
    release: async () => {
      child.stdin.write('release\n')
      expect((await lines.next()).value).toBe('released')
    },
  }
}

async function serverPid(path: string | undefined): Promise<number> {
  const client = new Redis({ path: path ?? '', maxRetriesPerRequest: 0, retryStrategy: () => null })
  client.on('error', () => undefined)
  try {
    return Number(/process_id:(\d+)/.exec(await client.info('server'))?.[1])
  } finally {
    client.disconnect()
  }
}

test('of eight starters at once one starts the server, and all use it', async () => {
  const clients = await Promise.all(Array.from({ length: 8 }, startClient))
  const [pid] = clients.map((client) => client.serverPid)
  expect(new Set(clients.map((client) => client.serverPid)).size).toBe(1)
  await Promise.all(clients.slice(1).map((client) => client.release()))
  expect(processRuns(pid ?? 0)).toBe(true)
  await clients[0]?.release()
  expect(processRuns(pid ?? 0)).toBe(false)
})

test('the server outlives a killed starter, is found again, and the killed one does not count', async () => {
  const killed = await startClient()
  killed.child.kill('SIGKILL')
  await expect.poll(() => killed.child.signalCode).toBe('SIGKILL')
  expect(processRuns(killed.serverPid)).toBe(true)

  const next = await startClient()
  expect(next.serverPid).toBe(killed.serverPid)
  await next.release()
  expect(processRuns(killed.serverPid)).toBe(false)
})

test('a killed server is started again on its data: 5,000 jobs are all there, once each', async () => {
  const redis = await open()
  const queue = openQueue<{ n: number }, void>(redis.connection, 'jobs', silent)
  const jobs = Array.from({ length: 5_000 }, (_, n) => ({ name: 'job', data: { n }, opts: { jobId: `job-${n}` } }))
  await queue.addBulk(jobs)
  // `everysec`: what is a second old is on the disk even after a power loss; a kill loses nothing that was answered.
  const pid = await serverPid(redis.connection.redis.path)
  process.kill(pid, 'SIGKILL')

  const again = await vi.waitFor(() => serverPid(redis.connection.redis.path), { timeout: 30_000, interval: 50 })
  expect(again).not.toBe(pid)
  await vi.waitFor(async () => expect(await queue.getWaitingCount()).toBe(5_000), { timeout: 30_000 })
  const numbers = (await queue.getWaiting(0, -1)).map((job) => job.data.n)
  expect(numbers.sort((a, b) => a - b)).toEqual(jobs.map((job) => job.data.n))
  await queue.close()
  await redis.release()
  expect(processRuns(again)).toBe(false)
})

test('a server killed many times comes back each time', async () => {
  const redis = await open()
  for (let kills = 0; kills < 5; kills++) {
    const pid = await vi.waitFor(() => serverPid(redis.connection.redis.path), { timeout: 30_000, interval: 20 })
    process.kill(pid, 'SIGKILL')
    await expect.poll(() => processRuns(pid)).toBe(false)
  }
  await redis.release()
})

test('two watchdogs over one killed server start one', async () => {
  const [first, second] = [await startClient(), await open()]
  process.kill(first.serverPid, 'SIGKILL')
  const pid = await vi.waitFor(() => serverPid(second.connection.redis.path), { timeout: 30_000, interval: 20 })
  await first.release()
  expect(await serverPid(second.connection.redis.path)).toBe(pid)
  await second.release()
  expect(processRuns(pid)).toBe(false)
})

test('a server whose socket was deleted is ended before another one opens its files', async () => {
  const killed = await startClient()
  killed.child.kill('SIGKILL')
  const folder = join(stateFolder, 'redis', readdirSync(join(stateFolder, 'redis'))[0] ?? '')
  rmSync(join(folder, 'redis.sock'))
  const next = await open()
  expect(processRuns(killed.serverPid)).toBe(false)
  expect(await serverPid(next.connection.redis.path)).not.toBe(killed.serverPid)
  await next.release()
})
