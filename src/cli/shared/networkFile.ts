import { readNetworkFile, type NetworkFile } from '../../output/networkFile.ts'
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
    if (head.kind !== 'binned' || network.provenance[`heads.${index}.step`] !== 'default') return []
    return [`${head.angle} ${head.bins} bins × ${head.step}° ${head.offset < 0 ? '−' : '+'} ${Math.abs(head.offset)}°`]
  })
  const notes = assumed.length > 0 ? [`assumed: ${assumed.join(', ')}`, ...network.notes] : network.notes
  return notes.length > 0 ? `${network.file}: ${notes.join(' ')}` : undefined
}
