import { backoffMs, type Backoff } from '../../base/backoff.ts'
import type { HeadlightError } from '../../base/errors.ts'
import type { ShardJob } from '../../queue/jobs.ts'
import { runName } from './workedRuns.ts'

export interface RunFaultsOptions {
  /** Told of each fault, but not of those that other shards of the run meet in the same moment. */
  readonly onFault: (error: HeadlightError, job: ShardJob, attempt: number, retryInMs: number) => void
  readonly retrying: Backoff
}

interface Aside {
  readonly attempt: number
  readonly untilMs: number
}

/**
 * Runs that cannot be worked on for the sake of their own files: a `set.json` or a manifest of another version, a network
 * that is not theirs. Each is put aside by itself, at growing intervals. Pausing the worker, as for a bad place, would
 * make all other runs wait for somebody to mend this one.
 */
export class RunFaults {
  readonly #o: RunFaultsOptions
  readonly #aside = new Map<string, Aside>()

  constructor(options: RunFaultsOptions) {
    this.#o = options
  }

  /** How long shards of this run are still to be put aside unseen; 0 when it may be tried. */
  asideMs(job: ShardJob): number {
    return Math.max(0, (this.#aside.get(runName(job))?.untilMs ?? 0) - performance.now())
  }

  /** Gives the time after which the shard may be tried again. */
  report(error: HeadlightError, job: ShardJob): number {
    const remainingMs = this.asideMs(job)
    if (remainingMs > 0) return remainingMs
    const attempt = (this.#aside.get(runName(job))?.attempt ?? 0) + 1
    const delayMs = Math.round(backoffMs(this.#o.retrying, attempt))
    this.#forgetEnded()
    this.#aside.set(runName(job), { attempt, untilMs: performance.now() + delayMs })
    this.#o.onFault(error, job, attempt, delayMs)
    return delayMs
  }

  succeeded(job: ShardJob): void {
    this.#aside.delete(runName(job))
  }

  /** Nobody says when such a run is over: it comes no more. */
  #forgetEnded(): void {
    const longAgo = performance.now() - 2 * this.#o.retrying.longestMs
    for (const [name, { untilMs }] of this.#aside) if (untilMs < longAgo) this.#aside.delete(name)
  }
}
