import { isAsAssumed, proposalText } from '../../../saliency/networks/fit.ts'
import { inspectNetwork, renderInspection, renderNetworkFacts } from '../../../saliency/networks/inspect.ts'
import { networkFactsIn } from '../../../saliency/networks/unresolvedNetwork.ts'
import type { Call } from '../../command.ts'
import { givenNetwork, proposals } from '../../shared/networkFile.ts'
import { memoryLine, unitMemory } from './unitMemory.ts'

/** `headlight network inspect`. */
export async function performNetworkInspect(call: Call): Promise<number> {
  const { operands, settings, surroundings } = call
  const [path = ''] = operands
  const given = await givenNetwork(call, path).catch((error: unknown) => {
    showWhatWasRead(call, error)
    throw error
  })
  const { network, overrideFile, localPaths } = given
  const fits = await proposals(given)
  // Units read it by themselves.
  const memory = localPaths === null ? [] : await unitMemory(call, localPaths, network)
  const text = settings.json
    ? `${JSON.stringify({ ...inspectNetwork(network), overrideFile, memory, fits: fits.map(({ name }) => name) })}\n`
    : `${renderInspection(network, memory.map(memoryLine))}${fits.map((entry) => `${proposalText(entry)}${isAsAssumed(entry, network) ? ' (as assumed)' : ''}\n`).join('')}`
  surroundings.results.write(text)
  return 0
}

/** Of a file that needs a description first: whoever writes it looks here for what to say. */
function showWhatWasRead({ settings, surroundings }: Call, error: unknown): void {
  const found = networkFactsIn(error)
  if (found === undefined) return
  const { file, architecture } = found
  surroundings.results.write(settings.json ? `${JSON.stringify({ file, architecture })}\n` : renderNetworkFacts(found))
}
