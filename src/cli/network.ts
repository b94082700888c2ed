import type { CommandSpec } from './command.ts'

export const networkInspectCommand: CommandSpec = {
  name: 'network inspect',
  summary: 'show what a checkpoint holds and what headlight takes it for',
  settings: [],
  extend: (command) => command.argument('<file>', 'the checkpoint'),
  examples: [
    ['headlight network inspect hopenet.pkl', 'layers, heads and the description, with what is assumed marked as such'],
    ['headlight network inspect hopenet.pkl --json', 'the same for a script'],
  ],
  perform: async (call) => {
    const { inspectNetwork } = await import('./inspectNetwork.ts')
    return inspectNetwork(call)
  },
}
