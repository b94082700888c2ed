import { inspectNetwork, renderInspection } from '../../../saliency/networks/inspect.ts'
import type { Call } from '../../command.ts'
import { givenNetwork } from '../../shared/networkFile.ts'
import { memoryLine, unitMemory } from './unitMemory.ts'

/** `headlight network inspect`. */
export async function performNetworkInspect(call: Call): Promise<number> {
  const { operands, settings, surroundings } = call
  const [path = ''] = operands
  const { network, overrideFile, localPath } = await givenNetwork(call, path)
  // Units read it by themselves.
  const memory = localPath === null ? [] : await unitMemory(call, localPath, network)
  const text = settings.json
    ? `${JSON.stringify({ ...inspectNetwork(network), overrideFile, memory })}\n`
    : renderInspection(network, memory.map(memoryLine))
  surroundings.results.write(text)
  return 0
}
