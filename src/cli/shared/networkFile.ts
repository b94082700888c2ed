import { existsSync } from 'node:fs'
import { basename } from 'node:path'
import type { Network } from '../../saliency/networks/network.ts'
import { readLocalFile } from '../settings/commandFlags.ts'

/** A checkpoint as the user named it, read and recognised. */
interface NetworkFile {
  readonly network: Network
  readonly bytes: Uint8Array
  /** The file that overrides parts of the description, when there is one. */
  readonly overrideFile: string | null
}

/** Reads `path` and, where it exists, `path.yaml` beside it. Raises the InputErrors of `loadNetwork`. */
export async function readNetworkFile(path: string): Promise<NetworkFile> {
  const [{ loadNetwork }, bytes, override] = await Promise.all([
    import('../../saliency/networks/load.ts'),
    readLocalFile(path, 'network file'),
    readOverride(`${path}.yaml`),
  ])
  const network = loadNetwork(bytes, basename(path), override?.description)
  return { network, bytes, overrideFile: override?.file ?? null }
}

async function readOverride(file: string): Promise<{ file: string; description: unknown } | undefined> {
  if (!existsSync(file)) return undefined
  const [{ parseDescription }, text] = await Promise.all([
    import('../../saliency/networks/descriptionFile.ts'),
    readLocalFile(file, 'description'),
  ])
  return { file, description: parseDescription(text.toString('utf8'), file) }
}

/** One line that names what was assumed about a network because neither its weights nor a description say it. */
export function announcement(network: Network): string | undefined {
  const assumed = network.description.heads.flatMap((head, index) => {
    if (head.kind !== 'binned' || network.provenance[`heads.${index}.step`] !== 'default') return []
    return [`${head.angle} ${head.bins} bins × ${head.step}° ${head.offset < 0 ? '−' : '+'} ${Math.abs(head.offset)}°`]
  })
  const notes = assumed.length > 0 ? [`assumed: ${assumed.join(', ')}`, ...network.notes] : network.notes
  return notes.length > 0 ? `${network.file}: ${notes.join(' ')}` : undefined
}
