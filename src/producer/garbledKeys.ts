import { compareKeys } from '../storage/keyOrder.ts'
import type { ListOptions, ObjectInfo, Store } from '../storage/store.ts'
import { wrapped } from '../storage/wrapped.ts'

/** Notes which keys a listing could not tell for certain, on their way through an adapter, which makes samples of them. */
export class GarbledKeys {
  /** The dataset, listed through this. */
  readonly dataset: Store
  /** In the order of the listing; those that became no samples are dropped as it goes on. */
  readonly #keys = new Set<string>()

  constructor(dataset: Store) {
    this.dataset = wrapped(dataset, { list: (options) => this.#list(dataset, options) })
  }

  has(key: string): boolean {
    for (const noted of this.#keys) {
      if (compareKeys(noted, key) >= 0) break
      this.#keys.delete(noted)
    }
    return this.#keys.has(key)
  }

  async *#list(dataset: Store, options: ListOptions | undefined): AsyncIterable<ObjectInfo> {
    for await (const object of dataset.list(options)) {
      if (object.isGarbled === true) this.#keys.add(object.key)
      yield object
    }
  }
}
