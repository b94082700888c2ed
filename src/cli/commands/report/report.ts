import type { CommandSpec } from '../../command.ts'

export const reportCommand: CommandSpec = {
  name: 'report',
  summary: 'write the report of every result set in an output again',
  settings: ['s3Endpoint', 'outputS3Endpoint'],
  extend: (command) =>
    command.argument('<output>', 'where result sets lie: s3://bucket/prefix/ or a path').addHelpText(
      'after',
      `
Small maps that no run has added up by pose yet are added up first. Of a million images that takes minutes, and no run
of the result set can begin meanwhile: \`headlight run\` and \`produce\` end, the times of a schedule wait.`,
    ),
  examples: [['headlight report ./out', 'the report of each result set in ./out, from its table and maps']],
  perform: async (call) => {
    const { writeReports } = await import('./performReport.ts')
    return writeReports(call)
  },
}
