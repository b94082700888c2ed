/** How long to wait between attempts: the mean pauses. Whoever uses it decides how often to try, and what comes then. */
export interface Backoff {
  /** Before the second attempt. Doubles with each further one. */
  readonly firstMs: number
  /** No mean pause is longer. */
  readonly longestMs: number
}

/**
 * The pause after attempt number `attempt` has failed; the first attempt is number 1. A random 50 to 150 % of its mean:
 *
 * - Without jitter, all who lost the same server would come back to it in the same moment, again and again.
 * - From anything down to zero (what is called full jitter), some would hammer a server that has just failed, and a fixed
 *   number of attempts could be over before it had time to recover. Half of each pause is certain.
 * - Taking off only, as BullMQ does with the pauses of jobs, would make the times that a policy states its upper bounds,
 *   and what it rides out a matter of arithmetic. So they are the means.
 * - Capped after the jitter instead of before, long outages would put half of all callers on exactly the longest pause.
 */
export function backoffMs({ firstMs, longestMs }: Backoff, attempt: number): number {
  return Math.min(firstMs * 2 ** (attempt - 1), longestMs) * (0.5 + Math.random())
}

export interface PauseOptions {
  /** Ends the pause at once. It does not reject: whoever tries again looks at its signal anyway. */
  readonly signal?: AbortSignal | undefined
  /** Whether the pause keeps a process alive that has nothing else to do. Default: true. */
  readonly ref?: boolean
}

export async function pause(ms: number, { signal, ref = true }: PauseOptions = {}): Promise<void> {
  if (signal?.aborted === true) return
  await new Promise<void>((resolve) => {
    const done = () => {
      clearTimeout(timer)
      signal?.removeEventListener('abort', done)
      resolve()
    }
    const timer = setTimeout(done, ms)
    if (!ref) timer.unref()
    signal?.addEventListener('abort', done, { once: true })
  })
}
