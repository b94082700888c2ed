import { createHash } from 'node:crypto'
import { compareKeys } from '../../src/storage/keyOrder.ts'
import type { ObjectInfo, Store } from '../../src/storage/store.ts'

/** An output in memory; `objects` are its bytes by key. */
export function memoryOutput(): Store & { readonly objects: Map<string, Uint8Array> } {
  const objects = new Map<string, Uint8Array>()
  const etags = new WeakMap<Uint8Array, string>()
  const infoOf = (key: string, bytes: Uint8Array): ObjectInfo => {
    const etag = etags.get(bytes) ?? createHash('md5').update(bytes).digest('hex').slice(0, 8)
    etags.set(bytes, etag)
    return { key, etag, sizeBytes: bytes.byteLength }
  }
  const put = (key: string, bytes: Uint8Array | string): string => {
    const own = new Uint8Array(Buffer.from(bytes))
    objects.set(key, own)
    return infoOf(key, own).etag
  }
  const keys = (prefix: string) => [...objects.keys()].filter((key) => key.startsWith(prefix)).toSorted(compareKeys)
  return {
    uri: 'memory://output/',
    endpoint: undefined,
    objects,
    async *list({ prefix = '', after } = {}) {
      for (const key of keys(prefix)) {
        const bytes = objects.get(key)
        if (bytes !== undefined && (after === undefined || compareKeys(key, after) > 0)) yield infoOf(key, bytes)
      }
    },
    async *folders(prefix) {
      const names = keys(prefix).flatMap((key) => /^([^/]+)\//.exec(key.slice(prefix.length))?.[1] ?? [])
      yield* new Set(names)
    },
    async head(key) {
      const bytes = objects.get(key)
      return bytes && infoOf(key, bytes)
    },
    async get(key, { range } = {}) {
      const bytes = objects.get(key)
      if (bytes === undefined) return undefined
      return { info: infoOf(key, bytes), bytes: range === undefined ? bytes : bytes.subarray(range.start, range.end) }
    },
    async put(key, bytes, { ifAbsent = false, ifMatch } = {}) {
      const present = objects.get(key)
      if (ifAbsent && present !== undefined) return false
      if (ifMatch !== undefined && (present === undefined || infoOf(key, present).etag !== ifMatch)) return false
      return put(key, bytes)
    },
    write(key) {
      const pieces: Buffer[] = []
      return {
        append: async (bytes) => void pieces.push(Buffer.from(bytes)),
        commit: async () => put(key, Buffer.concat(pieces)),
        discard: async () => undefined,
      }
    },
    async delete(key) {
      objects.delete(key)
    },
    removeLeftovers: async () => undefined,
    conditionalPut: async () => true,
    check: async () => undefined,
    close: () => undefined,
  }
}
