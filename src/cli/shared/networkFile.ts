import { readGivenDescription, type GivenDescription } from '../../output/givenDescription.ts'
import { readNetworkFile, type NetworkFile } from '../../output/networkFile.ts'
import { isAsAssumed, proposalText, type GalleryEntry } from '../../saliency/networks/fit.ts'
import { kindOf } from '../../saliency/networks/heads/kinds.ts'
import type { Network } from '../../saliency/networks/network.ts'
import type { Call } from '../command.ts'
import { whileWaiting } from './waiting.ts'

export interface GivenNetwork extends NetworkFile {
  /** What `--description` says, as far as it was given. */
  readonly described: GivenDescription | undefined
}

/**
 * The network that a call names, by a path or a URI, with the description that it names. Raises what `readNetworkFile` and
 * `readGivenDescription` raise.
 */
export function givenNetwork(call: Call, given: string): Promise<GivenNetwork> {
  const { settings, folders } = call
  const access = { endpoint: settings.s3Endpoint, cacheFolder: folders.cache }
  const read = async (): Promise<GivenNetwork> => {
    const { description } = settings
    const described = description === undefined ? undefined : await readGivenDescription(description, access)
    return { ...(await readNetworkFile(given, access, described)), described }
  }
  return whileWaiting(call, given, read())
}

/** The names and digests of a network's files, as JSON tells them: the second one only where there is one. */
export function filesOf({ file, digest, externalData }: Network): Pick<Network, 'file' | 'digest' | 'externalData'> {
  return { file, digest, ...(externalData && { externalData }) }
}

/**
 * The ready descriptions that fit a network which nobody has described, the preferred one first. None where nothing had
 * to be assumed, since there is nothing to propose then.
 */
export async function proposals({ network, overrideFile }: NetworkFile): Promise<readonly GalleryEntry[]> {
  if (overrideFile !== null || !Object.values(network.provenance).includes('default')) return []
  // Most networks are described, or leave nothing to assume: those who give them do not wait for fifteen files.
  const { fittingEntries } = await import('../../saliency/networks/gallery.ts')
  return fittingEntries(network.recognised)
}

/**
 * What was assumed about a network because neither its weights nor a description say it, what else is to be known of it,
 * and the ready description that fits it and says something else. A line each: of all in one line nobody reads the end.
 */
export async function announcements(file: NetworkFile): Promise<readonly string[]> {
  const { network } = file
  const assumed = network.description.heads.flatMap((head, index) => {
    return kindOf(head.kind).assumption?.(head, (key) => network.provenance[`heads.${index}.${key}`]) ?? []
  })
  const [fit] = await proposals(file)
  const proposal = fit === undefined || isAsAssumed(fit, network) ? undefined : fit
  return [
    ...(assumed.length > 0 ? [`assumed: ${assumed.join(', ')}.`] : []),
    ...network.notes,
    ...(proposal === undefined ? [] : [proposalText(proposal)]),
  ]
}
