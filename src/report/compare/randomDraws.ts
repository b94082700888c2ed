/**
 * Draws whole numbers from a seed: the same ones on every machine, so that one comparison made twice says the same.
 * Xorshift with 32 bits (Marsaglia 2003): the language's own generator takes no seed.
 */
export class RandomDraws {
  #state: number

  /** A whole number other than 0, which the generator could not leave. */
  constructor(seed: number) {
    this.#state = seed | 0 || 1
  }

  /** One of 0, 1 … `count` − 1. */
  below(count: number): number {
    let state = this.#state
    state ^= state << 13
    state ^= state >>> 17
    state ^= state << 5
    this.#state = state
    return Math.floor(((state >>> 0) / 4_294_967_296) * count)
  }
}
