import { randomUUID } from 'node:crypto'
import { runJobOptions, runJobSchema, runsQueue } from '../contract/job.ts'
import type { RunJob } from '../contract/job.ts'
import type { Summary } from '../contract/run.ts'
import { checkRedis } from '../queue/checkRedis.ts'
import { openQueue } from '../queue/connection.ts'
import type { QueueConnection } from '../queue/redisUrl.ts'
import type { Logger } from '../telemetry.ts'

/** Adds a run for a standing producer. Gives the job's id. */
export async function enqueueRun(connection: QueueConnection, job: RunJob, log: Logger): Promise<string> {
  await checkRedis(connection)
  const queue = openQueue<RunJob, Summary>(connection, runsQueue, log)
  try {
    await queue.waitUntilReady()
    // Not BullMQ's own numbers: a Redis that has lost its data begins them anew while runs of the old ones are at work.
    const jobId = randomUUID()
    await queue.add('run', runJobSchema.parse(job), { ...runJobOptions, jobId })
    return jobId
  } finally {
    await queue.close()
  }
}
