export type Direction = 'previous' | 'next'

/** Keys of the images before and after one in the selection; null: there is none. */
export type Around = Readonly<Record<Direction, string | null>>

/**
 * Turns from image to image, one step for each press, also for presses that come before it is known where the last step
 * led. What is around an image only its own answer tells, so they wait for it.
 */
export class Turning {
  readonly #go: (key: string) => void
  /** Steps to come: to the next images above 0, to the ones before below. */
  #steps = 0
  #image = ''
  #around: Around | null = null

  constructor(go: (key: string) => void) {
    this.#go = go
  }

  /** What is shown; `around` null: not known yet, or there is none. Steps to come are dropped when it is another image than they led to. */
  shows(image: string, around: Around | null): void {
    if (image !== this.#image) this.#steps = 0
    this.#image = image
    this.#around = around
    this.#turn()
  }

  /** `isHeld`: the key is held down. It goes as fast as images come, and ends when the key is let go. */
  press(direction: Direction, isHeld: boolean): void {
    if (isHeld && this.#around === null) return
    this.#steps += direction === 'next' ? 1 : -1
    this.#turn()
  }

  /** Steps to come lead nowhere: the image cannot be shown, or is not in the selection. */
  stop(): void {
    this.#steps = 0
  }

  #turn(): void {
    if (this.#around === null || this.#steps === 0) return
    const key = this.#around[this.#steps > 0 ? 'next' : 'previous']
    if (key === null) return this.stop()
    this.#steps -= Math.sign(this.#steps)
    this.#around = null
    this.#image = key
    this.#go(key)
  }
}
