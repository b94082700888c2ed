import type { CommandSpec } from '../../command.ts'

export const networkCommands: readonly CommandSpec[] = [
  {
    name: 'network inspect',
    summary: 'show what a checkpoint or an ONNX file holds and what headlight takes it for',
    settings: ['description', 'engine', 's3Endpoint', 'unitStartSeconds', 'cacheFolder', 'enginesFolder'],
    wording: {
      engine: {
        description: 'What a unit is measured with. auto: onnxruntime:cpu, and an engine on a GPU where one is usable.',
      },
      cacheFolder: { description: 'Where it is kept how much memory networks took, and those that were fetched.' },
    },
    extend: (command) =>
      command.argument('<file>', 'the network: a checkpoint or an ONNX file, by a path or s3://bucket/key'),
    examples: [
      [
        'headlight network inspect model.pkl',
        'layers, heads and the description, with what is assumed marked as such, and how much memory a unit takes',
      ],
      ['headlight network inspect model.onnx', 'the same, with the tensors of the graph that a head may name'],
      ['headlight network inspect model.pkl --json', 'the same for a script'],
      ['headlight network inspect 6DRepNet.pth --description 6drepnet', 'the same, with what is known of that network'],
    ],
    perform: async (call) => {
      const { performNetworkInspect } = await import('./performNetwork.ts')
      return performNetworkInspect(call)
    },
  },
  {
    name: 'network list',
    summary: 'list the ready descriptions of networks that people have',
    settings: [],
    examples: [
      ['headlight network list', 'their names, for --description, what they describe, and where that comes from'],
      ['headlight network list --json', 'the same for a script, with what was assumed'],
    ],
    perform: async (call) => {
      const { performNetworkList } = await import('./performNetworkList.ts')
      return performNetworkList(call)
    },
  },
]
