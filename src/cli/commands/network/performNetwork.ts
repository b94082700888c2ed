import { inspectNetwork, renderInspection } from '../../../saliency/networks/inspect.ts'
import type { Call } from '../../command.ts'
import { readNetworkFile } from '../../shared/networkFile.ts'

/** `headlight network inspect`. */
export async function performNetworkInspect({ operands, settings, surroundings }: Call): Promise<number> {
  const { network, overrideFile } = await readNetworkFile(operands[0] ?? '')
  const text = settings.json
    ? `${JSON.stringify({ ...inspectNetwork(network), overrideFile })}\n`
    : renderInspection(network)
  surroundings.results.write(text)
  return 0
}
