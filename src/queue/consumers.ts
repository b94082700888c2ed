import type { Queue } from 'bullmq'

/**
 * Processes that take jobs from a queue now; null where the server does not tell. BullMQ finds them among the server's
 * clients, which a user's rights or a managed Redis may not let it list: that is no fault of anything.
 */
export async function consumersOf(queue: Pick<Queue, 'getWorkersCount'>): Promise<number | null> {
  try {
    return await queue.getWorkersCount()
  } catch (error) {
    if (error instanceof Error && /^(NOPERM|ERR unknown (sub)?command)/i.test(error.message)) return null
    throw error
  }
}
