import type { Store } from './store.ts'

/** A store that does as `store` does, but for the changes. A spread would lose the methods of a class. */
export function wrapped(store: Store, changes: Partial<Store>): Store {
  const base: Store = {
    uri: store.uri,
    endpoint: store.endpoint,
    list: (options) => store.list(options),
    folders: (prefix) => store.folders(prefix),
    head: (key) => store.head(key),
    get: (key, options) => store.get(key, options),
    put: (key, bytes, options) => store.put(key, bytes, options),
    write: (key, options) => store.write(key, options),
    delete: (key) => store.delete(key),
    removeLeftovers: (prefix, isHeld) => store.removeLeftovers(prefix, isHeld),
    conditionalPut: () => store.conditionalPut(),
    check: (access) => store.check(access),
    close: () => store.close(),
  }
  return { ...base, ...changes }
}
