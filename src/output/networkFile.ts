import { resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { InputError } from '../base/errors.ts'
import type { Network } from '../saliency/networks/network.ts'
import type { ExternalData } from '../saliency/networks/onnx/externalData.ts'
import { readDescriptionBeside } from './descriptionBeside.ts'
import { layout } from './layout.ts'
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
  /** The second file, where an ONNX network keeps its weights in one. */
  readonly externalData?: ExternalFile
  /** The file that overrides parts of the description, when there is one. */
  readonly overrideFile: string | null
  /** Files of this machine that hold these bytes; null where what was fetched could not be kept. */
  readonly localPaths: LocalPaths | null
}

export type ExternalFile = ExternalData & NonNullable<Network['externalData']>

export interface LocalPaths {
  readonly network: string
  /** `file`: its own name, by which the network knows it; kept in a cache it has another. */
  readonly externalData?: { readonly file: string; readonly path: string }
}

/** A description that was given, which somebody may have kept: then its override is not parsed yet. */
interface Described {
  readonly name: string
  readonly place?: string
  readonly override: unknown
}

/**
 * Reads the network at a path or URI, and what overrides its description: `described`, or the file `….yaml` beside it
 * where there is one. Raises the InputErrors of `loadNetwork` and `externalDataFile`, `bad-option` when there is no such
 * file or its second one is missing, and what the store raises.
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
    const externalData = await readExternalData(bytes, folder)
    const { override, file, notes } =
      described === undefined ? await readDescriptionBeside(folder) : await inPlaceOfBeside(described, folder)
    const { file: name } = folder
    const load = () => loadNetwork(bytes, name, override, described?.name, externalData)
    const network = await (override === undefined ? withProposal(load, bytes, name, externalData) : load())
    return {
      network: { ...network, notes: [...network.notes, ...notes] },
      bytes,
      ...(externalData && network.externalData && { externalData: { ...externalData, ...network.externalData } }),
      overrideFile: file,
      localPaths: await localPathsOf(network, folder),
    }
  } finally {
    folder.close()
  }
}

/** The URI of a network that was given as a path or URI, for whoever reads it elsewhere. */
export function networkUri(given: string): string {
  return isLocal(given) ? pathToFileURL(resolve(localPathOf(given))).href : given
}

/** Undefined where the network has no second file. InputErrors of `externalDataFile`, and `bad-option` for one that is missing. */
async function readExternalData(bytes: Uint8Array, folder: NetworkFolder): Promise<ExternalData | undefined> {
  const { externalDataFile } = await import('../saliency/networks/onnx/externalData.ts')
  const file = externalDataFile(bytes, folder.file)
  if (file === undefined) return undefined
  refuseTakenName(file, folder.file)
  const data = await folder.externalData(file)
  if (data !== undefined) return { file, bytes: data }
  throw new InputError(
    'bad-option',
    `${folder.file} keeps its weights in ${file}, which does not lie beside it: copy it to ${folder.placeOf('') || 'the same folder'}`,
  )
}

/** A result set keeps both files in one folder, with one of its own. */
function refuseTakenName(file: string, network: string): void {
  const taken = [layout.network('', network), layout.activations('', network)]
  if (!taken.includes(layout.externalData('', file))) return
  throw new InputError(
    'unsupported-network',
    `${network} keeps its weights in ${file}, a name that headlight needs beside ${network}: save the network anew with another name for the second file, as ${network}.data`,
  )
}

async function localPathsOf(
  { file, digest, externalData }: Network,
  folder: NetworkFolder,
): Promise<LocalPaths | null> {
  const network = await folder.localPath(file, digest)
  if (network === null || externalData === undefined) return network === null ? null : { network }
  const path = await folder.localPath(externalData.file, externalData.digest)
  return path === null ? null : { network, externalData: { file: externalData.file, path } }
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
  load: () => Network,
  bytes: Uint8Array,
  file: string,
  externalData: ExternalData | undefined,
): Promise<Network> {
  try {
    return load()
  } catch (error) {
    if (!(error instanceof InputError) || error.code !== 'bad-description') throw error
    const [{ recogniseFile }, { fittingEntries }] = await Promise.all([
      import('../saliency/networks/load.ts'),
      import('../saliency/networks/gallery.ts'),
    ])
    const { recognised } = recogniseFile(bytes, file, { given: {}, source: undefined, externalData })
    const [entry] = await fittingEntries(recognised)
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
