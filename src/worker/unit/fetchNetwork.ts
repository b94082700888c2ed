import { createHash } from 'node:crypto'
import { mkdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { PlaceError } from '../../base/errors.ts'
import { layout } from '../../output/layout.ts'
import type { ResultSet } from '../../output/resultSet.ts'
import type { Store } from '../../storage/store.ts'

/**
 * The bytes of a result set's network: from the cache when they are there and whole, else from the output store, checked
 * against the digest and cached under `<cacheFolder>/networks/<digest>`. Raises PlaceError `network-mismatch` when the
 * stored file is not what its digest names, `store-gone` when it is missing.
 */
export async function fetchNetwork(output: Store, set: ResultSet, cacheFolder: string): Promise<Uint8Array> {
  const { file, digest } = set.network
  const folder = join(cacheFolder, 'networks')
  const cached = join(folder, digest)
  const kept = await readFile(cached).catch(() => undefined)
  if (kept && sha256(kept) === digest) return kept
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
  await keep(folder, cached, found.bytes)
  return found.bytes
}

/** Of the file that `fetchNetwork` gives, without reading it; 0 where it will not give any. */
export async function networkSize(output: Store, set: ResultSet, cacheFolder: string): Promise<number> {
  const { file, digest } = set.network
  const kept = await stat(join(cacheFolder, 'networks', digest)).catch(() => undefined)
  return kept?.size ?? (await output.head(layout.network(set.id, file)))?.sizeBytes ?? 0
}

/** Several units fetch at the same time: each writes a file of its own and renames it. A full cache only costs time. */
async function keep(folder: string, path: string, bytes: Uint8Array): Promise<void> {
  const draft = `${path}.${process.pid}.partial`
  try {
    await mkdir(folder, { recursive: true })
    await writeFile(draft, bytes)
    await rename(draft, path)
  } catch {
    await rm(draft, { force: true }).catch(() => undefined)
  }
}

function sha256(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex')
}
