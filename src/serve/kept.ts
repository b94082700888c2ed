/** The last few results that were asked for, by name. */
export class Kept<Value> {
  readonly #most: number
  readonly #values = new Map<string, Value>()

  constructor(most: number) {
    this.#most = most
  }

  of(name: string, make: () => Value): Value {
    const value = this.#values.get(name) ?? make()
    this.#values.delete(name)
    this.#values.set(name, value)
    const [oldest] = this.#values.keys()
    if (this.#values.size > this.#most && oldest !== undefined) this.#values.delete(oldest)
    return value
  }

  drop(name: string): void {
    this.#values.delete(name)
  }
}

/** As `kept.of` for what takes a while; one that fails now may succeed in a moment, so it is not kept. */
export function keptPromise<Value>(
  kept: Kept<Promise<Value>>,
  name: string,
  make: () => Promise<Value>,
): Promise<Value> {
  const promise = kept.of(name, make)
  promise.catch(() => kept.drop(name))
  return promise
}
