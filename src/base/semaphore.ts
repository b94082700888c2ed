/** Admits work up to a total weight; whoever is too heavy for the whole is admitted alone. First come, first served. */
export class Semaphore {
  readonly #capacity: number
  #used = 0
  readonly #waiting: { weight: number; admit: () => void }[] = []

  constructor(capacity: number) {
    this.#capacity = capacity
  }

  async use<T>(weight: number, action: () => Promise<T>): Promise<T> {
    const leave = await this.enter(weight)
    try {
      return await action()
    } finally {
      leave()
    }
  }

  /** Resolves when admitted, with the function to call once the weight is gone. */
  async enter(weight: number): Promise<() => void> {
    const held = Math.min(weight, this.#capacity)
    if (this.#waiting.length > 0 || this.#used + held > this.#capacity)
      await new Promise<void>((resolve) => this.#waiting.push({ weight: held, admit: resolve }))
    else this.#used += held
    return () => {
      this.#used -= held
      this.#admitNext()
    }
  }

  #admitNext(): void {
    for (let next = this.#waiting[0]; next && this.#used + next.weight <= this.#capacity; next = this.#waiting[0]) {
      this.#waiting.shift()
      this.#used += next.weight
      next.admit()
    }
  }
}
