import { Option } from 'commander'
import type { CommandSpec } from '../../command.ts'

export const doctorCommand: CommandSpec = {
  name: 'doctor',
  summary: 'look whether headlight can run on this machine, and say what to do where it cannot',
  settings: [
    'dataset',
    'output',
    'network',
    'description',
    's3Endpoint',
    'outputS3Endpoint',
    'redis',
    'stateFolder',
    'cacheFolder',
    'enginesFolder',
  ],
  wording: {
    dataset: { note: 'default: none is looked at' },
    output: {
      description: 'Where result sets are to be written. What is tried in it is removed again.',
      note: 'default: none is looked at',
    },
    network: { note: 'default: none is looked at' },
    redis: { note: 'default: none is looked at' },
  },
  extend: (command) =>
    command.addOption(
      new Option(
        '--role <ROLE>',
        'whose rights to the output have to be complete; without it, those of one of the two',
      ).choices(['worker', 'producer']),
    ),
  examples: [
    ['headlight doctor', 'everything that headlight run needs here; exit code 1 when something is missing'],
    ['headlight doctor --redis redis://queue:6379', 'and whether that Redis can carry the queue'],
    [
      'headlight doctor --dataset s3://heads/in/ --output s3://heads/out/ --network model.pkl',
      'and whether they can be used from here; names the rights that are missing',
    ],
  ],
  perform: async (call) => {
    const { performDoctor } = await import('./performDoctor.ts')
    return performDoctor(call)
  },
}
