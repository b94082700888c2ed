/**
 * Tells when store calls have been pending for a while, and when none is any more. A unit killed for its silence in
 * between was waiting for the store, and no image is to blame for that.
 */
export class StoreWait {
  readonly #tell: (isWaiting: boolean) => void
  readonly #afterMs: number
  #pending = 0
  #timer: NodeJS.Timeout | undefined
  #isTold = false

  constructor(tell: (isWaiting: boolean) => void, afterMs: number) {
    this.#tell = tell
    this.#afterMs = afterMs
  }

  /** A call has begun (1) or is over (−1). */
  changed(change: 1 | -1): void {
    this.#pending += change
    if (this.#pending === 1 && change === 1) this.#timer = setTimeout(() => this.#say(true), this.#afterMs)
    if (this.#pending > 0) return
    clearTimeout(this.#timer)
    if (this.#isTold) this.#say(false)
  }

  #say(isWaiting: boolean): void {
    this.#isTold = isWaiting
    this.#tell(isWaiting)
  }
}
