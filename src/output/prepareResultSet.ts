import { realpath } from 'node:fs/promises'
import { dirname, sep } from 'node:path'
import { fileURLToPath } from 'node:url'
import { InputError } from '../base/errors.ts'
import { together } from '../base/together.ts'
import type { ActivationCount } from '../saliency/guidance.ts'
import type { Store } from '../storage/store.ts'
import { putActivations } from './activations.ts'
import { layout } from './layout.ts'
import type { ExternalFile } from './networkFile.ts'
import {
  digest,
  putResultSet,
  readResultSet,
  resultSetId,
  resultVersion,
  type ResultOptions,
  type ResultSet,
} from './resultSet.ts'

export interface PrepareOptions {
  readonly dataset: Pick<Store, 'uri' | 'endpoint'>
  readonly output: Store
  readonly network: {
    /** Base name of the file. */
    readonly file: string
    readonly bytes: Uint8Array
    /** SHA-256 of the bytes, hex. */
    readonly digest: string
    readonly externalData?: ExternalFile | undefined
    /** The resolved description, as plain data. */
    readonly description: unknown
    /** Those of the network, as the options treat them. */
    readonly activations: readonly ActivationCount[]
  }
  readonly options: ResultOptions
  readonly headlightVersion: string
}

/**
 * Finds or makes the result set of these choices: `set.json`, the network's files and what its activations are in the output,
 * each written once. An existing set is compared and returned as it was written (also with the version that made it). Raises InputError
 * `bad-layout` when dataset and output overlap, or when the output holds something else under this name.
 */
export async function prepareResultSet(options: PrepareOptions): Promise<ResultSet> {
  const { dataset, output, network } = options
  const { file, digest: networkDigest, externalData, description } = network
  await refuseOverlap(dataset, output)
  await output.check('write')
  const choices = {
    resultVersion,
    dataset: { uri: dataset.uri, endpoint: dataset.endpoint ?? null },
    network: {
      file,
      digest: networkDigest,
      ...(externalData && { externalData: { file: externalData.file, digest: externalData.digest } }),
      description,
    },
    options: options.options,
  }
  const set: ResultSet = {
    schema: 1,
    id: resultSetId(choices),
    ...choices,
    headlightVersion: options.headlightVersion,
    createdAt: new Date().toISOString(),
  }
  // The network first: whoever finds set.json finds the network that it names.
  const [present] = await together([
    readResultSet(output, set.id),
    putWeights(output, layout.network(set.id, file), network.bytes),
    externalData && putWeights(output, layout.externalData(set.id, externalData.file), externalData.bytes),
    putActivations(output, set.id, file, network.activations),
    // What is written next, and the hold after it, ask for that.
    output.conditionalPut(),
  ])
  if (present !== undefined) return compared(output, present, set)
  if (await putResultSet(output, set)) return set
  const other = await readResultSet(output, set.id)
  return other === undefined ? set : compared(output, other, set)
}

/** An object of the right size is right: it was written whole, and workers check its digest before they use it. */
async function putWeights(output: Store, key: string, bytes: Uint8Array): Promise<void> {
  const present = await output.head(key)
  if (present?.sizeBytes !== bytes.byteLength) await output.put(key, bytes)
}

/**
 * The id is a digest of the choices, so a set of this name with other choices is no result of chance. The endpoint is
 * left out: the same store may be reached by another address today, and the newer one is the one that works.
 */
function compared(output: Store, present: ResultSet, wanted: ResultSet): ResultSet {
  const made = (set: ResultSet) => digest([set.id, set.resultVersion, set.dataset.uri, set.network, set.options])
  if (made(present) === made(wanted)) return { ...present, dataset: wanted.dataset }
  const message =
    `${output.uri}${layout.set(wanted.id)} was made by other choices than its name says; ` +
    'choose another output, or remove that folder'
  throw new InputError('bad-layout', message)
}

/**
 * Listing the dataset would find the maps, or the maps would overwrite images. Raises InputError `bad-layout`.
 * Writes nothing, so it can be asked before anything is started.
 */
export async function refuseOverlap(dataset: Pick<Store, 'uri' | 'endpoint'>, output: Store): Promise<void> {
  // On one server only the URI counts; two servers (endpoints) cannot overlap.
  if (dataset.endpoint !== output.endpoint) return
  const [from, to] = await Promise.all([resolved(dataset.uri), resolved(output.uri)])
  const relation =
    from === to
      ? 'is the dataset itself'
      : to.startsWith(from)
        ? 'lies inside the dataset'
        : from.startsWith(to)
          ? 'contains the dataset'
          : undefined
  if (relation === undefined) return
  const message = `the output ${output.uri} ${relation} (${dataset.uri}); choose an output apart from it`
  throw new InputError('bad-layout', message)
}

/** The URI, ending in `/`; of a folder the real one behind all symbolic links, also when its last parts are missing. */
async function resolved(uri: string): Promise<string> {
  if (!uri.startsWith('file:')) return uri
  const folder = fileURLToPath(uri).replace(/(?<=.)\/+$/, '')
  const real = await realFolder(folder)
  return real.endsWith(sep) ? real : `${real}${sep}`
}

async function realFolder(folder: string): Promise<string> {
  try {
    return await realpath(folder)
  } catch {
    const parent = dirname(folder)
    if (parent === folder) return folder
    return (await realFolder(parent)).replace(/\/$/, '') + folder.slice(parent === '/' ? 0 : parent.length)
  }
}
