import { basename } from 'node:path'
import { parse } from 'yaml'
import { InputError } from '../errors.ts'
import type { Network } from '../saliency/networks/network.ts'
import { readLocalFile } from './options.ts'

/** A checkpoint as the user named it, read and recognised. */
export interface NetworkFile {
  readonly network: Network
  readonly bytes: Uint8Array
  /** The file that overrides parts of the description, when there is one. */
  readonly overrideFile: string | null
}

/** Reads `path` and, where it exists, `path.yaml` beside it. Raises the InputErrors of `loadNetwork`. */
export async function readNetworkFile(path: string): Promise<NetworkFile> {
  const [{ loadNetwork }, bytes] = await Promise.all([
    import('../saliency/networks/load.ts'),
    readLocalFile(path, 'network file'),
  ])
  const overrideFile = `${path}.yaml`
  const override = await readOverride(overrideFile)
  const network = loadNetwork(bytes, basename(path), override)
  return { network, bytes, overrideFile: override === undefined ? null : overrideFile }
}

async function readOverride(path: string): Promise<unknown> {
  const { existsSync } = await import('node:fs')
  if (!existsSync(path)) return undefined
  const text = (await readLocalFile(path, 'description')).toString('utf8')
  try {
    return parse(text) as unknown
  } catch (error) {
    const reason = error instanceof Error ? (error.message.split('\n')[0] ?? '') : String(error)
    throw new InputError('bad-description', `${path}: not valid YAML (${reason.replace(/[.:]+$/, '')})`, {
      cause: error,
    })
  }
}
