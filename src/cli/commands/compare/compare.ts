import type { CommandSpec } from '../../command.ts'

export const compareCommand: CommandSpec = {
  name: 'compare',
  summary: 'compare two result sets or runs image by image: errors, failures and maps, before and after',
  settings: ['s3Endpoint', 'outputS3Endpoint'],
  extend: (command) =>
    command
      .argument(
        '<a>',
        'before: a result set (./out/SET, or ./out where it is the only one) or one of its runs (./out/SET/runs/RUN), in a folder or in S3; alone: its state against the state before',
      )
      .argument('[b]', 'after: the same; each difference is B − A')
      .option(
        '--page <OUT.html>',
        'write the comparison as one self-contained page, with the images that changed most',
      ),
  examples: [
    ['headlight compare ./out/model-all-0a1b2c3d', 'was last night worse? The state now against the state before'],
    ['headlight compare ./out/old-all-0a1b2c3d ./out/new-all-4e5f6a7b --page new.html', 'two networks, as a page'],
    [
      'headlight compare s3://heads/out/SET/runs/20261124T170000Z-4f9a1c s3://heads/out/SET --json',
      'an earlier run and the state now, for a script',
    ],
  ],
  perform: async (call) => {
    const { compare } = await import('./performCompare.ts')
    return compare(call)
  },
}
