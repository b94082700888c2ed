import { expect, it } from 'vitest'
import { queueStatuses } from '../../../src/cli/commands/status/queueStatus.ts'
import { Schedules } from '../../../src/producer/schedules.ts'
import { openQueue } from '../../../src/queue/connection.ts'
import { runJobSchema, runsQueue } from '../../../src/queue/jobs.ts'
import { silent, startTestRedis } from '../../support/redis.ts'

it('counts a schedule’s next time as scheduled, once it is due as waiting, and what is put aside as delayed', async () => {
  const redis = await startTestRedis()
  const schedules = await Schedules.open(redis.connection, silent)
  const queue = openQueue(redis.connection, runsQueue, silent)
  try {
    const job = runJobSchema.parse({ output: 'file:///out/', set: 'set', full: false, shardSize: null })
    await schedules.put({ name: 'yearly', cron: '0 0 1 1 *', timeZone: 'UTC', job })
    const runs = async () => (await queueStatuses(redis.connection, silent))[0]
    expect(await runs()).toMatchObject({ queue: runsQueue, waiting: 0, delayed: 0, scheduled: 1 })
    const [next] = await queue.getDelayed()
    await next?.promote()
    expect(await runs()).toMatchObject({ waiting: 1, delayed: 0, scheduled: 0 })
    await queue.add('run', job, { delay: 3_600_000 })
    expect(await runs()).toMatchObject({ waiting: 1, delayed: 1, scheduled: 0 })
    // As the shards of runs that take turns.
    await queue.add('run', job, { priority: 7 })
    expect(await runs()).toMatchObject({ waiting: 2, delayed: 1, scheduled: 0 })
  } finally {
    await queue.close()
    await schedules.close()
    await redis.stop()
  }
})
