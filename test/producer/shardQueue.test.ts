import { afterAll, beforeAll, expect, it } from 'vitest'
import { ShardQueue } from '../../src/producer/shardQueue.ts'
import { openQueue } from '../../src/queue/connection.ts'
import { silent, startTestRedis } from '../support/redis.ts'

let redis: Awaited<ReturnType<typeof startTestRedis>>
beforeAll(async () => {
  redis = await startTestRedis()
})
afterAll(() => redis.stop())

it('fetches back what workers put aside for later, of its own run alone', async () => {
  const { connection } = redis
  const listeners = { onResult: () => undefined, onProgress: () => undefined, onFailed: () => undefined }
  const job = { run: 'run-1', output: 'file:///out/', set: 'set' }
  const shards = new ShardQueue({ connection, queueName: 'shards', job, listeners, log: silent })
  const queue = openQueue(connection, 'shards', silent)
  const aside = { delay: 3_600_000 }
  for (let i = 0; i < 30; i++) {
    // The other run's lie between and before.
    await queue.add('shard', {}, { ...aside, delay: aside.delay - 60_000 * i, jobId: `run-2-00000-00000${i}` })
    await queue.add('shard', {}, { ...aside, jobId: `run-1-00000-00000${i}` })
  }
  await shards.promote()
  expect(await queue.getJobCounts('waiting', 'delayed')).toEqual({ waiting: 30, delayed: 30 })
  const ids = (await queue.getDelayed()).map(({ id }) => id)
  expect(ids.filter((id) => id?.startsWith('run-1-'))).toEqual([])
  await queue.close()
  await shards.close()
})
