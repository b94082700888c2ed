import { resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import type { Network } from '../saliency/networks/network.ts'
import { pathOfFileUri } from '../storage/fileUri.ts'
import { readDescriptionBeside } from './descriptionBeside.ts'
import { localFolder, storedFolder, type NetworkAccess } from './networkFolder.ts'

/** A checkpoint as somebody named it, read and recognised. */
export interface NetworkFile {
  readonly network: Network
  readonly bytes: Uint8Array
  /** The file that overrides parts of the description, when there is one. */
  readonly overrideFile: string | null
  /** A file of this machine that holds these bytes; null where one that was fetched could not be kept. */
  readonly localPath: string | null
}

/**
 * Reads the network at a path or URI and, where it exists, the description `….yaml` beside it. Raises the InputErrors of
 * `loadNetwork`, `bad-option` when there is no such file, and what the store raises.
 */
export async function readNetworkFile(given: string, access: NetworkAccess): Promise<NetworkFile> {
  const [{ loadNetwork }, folder] = await Promise.all([
    import('../saliency/networks/load.ts'),
    isLocal(given) ? localFolder(localPathOf(given)) : storedFolder(given, access),
  ])
  try {
    // One after the other: of a bucket that is not there one error is enough.
    const bytes = await folder.network()
    const { override, file, notes } = await readDescriptionBeside(folder)
    const network = loadNetwork(bytes, folder.file, override)
    return {
      network: { ...network, notes: [...network.notes, ...notes] },
      bytes,
      overrideFile: file,
      localPath: await folder.localPath(network.digest),
    }
  } finally {
    folder.close()
  }
}

/** The URI of a network that was given as a path or URI, for whoever reads it elsewhere. */
export function networkUri(given: string): string {
  return isLocal(given) ? pathToFileURL(resolve(localPathOf(given))).href : given
}

/** `s3:/bucket` is no path that anybody means. */
const isLocal = (given: string): boolean => /^file:/i.test(given) || !/^([a-z][a-z0-9+.-]*:\/\/|s3:)/i.test(given)
const localPathOf = (given: string): string => (/^file:/i.test(given) ? pathOfFileUri(given) : given)
