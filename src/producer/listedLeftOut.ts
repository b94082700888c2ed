import { LeftOutTally, type LeftOutListener, type LeftOutReason } from '../dataset/leftOut.ts'
import type { LeftOutParts } from '../output/leftOut.ts'
import { compareKeys } from '../storage/keyOrder.ts'

/**
 * What a run's listing leaves out, counted by manifest part, so that a listing that is taken up after a part counts
 * nothing twice; and which samples of the state may hide behind it. Memory does not grow with the dataset: of a folder
 * that the listing has passed nothing but counts is kept.
 */
export class ListedLeftOut implements LeftOutListener {
  #parts: LeftOutParts = []
  /** Where this listing began: all up to there was counted by the one before. */
  #after: string | undefined
  #counted = new LeftOutTally()
  readonly #unnamed = new Map<string, readonly string[]>()
  #untaken: { readonly key: string; readonly reason: LeftOutReason }[] = []

  get parts(): LeftOutParts {
    return this.#parts
  }

  /** Goes on after an earlier attempt: `parts` as it has put them, `present` how many parts its manifest has. */
  resume(parts: LeftOutParts, present: number, after: string | undefined): void {
    // What was counted for a part that is not there is listed anew.
    this.#parts = parts.filter(({ part }) => part < present)
    this.#after = after
  }

  unnamed(folder: string, keys: readonly string[]): void {
    this.#unnamed.set(folder, keys)
  }

  untaken(key: string, reason: LeftOutReason): void {
    this.#untaken.push({ key, reason })
    // An adapter hands a sample over a few names late at most. Without a sample for long, nothing is to wait for.
    if (this.#untaken.length >= 2 * waitingUntaken) this.#count(this.#untaken.splice(0, waitingUntaken))
  }

  /**
   * Whether a sample of the state that the listing lacks may still be there, under a name that cannot be told: a folder
   * that was read in another encoding shows the same files by names that are no UTF-8. To take them for gone would remove
   * their results. Which name was which cannot be known, so any sample beyond ASCII in that folder stays.
   */
  mayHide(key: string): boolean {
    for (const [folder, keys] of this.#unnamed) {
      if (key.startsWith(folder) && (keys.length === 0 || /[^\0-\x7f]/.test(key.slice(folder.length)))) return true
    }
    return false
  }

  /** The listing has come to this key, of a sample or of the state. */
  reached(key: string): void {
    for (const [folder, keys] of this.#unnamed) {
      if (key.startsWith(folder) || compareKeys(key, folder) < 0) continue
      this.#unnamed.delete(folder)
      this.#count(keys.map((name) => ({ key: name, reason: 'name' as const })))
    }
    if (this.#untaken.length > 0) this.#countThrough(key)
  }

  /** A part is to be put that accounts for all up to `through` (undefined: to the end). Whether it left anything out. */
  close(part: number, through: string | undefined): boolean {
    for (const keys of this.#unnamed.values()) {
      const passed = keys.filter((key) => through === undefined || compareKeys(key, through) <= 0)
      this.#count(passed.map((key) => ({ key, reason: 'name' as const })))
    }
    this.#countThrough(through)
    if (through !== undefined) this.#after = through
    const leftOut = this.#counted.counts()
    this.#counted = new LeftOutTally()
    if (Object.keys(leftOut).length === 0) return false
    this.#parts.push({ part, leftOut })
    return true
  }

  #countThrough(through: string | undefined): void {
    const end = this.#untaken.findIndex(({ key }) => through !== undefined && compareKeys(key, through) > 0)
    this.#count(this.#untaken.splice(0, end < 0 ? this.#untaken.length : end))
  }

  #count(found: readonly { readonly key: string; readonly reason: LeftOutReason }[]): void {
    for (const { key, reason } of found) {
      if (this.#after === undefined || compareKeys(key, this.#after) > 0) this.#counted.untaken(key, reason)
    }
  }
}

/** So many files in a row are held back until it is known which part they belong to. */
const waitingUntaken = 1_000
