import { readFileSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import type { Queue } from 'bullmq'
import { Redis } from 'ioredis'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { z } from 'zod'
import { openQueue, openWorker } from '../../src/queue/connection.ts'
import { shardJobOptions, shardsQueue } from '../../src/queue/jobs.ts'
import { redisConnection, type QueueConnection } from '../../src/queue/redisUrl.ts'
import { kubernetesFolder, manifestsIn } from '../support/kubernetesManifests.ts'
import { silent } from '../support/redis.ts'
import { hasOpenssl, startSecuredRedis, type SecuredRedis } from '../support/securedRedis.ts'

const scaledObject = z.object({
  spec: z.object({
    minReplicaCount: z.literal(0),
    advanced: z.object({ scalingModifiers: z.object({ formula: z.string() }) }),
    triggers: z.array(
      z.object({ type: z.literal('redis'), name: z.string(), metadata: z.object({ listName: z.string() }) }),
    ),
  }),
})
const { spec } = scaledObject.parse(
  manifestsIn(readFileSync(`${kubernetesFolder}base/scaling.yaml`, 'utf8')).find(({ kind }) => kind === 'ScaledObject'),
)

let redis: SecuredRedis
let keda: Redis
let connection: QueueConnection
let queue: Queue

/**
 * What KEDA would see, as its own user: of each trigger the length of the list, sorted set or nothing that lies under
 * its key, put into the formula. KEDA asks with a script of the same commands.
 */
async function seen(): Promise<number> {
  const script = `
    local kind = redis.call('TYPE', KEYS[1]).ok
    if kind == 'zset' then return redis.call('ZCARD', KEYS[1]) end
    return redis.call('LLEN', KEYS[1])`
  const lengths = new Map<string, number>()
  for (const { name, metadata } of spec.triggers)
    lengths.set(name, Number(await keda.eval(script, 1, metadata.listName)))
  const terms = spec.advanced.scalingModifiers.formula.split(/\s*\+\s*/)
  expect(terms.toSorted()).toEqual([...lengths.keys()].toSorted())
  return terms.reduce((sum, term) => sum + (lengths.get(term) ?? NaN), 0)
}

const add = (count: number, options: object = {}) =>
  queue.addBulk(
    Array.from({ length: count }, () => ({ name: 'shard', data: {}, opts: { ...shardJobOptions, ...options } })),
  )

describe.skipIf(!hasOpenssl)('what KEDA counts, in a real Redis (skipped without openssl)', () => {
  beforeAll(async () => {
    redis = await startSecuredRedis({ headlight: 'one', keda: 'two' })
    const tls = { ca: await readFile(redis.caFile) }
    const open = { host: 'localhost', port: redis.port, tls, enableReadyCheck: false }
    keda = new Redis({ ...open, username: 'keda', password: 'two' })
    const { redis: address, ...others } = redisConnection(redis.url('headlight'))
    connection = { ...others, redis: { ...address, tls } as QueueConnection['redis'] }
  })
  afterAll(async () => {
    keda.disconnect()
    await redis.stop()
  })
  beforeEach(async () => {
    queue = openQueue(connection, shardsQueue, silent)
    await queue.waitUntilReady()
  })
  afterEach(async () => {
    await queue.close()
    await redis.admin.flushall()
  })

  test('nothing to do is zero, so nobody needs to run', async () => {
    expect(await seen()).toBe(0)
  })

  test('shards that wait are seen, with and without priority', async () => {
    await add(5)
    await add(2, { priority: 3 })
    expect(await seen()).toBe(7)
  })

  test('a delayed shard alone is seen', async () => {
    await add(1, { delay: 3_600_000 })
    expect(await seen()).toBe(1)
  })

  test('a shard whose worker is gone is seen, alone', async () => {
    await add(1)
    const worker = openWorker(connection, shardsQueue, null, {}, silent)
    expect(await worker.getNextJob('token')).toBeDefined()
    // As when it is killed: nothing is finished or handed back.
    await worker.disconnect()
    expect(await queue.getJobCounts('waiting', 'active')).toEqual({ waiting: 0, active: 1 })
    expect(await seen()).toBe(1)
  })

  test('every shard is counted once, whatever its state, until it is done', async () => {
    await add(3)
    await add(2, { delay: 3_600_000 })
    await add(1, { priority: 1 })
    const worker = openWorker(connection, shardsQueue, null, {}, silent)
    const job = await worker.getNextJob('token')
    expect(await queue.getJobCounts('waiting', 'active', 'delayed', 'prioritized')).toEqual({
      waiting: 2,
      active: 1,
      delayed: 2,
      prioritized: 1,
    })
    expect(await seen()).toBe(6)
    await job?.moveToCompleted({}, 'token', false)
    expect(await seen()).toBe(5)
    await worker.close()
  })
})
