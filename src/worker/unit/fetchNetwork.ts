import { PlaceError } from '../../base/errors.ts'
import { layout } from '../../output/layout.ts'
import { NetworkCache, sha256 } from '../../output/networkCache.ts'
import type { ResultSet } from '../../output/resultSet.ts'
import type { Store } from '../../storage/store.ts'

/**
 * The bytes of a result set's network: from the cache when they are there and whole, else from the output store, checked
 * against the digest and cached under `<cacheFolder>/networks/<digest>`. Raises PlaceError `network-mismatch` when the
 * stored file is not what its digest names, `store-gone` when it is missing.
 */
export async function fetchNetwork(output: Store, set: ResultSet, cacheFolder: string): Promise<Uint8Array> {
  const { file, digest } = set.network
  const cache = new NetworkCache(cacheFolder)
  const kept = await cache.get(digest)
  if (kept) return kept
  const key = layout.network(set.id, file)
  const found = await output.get(key)
  if (!found)
    throw new PlaceError(
      'store-gone',
      `${output.uri}${key} is missing: the result set is not reachable as a whole from here`,
    )
  const actual = sha256(found.bytes)
  if (actual !== digest)
    throw new PlaceError(
      'network-mismatch',
      `${output.uri}${key} has the digest ${actual.slice(0, 16)}…, but its result set was made with ${digest.slice(0, 16)}…; ` +
        'put the original file back or start another result set',
    )
  await cache.keep(digest, found.bytes)
  return found.bytes
}

/** Of the file that `fetchNetwork` gives, without reading it; 0 where it will not give any. */
export async function networkSize(output: Store, set: ResultSet, cacheFolder: string): Promise<number> {
  const { file, digest } = set.network
  const kept = await new NetworkCache(cacheFolder).sizeBytes(digest)
  return kept ?? (await output.head(layout.network(set.id, file)))?.sizeBytes ?? 0
}
