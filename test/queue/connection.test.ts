import { createServer } from 'node:net'
import type { QueueEvents } from 'bullmq'
import { Redis } from 'ioredis'
import { afterEach, expect, test, vi } from 'vitest'
import { closeWithin } from '../../src/queue/closing.ts'
import { openQueue, openQueueEvents, openWorker } from '../../src/queue/connection.ts'
import { redisConnection, type QueueConnection } from '../../src/queue/redisUrl.ts'
import { freeClusterPort, silent, startTcpRedis } from '../support/redis.ts'

const closeMs = 10_000

const cleanUp: (() => Promise<unknown>)[] = []
afterEach(async () => {
  for (const action of cleanUp.splice(0).reverse()) await action()
})

async function start(o: Parameters<typeof startTcpRedis>[0] = {}) {
  const redis = await startTcpRedis(o)
  // Run last: a client that is closed while its server is away waits for it.
  cleanUp.unshift(() => redis.stop())
  return redis
}

function open(connection: QueueConnection) {
  const queue = openQueue<{ n: number }, number>(connection, 'numbers', silent)
  const events = openQueueEvents(connection, 'numbers', silent)
  const worker = openWorker<{ n: number }, number>(
    connection,
    'numbers',
    (job) => Promise.resolve(2 * job.data.n),
    { concurrency: 4 },
    silent,
  )
  // As headlight closes them: BullMQ waits for ever for a client that is just about to be connected again.
  cleanUp.push(...[queue, events, worker].map((one) => () => closeWithin(one, closeMs)))
  return { queue, events, worker }
}

/** Collects what completed, by job id. */
function completions(events: QueueEvents): Map<string, unknown> {
  const results = new Map<string, unknown>()
  events.on('completed', ({ jobId, returnvalue }) => results.set(jobId, returnvalue))
  return results
}

test('what is added to the queue is worked on, and its events are heard', async () => {
  const { port } = await start()
  const { queue, events } = open(redisConnection(`redis://127.0.0.1:${port}/2`))
  await events.waitUntilReady()
  const results = completions(events)
  await queue.add('double', { n: 21 }, { jobId: 'job-21' })
  await vi.waitFor(() => expect(results.get('job-21')).toBe(42), { timeout: 20_000 })
})

test('every key begins with the prefix, in the database that the URL names', async () => {
  const { port } = await start()
  const connection = redisConnection(`redis://127.0.0.1:${port}/2`)
  const { queue } = open(connection)
  await queue.add('double', { n: 1 })
  const client = new Redis({ port, db: 2 })
  const keys = await client.keys('*')
  client.disconnect()
  expect(keys.length).toBeGreaterThan(0)
  for (const key of keys) expect(key).toMatch(/^\{headlight\}:numbers:/)
})

test('the stream of events stays short', async () => {
  const { port } = await start()
  const queue = openQueue<{ n: number }, number>(redisConnection(`redis://127.0.0.1:${port}`), 'numbers', silent)
  cleanUp.push(() => queue.close())
  const client = new Redis({ port })
  // The length is written down by the queue after it is ready; what is added before falls under the default.
  await expect.poll(() => client.hget('{headlight}:numbers:meta', 'opts.maxLenEvents')).toBe('1000')
  await queue.addBulk(Array.from({ length: 4_000 }, (_, n) => ({ name: 'double', data: { n } })))
  const length = await client.xlen('{headlight}:numbers:events')
  client.disconnect()
  expect(length).toBeLessThan(2_000)
})

test('while Redis is away a producer is told at once, and a worker waits and goes on', async () => {
  const first = await startTcpRedis()
  const connection = redisConnection(`redis://127.0.0.1:${first.port}`)
  const { queue, events } = open(connection)
  await events.waitUntilReady()
  await queue.add('double', { n: 1 })
  await first.stop()
  await expect(queue.add('double', { n: 2 })).rejects.toThrow()

  await start({ port: first.port })
  await vi.waitFor(() => queue.add('double', { n: 3 }, { jobId: 'job-3' }), { timeout: 30_000, interval: 100 })
  await vi.waitFor(async () => expect(await queue.getCompletedCount()).toBeGreaterThan(0), { timeout: 30_000 })
})

test('what was closed while Redis was away prints nothing, though it goes on trying', async () => {
  const redis = await startTcpRedis()
  const { port } = redis
  const printed = vi.spyOn(console, 'error').mockImplementation(() => undefined)
  cleanUp.push(() => Promise.resolve(printed.mockRestore()))
  const queue = openQueue(redisConnection(`redis://127.0.0.1:${port}`), 'numbers', silent)
  await queue.waitUntilReady()
  await redis.stop()
  let attempts = 0
  const refusing = createServer((socket) => {
    attempts++
    socket.resetAndDestroy()
  }).listen(port, '127.0.0.1')
  cleanUp.push(() => Promise.resolve(refusing.close()))
  await closeWithin(queue, 1)
  await expect.poll(() => attempts, { timeout: 20_000 }).toBeGreaterThan(3)
  expect(printed.mock.calls).toEqual([])
})

test('a cluster carries the queue, and closing leaves no connection behind', async () => {
  const { port } = await start({
    port: await freeClusterPort(),
    settings: ['--cluster-enabled', 'yes', '--cluster-announce-ip', '127.0.0.1'],
  })
  const client = new Redis({ port })
  await client.call('CLUSTER', 'ADDSLOTSRANGE', '0', '16383')
  await vi.waitFor(async () => expect(await client.call('CLUSTER', 'INFO')).toContain('cluster_state:ok'), {
    timeout: 20_000,
  })
  const { queue, events, worker } = open(redisConnection(`redis://127.0.0.1:${port}?cluster=1`))
  await events.waitUntilReady()
  const results = completions(events)
  await queue.addBulk(
    Array.from({ length: 50 }, (_, n) => ({ name: 'double', data: { n }, opts: { jobId: `j-${n}` } })),
  )
  await vi.waitFor(() => expect(results.size).toBe(50), { timeout: 20_000 })
  expect(results.get('j-49')).toBe(98)

  await Promise.all([queue.close(), events.close(), worker.close()])
  const clients = async (): Promise<string[]> =>
    String(await client.call('CLIENT', 'LIST'))
      .trim()
      .split('\n')
  await expect.poll(clients).toHaveLength(1)
  client.disconnect()
})
