import type { Job } from 'bullmq'
import type { Logger } from '../../../base/telemetry.ts'
import { openQueue } from '../../../queue/connection.ts'
import { consumersOf } from '../../../queue/consumers.ts'
import { runsQueue, shardsQueue } from '../../../queue/jobs.ts'
import type { QueueConnection } from '../../../queue/redisUrl.ts'

/** One queue, as `status --json` prints it. The names are a contract: add, don't rename. */
export interface QueueStatus {
  readonly queue: string
  readonly waiting: number
  readonly active: number
  /** Put aside for a while, for one that is paused or whose output is held. */
  readonly delayed: number
  /** Next times of schedules. */
  readonly scheduled: number
  /** Processes that take jobs from this queue now; null where the server does not tell. */
  readonly workers: number | null
}

/** The two queues of headlight, in the order that work goes through them. */
export async function queueStatuses(connection: QueueConnection, log: Logger): Promise<QueueStatus[]> {
  const statuses: QueueStatus[] = []
  for (const name of [runsQueue, shardsQueue]) {
    const queue = openQueue(connection, name, log)
    try {
      await queue.waitUntilReady()
      const counts = await queue.getJobCounts('waiting', 'prioritized', 'active', 'delayed')
      // BullMQ keeps what waits in two places, and shards mostly in the second.
      const { waiting: inOrder = 0, prioritized = 0, active = 0, delayed: notYet = 0 } = counts
      const waiting = inOrder + prioritized
      // BullMQ keeps a schedule's next time as a delayed job. The shards queue has many delayed jobs and no schedule.
      const hasSchedules = (await queue.getJobSchedulersCount()) > 0
      const scheduled = hasSchedules ? (await queue.getDelayed()).filter(isScheduled).length : 0
      const delayed = notYet - scheduled
      statuses.push({ queue: name, waiting, active, delayed, scheduled, workers: await consumersOf(queue) })
    } finally {
      await queue.close()
    }
  }
  return statuses
}

const isScheduled = (job: Job): boolean => job.repeatJobKey !== undefined
