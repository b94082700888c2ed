import type { CommandSpec } from '../../command.ts'

export const reportCommand: CommandSpec = {
  name: 'report',
  summary: 'write the report of every result set in an output again',
  settings: ['s3Endpoint', 'outputS3Endpoint'],
  extend: (command) => command.argument('<output>', 'where result sets lie: s3://bucket/prefix/ or a path'),
  examples: [['headlight report ./out', 'the report of each result set in ./out, from its table and maps']],
  perform: async (call) => {
    const { writeReports } = await import('./performReport.ts')
    return writeReports(call)
  },
}
