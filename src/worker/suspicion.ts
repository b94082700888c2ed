import type { Suspicion } from '../contract/job.ts'

/** Ordinary deaths after which a shard is computed one image at a time. */
const deathsUntilAlone = 2
/** Deaths alone that convict an image. */
const deathsThatConvict = 2

/** What is known about units dying on one shard; see `suspicionSchema`. Kept in the job, so any worker can go on. */
export class ShardSuspicion {
  #known: Suspicion

  constructor(known: Suspicion | undefined) {
    // `current` may be left over from a worker that was killed as a whole, which accuses nobody.
    this.#known = { deaths: known?.deaths ?? 0, current: null, alone: known?.alone ?? {} }
  }

  get known(): Suspicion {
    return this.#known
  }

  /** Not null once the shard must be computed one image at a time. */
  get alone(): { convicted: string[] } | null {
    if (this.#known.deaths < deathsUntilAlone) return null
    const convicted = Object.entries(this.#known.alone).filter(([, deaths]) => deaths >= deathsThatConvict)
    return { convicted: convicted.map(([key]) => key) }
  }

  touch(key: string): void {
    this.#known = { ...this.#known, current: key }
  }

  /** Counts a death. True when it fell on one image alone: then the next attempt is nearer to the end than this one. */
  died(): boolean {
    const { deaths, current, alone } = this.#known
    if (current === null) this.#known = { deaths: deaths + 1, current, alone }
    else this.#known = { deaths, current: null, alone: { ...alone, [current]: (alone[current] ?? 0) + 1 } }
    return current !== null
  }
}
