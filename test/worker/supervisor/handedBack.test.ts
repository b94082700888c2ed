import { WaitingError } from 'bullmq'
import { Redis } from 'ioredis'
import { expect, onTestFinished, test } from 'vitest'
import { openQueue, openWorker } from '../../../src/queue/connection.ts'
import { shardJobOptions, type ShardJob, type ShardResult } from '../../../src/queue/jobs.ts'
import { toWaiting } from '../../../src/worker/supervisor/handBack.ts'
import { silent, startTestRedis } from '../../support/redis.ts'

const queueName = 'shards'
const data: ShardJob = { run: 'run-1', output: 'file:///out/', set: 'tiny', part: 0, offset: 0, count: 4 }

async function world() {
  const redis = await startTestRedis()
  const queue = openQueue<ShardJob, ShardResult>(redis.connection, queueName, silent)
  const worker = openWorker<ShardJob, ShardResult>(redis.connection, queueName, null, {}, silent)
  const client = new Redis(redis.connection.redis)
  onTestFinished(async () => {
    client.disconnect()
    await worker.close()
    await queue.close()
    await redis.stop()
  })
  await queue.add('shard', data, { ...shardJobOptions, jobId: 'shard-1', priority: 5 })
  const job = await worker.getNextJob('token', { block: false })
  if (job === undefined) throw new Error('no job')
  const blocked = async () => /blocked_clients:(\d+)/.exec(await client.info('clients'))?.[1]
  return { redis, queue, job, blocked }
}

test('a shard that is handed back is taken at once by a worker that waits for one', async () => {
  const { redis, job, blocked } = await world()
  const taken: unknown[] = []
  const idle = openWorker<ShardJob, object>(
    redis.connection,
    queueName,
    async ({ id, priority }) => {
      taken.push([id, priority])
      return {}
    },
    // Unless it is told, it looks no sooner.
    { drainDelay: 3_600 },
    silent,
  )
  onTestFinished(() => idle.close(true))
  await expect.poll(blocked, { timeout: 10_000 }).toBe('1')
  await expect(toWaiting(job, 'token')).rejects.toThrow(WaitingError)
  await expect.poll(() => taken, { timeout: 10_000 }).toEqual([['shard-1', 5]])
})

test('a shard that somebody has finished meanwhile is handed back all the same', async () => {
  const { queue, job } = await world()
  const move = job.moveToWait.bind(job)
  job.moveToWait = async (token) => {
    const moved = await move(token)
    await queue.remove('shard-1')
    return moved
  }
  await expect(toWaiting(job, 'token')).rejects.toThrow(WaitingError)
})
