import type { CommandSpec } from '../../command.ts'

export const serveCommand: CommandSpec = {
  name: 'serve',
  summary: 'browse result sets in a web browser: every image, its maps, errors over pose, run against run',
  settings: [
    'port',
    'host',
    'allowHost',
    'behindProxy',
    'basePath',
    'redis',
    's3Endpoint',
    'outputS3Endpoint',
    'cacheFolder',
    'stateFolder',
    'logFormat',
  ],
  wording: {
    redis: { note: 'to show its workers; default: that of a run on this machine, as long as it runs' },
  },
  jsonLogs: true,
  extend: (command) =>
    command.argument('<output>', 'what to show: an output, or one result set in it; a path or s3://…').addHelpText(
      'after',
      `
It prints an address to open in a browser. The first page lists the result sets; each leads to
  - its atlas of mean maps and its errors over pose, subjects and runs: a click on a cell, a bar or a name shows its images;
  - browse: images chosen by pose, error, confidence, subject, sequence, status or key, sorted by any number, as cards or
    as a table; the selection as CSV;
  - a page for each image: its maps beside and over it, its numbers, its neighbours in pose, the command that explains it;
  - two result sets or two runs compared.
Every address holds the whole view: copy it from the browser to come back, or for somebody who reads the same server.
Nothing is written to the output, and nothing is asked of other hosts. Ctrl-C ends it.`,
    ),
  examples: [
    ['headlight serve ./out', 'open the printed address on this machine'],
    ['headlight serve s3://heads/out/model-all-0a1b2c3d', 'one result set, in S3'],
    ['ssh -L 8470:localhost:8470 gpu7 headlight serve /data/out', 'on another machine, looked at from this one'],
    [
      'headlight serve s3://heads/out --host 0.0.0.0 --behind-proxy --allow-host heads.example.org --base-path /headlight',
      'in a cluster, behind a proxy that knows who may look',
    ],
  ],
  perform: async (call) => {
    const { serve } = await import('./performServe.ts')
    return serve(call)
  },
}
