import type { CommandSpec } from '../../command.ts'

export const networkInspectCommand: CommandSpec = {
  name: 'network inspect',
  summary: 'show what a checkpoint holds and what headlight takes it for',
  settings: [],
  extend: (command) => command.argument('<file>', 'the checkpoint'),
  examples: [
    ['headlight network inspect model.pkl', 'layers, heads and the description, with what is assumed marked as such'],
    ['headlight network inspect model.pkl --json', 'the same for a script'],
  ],
  perform: async ({ operands, settings, surroundings }) => {
    const [{ readNetworkFile }, { inspectNetwork, renderInspection }] = await Promise.all([
      import('../../shared/networkFile.ts'),
      import('../../../saliency/networks/inspect.ts'),
    ])
    const { network, overrideFile } = await readNetworkFile(operands[0] ?? '')
    const inspection = inspectNetwork(network)
    const text = settings.json ? `${JSON.stringify({ ...inspection, overrideFile })}\n` : renderInspection(inspection)
    surroundings.results.write(text)
    return 0
  },
}
