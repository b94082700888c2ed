import type { CommandSpec } from '../../command.ts'

export const networkInspectCommand: CommandSpec = {
  name: 'network inspect',
  summary: 'show what a checkpoint holds and what headlight takes it for',
  settings: ['engine', 's3Endpoint', 'unitStartSeconds', 'cacheFolder', 'enginesFolder'],
  wording: {
    engine: {
      description: 'What a unit is measured with. auto: onnxruntime:cpu, and an engine on a GPU where one is usable.',
    },
    cacheFolder: { description: 'Where it is kept how much memory networks took, and those that were fetched.' },
  },
  extend: (command) => command.argument('<file>', 'the checkpoint: a file, or s3://bucket/key'),
  examples: [
    [
      'headlight network inspect model.pkl',
      'layers, heads and the description, with what is assumed marked as such, and how much memory a unit takes',
    ],
    ['headlight network inspect model.pkl --json', 'the same for a script'],
  ],
  perform: async (call) => {
    const { performNetworkInspect } = await import('./performNetwork.ts')
    return performNetworkInspect(call)
  },
}
