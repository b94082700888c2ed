import { Redis } from 'ioredis'
import { afterEach, expect, test, vi } from 'vitest'
import { createLogger } from '../../src/base/telemetry.ts'
import { checkRedis } from '../../src/queue/checkRedis.ts'
import { closeWithin } from '../../src/queue/closing.ts'
import { openClient, openQueue, openQueueEvents, openWorker } from '../../src/queue/connection.ts'
import { redisConnection, type QueueConnection } from '../../src/queue/redisUrl.ts'
import { freeClusterPort, freePort, silent, startTcpRedis } from '../support/redis.ts'
import { startRedisPair } from '../support/redisPair.ts'
import { startSentinels } from '../support/sentinels.ts'

const closeMs = 10_000

const cleanUp: (() => unknown)[] = []
afterEach(async () => {
  for (const action of cleanUp.splice(0).reverse()) await action()
})

async function startPair() {
  const pair = await startRedisPair()
  cleanUp.unshift(() => pair.stop())
  return pair
}

/** All that headlight opens to a Redis, standing. */
function open(connection: QueueConnection, log = silent) {
  const queue = openQueue<{ n: number }, number>(connection, 'numbers', log)
  const events = openQueueEvents(connection, 'numbers', log)
  const client = openClient(connection, log)
  const taken: number[] = []
  const heard = new Set<string>()
  const gates = new Map<number, Promise<void>>()
  const worker = openWorker<{ n: number }, number>(
    connection,
    'numbers',
    async ({ name, data: { n } }) => {
      if (name === 'primer') return 0
      taken.push(n)
      await gates.get(n)
      return 2 * n
    },
    { concurrency: 4 },
    log,
  )
  events.on('completed', ({ jobId }) => heard.add(jobId))
  cleanUp.push(
    () => client.disconnect(),
    // As headlight closes them: BullMQ waits for ever for a client that is just about to be connected again.
    () => closeWithin(queue, closeMs),
    () => closeWithin(events, closeMs),
    // A test that failed has not let its jobs end.
    () => worker.close(true),
  )
  /** Events are told from the first reading on, and after a failover from the last that was heard. */
  const untilListening = () =>
    vi.waitFor(
      async () => {
        await queue.add('primer', { n: 0 })
        expect(heard.size).toBeGreaterThan(0)
      },
      { timeout: 30_000, interval: 50 },
    )
  /** Adds as a producer does, which is told at once that Redis is away and tries again. */
  const add = (...numbers: number[]) =>
    vi.waitFor(
      () => queue.addBulk(numbers.map((n) => ({ name: 'double', data: { n }, opts: { jobId: `job-${n}` } }))),
      { timeout: 30_000, interval: 50 },
    )
  const untilHeard = (...numbers: number[]) =>
    vi.waitFor(() => expect([...heard]).toEqual(expect.arrayContaining(numbers.map((n) => `job-${n}`))), {
      timeout: 30_000,
      interval: 20,
    })
  return { queue, worker, client, taken, gates, add, untilListening, untilHeard }
}

test('a primary that becomes a replica and stays reachable is left for the new one', async () => {
  const pair = await startPair()
  const { add, untilListening, untilHeard, gates, taken, client, worker } = open(redisConnection(pair.url))
  await untilListening()
  let release: () => void = () => undefined
  gates.set(1, new Promise((resolve) => (release = resolve)))
  const failures: Error[] = []
  worker.on('failed', (_, error) => failures.push(error))
  await add(1, 2)
  await untilHeard(2)
  await client.set('{headlight}:known', 'before')

  await pair.linked()
  await pair.promote(pair.ports[1])
  pair.proxy.target = pair.ports[1]
  release()
  await untilHeard(1)
  await add(3, 4, 5)
  await untilHeard(3, 4, 5)
  await vi.waitFor(() => client.set('{headlight}:known', 'after'))
  expect(await client.get('{headlight}:known')).toBe('after')
  // Not that of the job at work either: it was done, and only that could not be said for a moment.
  expect(failures).toEqual([])
  expect(taken).toHaveLength(5)
  expect(new Set(taken)).toEqual(new Set([1, 2, 3, 4, 5]))
})

test('while the proxy leads to the old primary nothing fails, and what is wrong is said once', async () => {
  const pair = await startPair()
  const connection = redisConnection(pair.url)
  const said: string[] = []
  const log = createLogger('warn', { write: (line) => void said.push((JSON.parse(line) as { msg: string }).msg) })
  const { add, untilListening, untilHeard, gates, taken, worker } = open(connection, log)
  await untilListening()
  let release: () => void = () => undefined
  gates.set(1, new Promise((resolve) => (release = resolve)))
  const failures: Error[] = []
  worker.on('failed', (_, error) => failures.push(error))
  await add(1)
  await vi.waitFor(() => expect(taken).toEqual([1]), { timeout: 20_000 })
  await pair.linked()
  await pair.promote(pair.ports[1])
  release()
  await vi.waitFor(() => expect(said).toHaveLength(1), { timeout: 20_000 })
  // All clients have come back to it by then, several times.
  const before = pair.proxy.accepted
  await vi.waitFor(() => expect(pair.proxy.accepted).toBeGreaterThan(before + 5), { timeout: 20_000 })
  pair.proxy.target = pair.ports[1]
  await untilHeard(1)
  await add(2)
  await untilHeard(2)
  expect(failures).toEqual([])
  expect(said).toEqual([
    expect.stringMatching(/^Redis at redis:.* is a replica, .*; work goes on when it is back$/),
    expect.stringMatching(/^Redis at redis:.* answers again$/),
  ])
})

test('a replica is not read either: what it holds may be old', async () => {
  const pair = await startPair()
  const client = openClient(redisConnection(`redis://127.0.0.1:${pair.ports[1]}`), silent)
  cleanUp.push(() => client.disconnect())
  await expect(client.get('{headlight}:known')).rejects.toThrow('max retries per request')
})

test('a server that says nothing any more is left after half a minute', async () => {
  const pair = await startPair()
  const client = openClient(redisConnection(pair.url), silent)
  cleanUp.push(() => client.disconnect())
  await client.set('{headlight}:known', 'before')
  await pair.linked()
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
  try {
    await pair.promote(pair.ports[1])
    pair.proxy.target = pair.ports[1]
    pair.proxy.silence()
    const asked = client.get('{headlight}:known')
    await vi.advanceTimersByTimeAsync(29_000)
    const isAnswered = await Promise.race([asked.then(() => true), new Promise((r) => setImmediate(r, false))])
    expect(isAnswered).toBe(false)
    const ticking = setInterval(() => void vi.advanceTimersByTimeAsync(1_000), 10)
    expect(await asked).toBe('before')
    clearInterval(ticking)
  } finally {
    vi.useRealTimers()
  }
})

test('sentinels lead to the new primary', async () => {
  const guarded = await startSentinels('sesame')
  cleanUp.unshift(() => guarded.stop())
  const connection = redisConnection(guarded.url)
  expect(await checkRedis(connection)).toMatchObject({ warning: null })
  const another = redisConnection(guarded.url.replace('/main', '/other'))
  await expect(checkRedis(another)).rejects.toThrow(/its sentinels know no primary of that name; correct the name/)
  const locked = redisConnection(guarded.url.replace('sesame', 'open'))
  await expect(checkRedis(locked)).rejects.toThrow(/its sentinels want another login; correct sentinelUser/)
  const nowhere = redisConnection(`redis+sentinel://127.0.0.1:${await freePort()}/main`)
  await expect(checkRedis(nowhere)).rejects.toThrow(/none of its sentinels answers; start them or correct the URL/)

  const { add, untilListening, untilHeard, gates, taken, client } = open(connection)
  await untilListening()
  let release: () => void = () => undefined
  gates.set(1, new Promise((resolve) => (release = resolve)))
  await add(1, 2)
  await untilHeard(2)
  await guarded.failOver()
  release()
  await untilHeard(1)
  await add(3, 4, 5)
  await untilHeard(3, 4, 5)
  await vi.waitFor(() => client.set('{headlight}:known', 'after'))
  expect(taken).toHaveLength(5)
  expect(new Set(taken)).toEqual(new Set([1, 2, 3, 4, 5]))
})

test('a cluster is followed by its client', async () => {
  const settings = ['--cluster-enabled', 'yes', '--cluster-announce-ip', '127.0.0.1', '--repl-diskless-sync-delay', '0']
  const first = await startTcpRedis({ port: await freeClusterPort(), settings })
  const second = await startTcpRedis({ port: await freeClusterPort(), settings })
  cleanUp.unshift(() => Promise.all([first.stop(), second.stop()]))
  const [old, next] = [new Redis({ port: first.port }), new Redis({ port: second.port })]
  cleanUp.push(
    () => old.disconnect(),
    () => next.disconnect(),
  )
  await old.cluster('ADDSLOTSRANGE', 0, 16_383)
  await next.cluster('MEET', '127.0.0.1', first.port)
  const id = await old.cluster('MYID')
  await vi.waitFor(() => next.cluster('REPLICATE', id), { timeout: 20_000 })
  await vi.waitFor(
    async () => {
      expect(await next.info('replication')).toContain('master_link_status:up')
      expect(await old.cluster('INFO')).toContain('cluster_state:ok')
    },
    { timeout: 20_000 },
  )
  const { add, untilListening, untilHeard, gates, taken } = open(
    redisConnection(`redis://127.0.0.1:${first.port}?cluster=1`),
  )
  await untilListening()
  let release: () => void = () => undefined
  gates.set(1, new Promise((resolve) => (release = resolve)))
  await add(1, 2)
  await untilHeard(2)
  await old.wait(1, 5_000)
  await next.cluster('FAILOVER', 'TAKEOVER')
  await vi.waitFor(async () => expect(await old.info('replication')).toContain('role:slave'), { timeout: 20_000 })
  release()
  await untilHeard(1)
  await add(3, 4)
  await untilHeard(3, 4)
  expect(new Set(taken)).toEqual(new Set([1, 2, 3, 4]))
})
