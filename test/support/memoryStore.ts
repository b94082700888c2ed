import { createHash } from 'node:crypto'
import type { Adapter, Sample } from '../../src/dataset/adapter.ts'
import { compareKeys } from '../../src/storage/keyOrder.ts'
import type { ObjectInfo, Store } from '../../src/storage/store.ts'

/** A dataset in memory, sorted as stores are. `asked` collects the keys of heads and gets. */
export function memoryStore(
  contents: Readonly<Record<string, string | Uint8Array>>,
): Store & { readonly asked: string[]; readonly objects: Map<string, string | Uint8Array> } {
  const objects = new Map(Object.entries(contents))
  const asked: string[] = []
  const infoOf = (key: string): ObjectInfo | undefined => {
    const content = objects.get(key)
    if (content === undefined) return undefined
    return { key, etag: createHash('md5').update(content).digest('hex').slice(0, 8), sizeBytes: content.length }
  }
  const refuse = () => {
    throw new Error('not asked for')
  }
  return {
    uri: 'memory://dataset/',
    endpoint: undefined,
    asked,
    objects,
    async *list({ after } = {}) {
      for (const key of [...objects.keys()].toSorted(compareKeys)) {
        const info = infoOf(key)
        if (info !== undefined && (after === undefined || compareKeys(key, after) > 0)) yield info
      }
    },
    async head(key) {
      asked.push(`head ${key}`)
      return infoOf(key)
    },
    async get(key) {
      asked.push(`get ${key}`)
      const content = objects.get(key)
      const info = infoOf(key)
      return content === undefined || info === undefined ? undefined : { info, bytes: Buffer.from(content) }
    },
    folders: refuse,
    put: refuse,
    write: refuse,
    delete: refuse,
    removeLeftovers: refuse,
    conditionalPut: refuse,
    check: refuse,
    close: refuse,
  }
}

export async function samplesOf(adapter: Adapter, store: Store, after?: string): Promise<Sample[]> {
  const samples: Sample[] = []
  for await (const sample of adapter.samples(store, after)) samples.push(sample)
  return samples
}
