import { resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { InputError } from '../base/errors.ts'
import type { Network } from '../saliency/networks/network.ts'
import { readDescriptionBeside } from './descriptionBeside.ts'
import {
  isLocal,
  localFolder,
  localPathOf,
  storedFolder,
  type NetworkAccess,
  type NetworkFolder,
} from './networkFolder.ts'
import { withStatistics } from './statisticsBeside.ts'

/** A checkpoint as somebody named it, read and recognised. */
export interface NetworkFile {
  readonly network: Network
  readonly bytes: Uint8Array
  /** The file that overrides parts of the description, when there is one. */
  readonly overrideFile: string | null
  /** A file of this machine that holds these bytes; null where one that was fetched could not be kept. */
  readonly localPath: string | null
}

/** A description that was given, which somebody may have kept: then its override is not parsed yet. */
interface Described {
  readonly name: string
  readonly place?: string
  readonly override: unknown
}

/**
 * Reads the network at a path or URI, and what overrides its description: `described`, or the file `….yaml` beside it
 * where there is one. Raises the InputErrors of `loadNetwork`, `bad-option` when there is no such file, and what the store
 * raises.
 */
export async function readNetworkFile(
  given: string,
  access: NetworkAccess,
  described?: Described,
): Promise<NetworkFile> {
  const [{ loadNetwork }, folder] = await Promise.all([
    import('../saliency/networks/load.ts'),
    isLocal(given) ? localFolder(localPathOf(given)) : storedFolder(given, access),
  ])
  try {
    // One after the other: of a bucket that is not there one error is enough.
    const bytes = await folder.network()
    const { override, file, notes } =
      described === undefined ? await readDescriptionBeside(folder) : await inPlaceOfBeside(described, folder)
    const network = await withProposal(bytes, folder.file, override === undefined, () =>
      loadNetwork(bytes, folder.file, override, described?.name),
    )
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

async function inPlaceOfBeside({ name, place = name, override }: Described, folder: NetworkFolder) {
  const { checkOverride } = await import('../saliency/networks/override.ts')
  const parsed = checkOverride(override, folder.file)
  const beside = `${folder.file}.yaml`
  // The right to look may be missing, and nothing depends on it.
  const isThere = await folder.has(beside).catch(() => false)
  return {
    override: await withStatistics(parsed, name, folder),
    file: place,
    notes: isThere ? [`${beside} beside the network is not read: the description ${name} was given instead.`] : [],
  }
}

/** Where weights alone do not tell enough, but are those of a network that headlight has a description for, names it. */
async function withProposal(
  bytes: Uint8Array,
  file: string,
  isUndescribed: boolean,
  load: () => Network,
): Promise<Network> {
  try {
    return load()
  } catch (error) {
    if (!(error instanceof InputError) || error.code !== 'bad-description' || !isUndescribed) throw error
    const [{ readWeights }, { recogniseNetwork }, { fittingEntries }] = await Promise.all([
      import('../saliency/weights/read.ts'),
      import('../saliency/networks/families.ts'),
      import('../saliency/networks/gallery.ts'),
    ])
    const { tensors, unreadable } = readWeights(bytes, file)
    const [entry] = await fittingEntries(recogniseNetwork(tensors, file, {}, unreadable))
    if (entry === undefined) throw error
    const { name, about } = entry
    const why = error.message.startsWith(`${file}: `) ? error.message.slice(file.length + 2) : error.message
    throw new InputError(
      error.code,
      `${file}: give --description ${name} (${about.network}), which fits these weights; without it: ${why}`,
      { cause: error },
    )
  }
}
