import { readNetworkFile, type NetworkFile } from '../../output/networkFile.ts'
import { kindOf } from '../../saliency/networks/heads/kinds.ts'
import type { Network } from '../../saliency/networks/network.ts'
import type { Call } from '../command.ts'
import { whileWaiting } from './waiting.ts'

/** The network that a call names, by a path or a URI. Raises what `readNetworkFile` raises. */
export function givenNetwork(call: Call, given: string): Promise<NetworkFile> {
  const { settings, folders } = call
  const read = readNetworkFile(given, { endpoint: settings.s3Endpoint, cacheFolder: folders.cache })
  return whileWaiting(call, given, read)
}

/** One line that names what was assumed about a network because neither its weights nor a description say it. */
export function announcement(network: Network): string | undefined {
  const assumed = network.description.heads.flatMap((head, index) => {
    return kindOf(head.kind).assumption?.(head, (key) => network.provenance[`heads.${index}.${key}`]) ?? []
  })
  const notes = assumed.length > 0 ? [`assumed: ${assumed.join(', ')}.`, ...network.notes] : network.notes
  return notes.length > 0 ? `${network.file}: ${notes.join(' ')}` : undefined
}
