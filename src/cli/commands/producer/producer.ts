import type { CommandSpec } from '../../command.ts'
import { needsRedis } from '../../settings/commandFlags.ts'

export const producerCommand: CommandSpec = {
  name: 'producer',
  summary: 'serve the runs that produce --detach and schedules add, until told to stop',
  settings: [
    'redis',
    'allow',
    's3Endpoint',
    'outputS3Endpoint',
    'cacheFolder',
    'healthPort',
    'healthHost',
    'logFormat',
  ],
  jsonLogs: true,
  wording: needsRedis,
  examples: [['headlight producer --redis redis://queue:6379', 'beside any number of workers on the same Redis']],
  perform: async (call) => {
    const { serveRuns } = await import('./performProducer.ts')
    return serveRuns(call)
  },
}
