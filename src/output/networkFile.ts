import { existsSync } from 'node:fs'
import { basename, resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { InputError } from '../base/errors.ts'
import { readLocalFile } from '../base/localFile.ts'
import type { Network } from '../saliency/networks/network.ts'
import { pathOfFileUri } from '../storage/fileUri.ts'
import type { Store } from '../storage/store.ts'
import { NetworkCache } from './networkCache.ts'

/** A checkpoint as somebody named it, read and recognised. */
export interface NetworkFile {
  readonly network: Network
  readonly bytes: Uint8Array
  /** The file that overrides parts of the description, when there is one. */
  readonly overrideFile: string | null
  /** A file of this machine that holds these bytes; null where one that was fetched could not be kept. */
  readonly localPath: string | null
}

export interface NetworkAccess {
  /** Of the S3 service that `s3://` means. */
  readonly endpoint?: string | undefined
  /** Keeps what is fetched, and does not fetch it again while its ETag stays. */
  readonly cacheFolder: string
}

/**
 * Reads the network at a path or URI and, where it exists, the description `….yaml` beside it. Raises the InputErrors of
 * `loadNetwork`, `bad-option` when there is no such file, and what the store raises.
 */
export async function readNetworkFile(given: string, access: NetworkAccess): Promise<NetworkFile> {
  const [{ loadNetwork }, { file, bytes, override, localPath }] = await Promise.all([
    import('../saliency/networks/load.ts'),
    isLocal(given) ? readLocal(localPathOf(given)) : readStored(given, access),
  ])
  const description = override && (await parsed(override))
  const network = loadNetwork(bytes, file, description)
  return { network, bytes, overrideFile: override?.file ?? null, localPath: await localPath(network.digest) }
}

/** The URI of a network that was given as a path or URI, for whoever reads it elsewhere. */
export function networkUri(given: string): string {
  return isLocal(given) ? pathToFileURL(resolve(localPathOf(given))).href : given
}

/** `s3:/bucket` is no path that anybody means. */
const isLocal = (given: string): boolean => /^file:/i.test(given) || !/^([a-z][a-z0-9+.-]*:\/\/|s3:)/i.test(given)
const localPathOf = (given: string): string => (/^file:/i.test(given) ? pathOfFileUri(given) : given)

interface Override {
  readonly file: string
  readonly text: Uint8Array
}

interface ReadNetwork {
  readonly file: string
  readonly bytes: Uint8Array
  readonly override: Override | undefined
  readonly localPath: (digest: string) => Promise<string | null>
}

async function readLocal(path: string): Promise<ReadNetwork> {
  const file = `${path}.yaml`
  const [bytes, override] = await Promise.all([
    readLocalFile(path, 'network file'),
    existsSync(file) ? readLocalFile(file, 'description').then((text) => ({ file, text })) : undefined,
  ])
  return { file: basename(path), bytes, override, localPath: () => Promise.resolve(path) }
}

async function readStored(uri: string, { endpoint, cacheFolder }: NetworkAccess): Promise<ReadNetwork> {
  const slash = uri.lastIndexOf('/') + 1
  const key = uri.slice(slash)
  if (key === '') throw new InputError('bad-uri', `${uri} names a folder; name the file of the network in it`)
  // Most networks are files: those who read them do not wait for the packages of a store.
  const { openStore } = await import('../storage/open.ts')
  const store = openStore(uri.slice(0, slash), { endpoint })
  const cache = new NetworkCache(cacheFolder)
  try {
    // One after the other: of a bucket that is not there one error is enough.
    const bytes = await fetched(store, key, cache)
    const override = await store.get(`${key}.yaml`)
    return {
      file: key,
      bytes,
      override: override && { file: `${uri}.yaml`, text: override.bytes },
      localPath: async (digest) => ((await cache.sizeBytes(digest)) === undefined ? null : cache.path(digest)),
    }
  } finally {
    store.close()
  }
}

async function fetched(store: Store, key: string, cache: NetworkCache): Promise<Uint8Array> {
  const place = `${store.endpoint ?? ''} ${store.uri}${key}`
  const info = await store.head(key)
  const kept = info && (await cache.seenAt(place, info.etag))
  if (kept) return kept
  // Also where `head` found none: it cannot tell whether the bucket is there.
  const found = await store.get(key)
  if (found === undefined) throw new InputError('bad-option', `the network file ${store.uri}${key} does not exist`)
  await cache.keepSeen(place, found.info.etag, found.bytes)
  return found.bytes
}

async function parsed({ file, text }: Override): Promise<unknown> {
  const { parseDescription } = await import('../saliency/networks/descriptionFile.ts')
  return parseDescription(Buffer.from(text).toString('utf8'), file)
}
