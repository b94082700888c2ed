import type { ShardResult } from '../contract/job.ts'
import type { WorkFacts } from './finalize.ts'

/** Gathers what the jobs' return values say about the work: which engines took part, and how fast all together were. */
export class WorkLog {
  readonly #engines = new Set<string>()
  #computed = 0
  #began: number | undefined
  #ended = 0

  /** Jobs are in the queue: the compute phase begins, the time until a worker turns up included. */
  begin(): void {
    this.#began ??= performance.now()
  }

  add(result: ShardResult): void {
    if (result.outcome !== 'computed') return
    // A shard of refused keys alone needs no engine.
    if (result.engine !== '') this.#engines.add(result.engine)
    this.#computed += result.computed
    this.#ended = performance.now()
  }

  facts(): WorkFacts {
    const seconds = (this.#ended - (this.#began ?? 0)) / 1_000
    const imagesPerSecond = this.#computed === 0 || seconds <= 0 ? null : this.#computed / seconds
    return { engines: [...this.#engines], imagesPerSecond }
  }
}
