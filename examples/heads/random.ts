/**
 * A seeded source of random numbers. Only 32-bit integer arithmetic and one division make them, so a seed gives the
 * same numbers on every machine; `Math.random` could not be seeded at all.
 */
export class Random {
  #state: number

  constructor(seed: number) {
    this.#state = seed | 0
    // The first numbers of neighbouring seeds resemble each other until the state is mixed.
    for (let i = 0; i < 4; i++) this.next()
  }

  /** Uniform in [0, 1). */
  next(): number {
    this.#state = (this.#state + 0x6d2b79f5) | 0
    let mixed = this.#state
    mixed = Math.imul(mixed ^ (mixed >>> 15), mixed | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296
  }

  between(low: number, high: number): number {
    return low + (high - low) * this.next()
  }

  /** Bell-shaped with mean 0 and standard deviation 1, and never beyond ±3: a sum of twelve would be, at ±6. */
  bell(): number {
    return (this.next() + this.next() + this.next() - 1.5) * 2
  }

  chance(probability: number): boolean {
    return this.next() < probability
  }

  pick<T>(choices: readonly T[]): T {
    const choice = choices[Math.floor(this.next() * choices.length)]
    if (choice === undefined) throw new RangeError('nothing to pick from')
    return choice
  }

  /** A seed for a source of its own, so that what one part draws does not shift the numbers of the next. */
  fork(): Random {
    return new Random(Math.floor(this.next() * 4294967296))
  }
}

/** The seed of the `index`-th of many pictures: far apart for neighbours, the same whatever was drawn before. */
export function seedAt(seed: number, index: number): number {
  return Math.imul(seed + 1, 0x9e3779b1) ^ Math.imul(index + 1, 0x85ebca6b)
}
