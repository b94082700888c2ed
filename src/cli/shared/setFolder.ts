import type { Store } from '../../storage/store.ts'

/** Where a result set lies. */
export interface SetFolder {
  /** URI of the output that holds it. */
  readonly output: string
  readonly id: string
}

/**
 * The result set that a store is itself, as with `./out/SET`; null where it is none. It is asked for with the store that was
 * given: the folder above may be none of the reader's business.
 */
export async function setFolder(given: Store): Promise<SetFolder | null> {
  if ((await given.head('set.json')) === undefined) return null
  // The canonical URI, in which a folder's name is percent-encoded and a prefix in S3 is not.
  const [, output, name] = /^(.+\/)([^/]+)\/$/.exec(given.uri) ?? []
  return output === undefined || name === undefined ? null : { output, id: decodedPart(given, name) }
}

/** Part of a canonical URI as a key has it. */
export function decodedPart(store: Store, part: string): string {
  return store.uri.startsWith('file:') ? decodeURIComponent(part) : part
}
