import { existsSync } from 'node:fs'
import { basename } from 'node:path'
import { InputError } from '../base/errors.ts'
import { readLocalFile } from '../base/localFile.ts'
import { pathOfFileUri } from '../storage/fileUri.ts'
import type { Store } from '../storage/store.ts'
import { NetworkCache } from './networkCache.ts'

/** The folder in which a network lies, on this machine or in a bucket. */
export interface NetworkFolder {
  /** Base name of the network in it. */
  readonly file: string
  /** InputError `bad-option` when it is not there. */
  network(): Promise<Uint8Array>
  /** A second file of weights beside it, kept as the network is; undefined when there is none of this name. */
  externalData(name: string): Promise<Uint8Array | undefined>
  /** A file beside the network; undefined when there is none of this name. */
  get(name: string): Promise<Uint8Array | undefined>
  has(name: string): Promise<boolean>
  /** How people find a file of it: a path or a URI. */
  placeOf(name: string): string
  /** A file of this machine that holds what lies there under this name and has this digest; null where what was fetched could not be kept. */
  localPath(name: string, digest: string): Promise<string | null>
  close(): void
}

export interface NetworkAccess {
  /** Of the S3 service that `s3://` means. */
  readonly endpoint?: string | undefined
  /** Keeps what is fetched, and does not fetch it again while its ETag stays. */
  readonly cacheFolder: string
}

/** `s3:/bucket` is no path that anybody means. */
export const isLocal = (given: string): boolean =>
  /^file:/i.test(given) || !/^([a-z][a-z0-9+.-]*:\/\/|s3:)/i.test(given)
export const localPathOf = (given: string): string => (/^file:/i.test(given) ? pathOfFileUri(given) : given)

export function localFolder(path: string): NetworkFolder {
  const file = basename(path)
  // As the path was given: `./model.pkl` has `./model.pkl.yaml` beside it.
  const placeOf = (name: string): string => `${path.slice(0, path.lastIndexOf(file))}${name}`
  const get = async (name: string): Promise<Uint8Array | undefined> =>
    existsSync(placeOf(name)) ? readLocalFile(placeOf(name), 'file beside the network') : undefined
  return {
    file,
    network: () => readLocalFile(path, 'network file'),
    externalData: get,
    get,
    has: (name) => Promise.resolve(existsSync(placeOf(name))),
    placeOf,
    localPath: (name) => Promise.resolve(placeOf(name)),
    close: () => {},
  }
}

export async function storedFolder(uri: string, { endpoint, cacheFolder }: NetworkAccess): Promise<NetworkFolder> {
  const slash = uri.lastIndexOf('/') + 1
  const file = uri.slice(slash)
  if (file === '') throw new InputError('bad-uri', `${uri} names a folder; name the file of the network in it`)
  // Most networks are files: those who read them do not wait for the packages of a store.
  const { openStore } = await import('../storage/open.ts')
  const folder = uri.slice(0, slash)
  const store = openStore(folder, { endpoint })
  const cache = new NetworkCache(cacheFolder)
  return {
    file,
    network: async () => {
      const bytes = await fetched(store, file, cache)
      if (bytes === undefined) throw new InputError('bad-option', `the network file ${uri} does not exist`)
      return bytes
    },
    externalData: (name) => fetched(store, name, cache),
    get: async (name) => (await store.get(name))?.bytes,
    has: async (name) => (await store.head(name)) !== undefined,
    placeOf: (name) => `${folder}${name}`,
    localPath: async (_name, digest) => ((await cache.sizeBytes(digest)) === undefined ? null : cache.path(digest)),
    close: () => store.close(),
  }
}

async function fetched(store: Store, key: string, cache: NetworkCache): Promise<Uint8Array | undefined> {
  const place = `${store.endpoint ?? ''} ${store.uri}${key}`
  const info = await store.head(key)
  const kept = info && (await cache.seenAt(place, info.etag))
  if (kept) return kept
  // Also where `head` found none: it cannot tell whether the bucket is there.
  const found = await store.get(key)
  if (found === undefined) return undefined
  await cache.keepSeen(place, found.info.etag, found.bytes)
  return found.bytes
}
