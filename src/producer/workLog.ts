import type { ShardResult } from '../queue/jobs.ts'
import type { WorkFacts } from './finalize.ts'

/** Gathers what the jobs' return values say about the work: which engines took part, and how fast all together were. */
export class WorkLog {
  readonly #engines = new Set<string>()
  readonly #reasons = new Map<string, string>()
  #computed = 0
  #began = Infinity
  #ended = 0

  /** `now` in milliseconds, as `performance.now()` counts them. */
  add(result: ShardResult, now: number): void {
    if (result.outcome !== 'computed') return
    // A shard of refused keys alone needs no engine.
    if (result.engine !== '') {
      this.#engines.add(result.engine)
      if (result.engineReason !== undefined) this.#reasons.set(result.engine, result.engineReason)
    }
    this.#computed += result.computed
    // From the first shard that a worker took: its start, and the wait for one, are no part of the speed.
    this.#began = Math.min(this.#began, now - result.wallMs)
    this.#ended = now
  }

  facts(): WorkFacts {
    const seconds = (this.#ended - this.#began) / 1_000
    const imagesPerSecond = this.#computed === 0 || seconds <= 0 ? null : this.#computed / seconds
    return { engines: [...this.#engines], engineReasons: Object.fromEntries(this.#reasons), imagesPerSecond }
  }
}
