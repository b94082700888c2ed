import type { CommandSpec } from '../../command.ts'
import { presentOutput } from '../../settings/commandFlags.ts'

export const statusCommand: CommandSpec = {
  name: 'status',
  summary: 'show how far the runs of an output and the queue are',
  settings: ['output', 'redis', 's3Endpoint', 'outputS3Endpoint', 'stateFolder'],
  wording: {
    output: { description: presentOutput },
    redis: { note: 'default: that of a run on this machine, as long as it runs' },
  },
  extend: (command) =>
    command
      .argument('[run]', 'only this run: its id, its beginning or its end, or latest')
      .option('--watch', 'show it again every 2 seconds; with a run until it is closed'),
  examples: [
    ['headlight status --output ./out', 'the result sets in ./out, and who works on them'],
    [
      'headlight status --output s3://heads/out/ --redis redis://queue:6379 --watch',
      'with queue and workers, until Ctrl-C',
    ],
    ['headlight status latest --output ./out --watch', 'until the run is closed'],
  ],
  perform: async (call) => {
    const { showStatus } = await import('./performStatus.ts')
    return showStatus(call)
  },
}
