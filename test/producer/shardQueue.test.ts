import { afterAll, beforeAll, expect, it } from 'vitest'
import { ShardQueue } from '../../src/producer/shardQueue.ts'
import { openQueue } from '../../src/queue/connection.ts'
import { silent, startTestRedis } from '../support/redis.ts'

let redis: Awaited<ReturnType<typeof startTestRedis>>
beforeAll(async () => {
  redis = await startTestRedis()
})
afterAll(() => redis.stop())

function openShards(): ShardQueue {
  const listeners = { onResult: () => undefined, onProgress: () => undefined, onFailed: () => undefined }
  const job = { run: 'run-1', output: 'file:///out/', set: 'set' }
  return new ShardQueue({ connection: redis.connection, queueName: 'shards', job, listeners, log: silent })
}

it('fetches back what workers put aside for later, of its own run alone', async () => {
  const shards = openShards()
  const queue = openQueue(redis.connection, 'shards', silent)
  const aside = { delay: 3_600_000 }
  for (let i = 0; i < 30; i++) {
    // The other run's lie between and before.
    await queue.add('shard', {}, { ...aside, delay: aside.delay - 60_000 * i, jobId: `run-2-00000-00000${i}` })
    await queue.add('shard', {}, { ...aside, jobId: `run-1-00000-00000${i}` })
  }
  await shards.promote()
  expect(await queue.getJobCounts('prioritized', 'delayed')).toEqual({ prioritized: 30, delayed: 30 })
  const ids = (await queue.getDelayed()).map(({ id }) => id)
  expect(ids.filter((id) => id?.startsWith('run-1-'))).toEqual([])
  await queue.close()
  await shards.close()
})

it('knows of shards that are just being added, and not of others', async () => {
  const shards = openShards()
  const added = Array.from({ length: 5_000 }, (_, i) => ({ part: 1, offset: i * 10, count: 10 }))
  const other = { part: 2, offset: 0, count: 10 }
  const adding = shards.add(added)
  expect(await shards.unknown([...added.slice(-10), other])).toEqual([other])
  await adding
  await shards.close()
})
