import type { CommandSpec } from '../../command.ts'
import { needsRedis } from '../../settings/commandFlags.ts'

export const workerCommand: CommandSpec = {
  name: 'worker',
  summary: 'compute shards from the queue until told to stop',
  settings: [
    'redis',
    'allow',
    'units',
    'engine',
    'batch',
    'gpus',
    's3Endpoint',
    'outputS3Endpoint',
    'fetchConcurrency',
    'graceSeconds',
    'unitSilenceSeconds',
    'unitStartSeconds',
    'cacheFolder',
    'healthPort',
    'healthHost',
    'logFormat',
    'enginesFolder',
  ],
  jsonLogs: true,
  wording: needsRedis,
  examples: [
    ['headlight worker --redis redis://queue:6379 --gpus all', 'one unit per GPU of this machine'],
    ['headlight worker --redis redis://queue:6379', 'one unit per core of this machine'],
    [
      'HEADLIGHT_REDIS=rediss://user:secret@queue headlight worker --units 4',
      'four units; the password stays out of ps',
    ],
  ],
  perform: async (call) => {
    const { performWorker } = await import('./performWorker.ts')
    return performWorker(call)
  },
}
