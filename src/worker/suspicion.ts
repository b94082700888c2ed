import type { Suspicion } from '../queue/jobs.ts'

/** Ordinary deaths after which a shard is computed one image at a time. */
const deathsUntilAlone = 2
/** Deaths alone that convict an image. */
const deathsThatConvict = 2

/** Code of the failed record that a convicted image becomes: `hangs-unit` when nothing but silence speaks against it. */
export type Verdict = 'kills-unit' | 'hangs-unit'

/**
 * `ended`: the process went by itself or was killed from outside. `silence`: it was killed because it reported nothing.
 * `waiting`: the same, but what it waited for was the store or the queue, so that no image is to blame. `dismissed`: this
 * worker ended it for a reason of its own, which says nothing about its shards.
 */
export type DeathManner = 'ended' | 'silence' | 'waiting' | 'dismissed'

/** What is known about units dying on one shard; see `suspicionSchema`. Kept in the job, so any worker can go on. */
export class ShardSuspicion {
  #known: Suspicion

  constructor(known: Suspicion | undefined) {
    // `current` may be left over from a worker that was killed as a whole, which accuses nobody.
    this.#known = { deaths: 0, alone: {}, ...known, current: null }
  }

  get known(): Suspicion {
    return this.#known
  }

  /** Not null once the shard must be computed one image at a time. */
  get alone(): { convicted: Record<string, Verdict> } | null {
    const { deaths: ordinary, alone, silent } = this.#known
    if (ordinary < deathsUntilAlone) return null
    const convicted: Record<string, Verdict> = {}
    for (const [key, deaths] of Object.entries(alone)) {
      if (deaths >= deathsThatConvict) convicted[key] = silent?.[key] === deaths ? 'hangs-unit' : 'kills-unit'
    }
    return { convicted }
  }

  /** `null`: no image is being computed. */
  touch(key: string | null): void {
    this.#known = { ...this.#known, current: key }
  }

  /** Counts a death. True when it fell on one image alone: then the next attempt is nearer to the end than this one. */
  died(manner: Exclude<DeathManner, 'dismissed'>): boolean {
    const { deaths, alone, silent = {} } = this.#known
    const current = manner === 'waiting' ? null : this.#known.current
    this.#known = { ...this.#known, current: null }
    if (current === null) this.#known.deaths = deaths + 1
    else {
      this.#known.alone = { ...alone, [current]: (alone[current] ?? 0) + 1 }
      if (manner === 'silence') this.#known.silent = { ...silent, [current]: (silent[current] ?? 0) + 1 }
    }
    return current !== null
  }
}
