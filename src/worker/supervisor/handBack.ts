import { DelayedError, WaitingError, type Job } from 'bullmq'

/** Back to its place in the queue, without counting an attempt. */
export async function toWaiting(queued: Job, token: string | undefined): Promise<never> {
  await queued.moveToWait(token)
  // BullMQ wakes nobody for a job that has a priority and comes back so: a worker without work would see it seconds later.
  if (queued.priority > 0) await queued.changePriority({ priority: queued.priority }).catch(() => undefined)
  throw new WaitingError()
}

/** Into the queue again after a while, without counting an attempt. */
export async function toDelayed(queued: Job, token: string | undefined, delayMs: number): Promise<never> {
  await queued.moveToDelayed(Date.now() + delayMs, token)
  throw new DelayedError()
}
