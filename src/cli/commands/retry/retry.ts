import type { CommandSpec } from '../../command.ts'
import { presentOutput } from '../../settings/commandFlags.ts'

export const retryCommand: CommandSpec = {
  name: 'retry',
  summary: 'compute the failed images of a result set again, everything on this machine',
  settings: [
    'output',
    's3Endpoint',
    'outputS3Endpoint',
    'engine',
    'batch',
    'gpus',
    'shardSize',
    'report',
    'strict',
    'webhook',
    'redis',
    'units',
    'fetchConcurrency',
    'unitSilenceSeconds',
    'unitStartSeconds',
    'stateFolder',
    'cacheFolder',
    'enginesFolder',
  ],
  wording: {
    output: { description: presentOutput, isNeeded: true },
  },
  extend: (command) =>
    command
      .argument('<run>', 'a run of the result set: its id, the beginning or the end of one, or latest')
      .option('--code <CODE>', 'only images that failed with this code (the second column of failures.csv)'),
  examples: [
    ['headlight retry latest --output ./out', 'whatever failed, with the network and options of the result set'],
    ['headlight retry 20261124T0200 --output s3://heads/out/ --code kills-unit', 'on a machine with more memory'],
  ],
  perform: async (call) => {
    const { performRetry } = await import('./performRetry.ts')
    return performRetry(call)
  },
}
