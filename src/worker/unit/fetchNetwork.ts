import { PlaceError } from '../../base/errors.ts'
import { layout } from '../../output/layout.ts'
import { NetworkCache, sha256 } from '../../output/networkCache.ts'
import type { ResultSet } from '../../output/resultSet.ts'
import type { Store } from '../../storage/store.ts'
import type { NetworkFile } from './engineMessages.ts'

/** A file of a result set's network. */
interface StoredFile {
  /** In the output store. */
  readonly key: string
  /** SHA-256 in hex. */
  readonly digest: string
}

/**
 * The bytes of a result set's network, and of its second file where it has one: from the cache when they are there and
 * whole, else from the output store, checked against their digests and cached under `<cacheFolder>/networks/<digest>`.
 * Raises PlaceError `network-mismatch` when a stored file is not what its digest names, `store-gone` when one is missing.
 */
export async function fetchNetwork(output: Store, set: ResultSet, cacheFolder: string): Promise<NetworkFile> {
  const cache = new NetworkCache(cacheFolder)
  const { network, externalData } = storedFiles(set)
  const bytes = await fetchFile(output, network, cache)
  if (externalData === undefined) return { bytes }
  const { file } = externalData
  return { bytes, externalData: { file, bytes: await fetchFile(output, externalData, cache) } }
}

/** Of the files that `fetchNetwork` gives, together, without reading them; 0 for one that it will not give. */
export async function networkSize(output: Store, set: ResultSet, cacheFolder: string): Promise<number> {
  const cache = new NetworkCache(cacheFolder)
  const { network, externalData } = storedFiles(set)
  let sizeBytes = 0
  for (const { key, digest } of [network, externalData ?? []].flat()) {
    sizeBytes += (await cache.sizeBytes(digest)) ?? (await output.head(key))?.sizeBytes ?? 0
  }
  return sizeBytes
}

function storedFiles({ id, network: { file, digest, externalData } }: ResultSet) {
  return {
    network: { key: layout.network(id, file), digest },
    externalData: externalData && { ...externalData, key: layout.externalData(id, externalData.file) },
  }
}

async function fetchFile(output: Store, { key, digest }: StoredFile, cache: NetworkCache): Promise<Uint8Array> {
  const kept = await cache.get(digest)
  if (kept) return kept
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
