import type { CommandSpec } from '../../command.ts'
import { computingSettings, needsData } from '../../settings/commandFlags.ts'

export const runCommand: CommandSpec = {
  name: 'run',
  summary: 'compute the maps and angles of a dataset, everything on this machine',
  settings: [
    ...computingSettings,
    'units',
    'gpus',
    'fetchConcurrency',
    'unitSilenceSeconds',
    'unitStartSeconds',
    'stateFolder',
    'cacheFolder',
    'enginesFolder',
  ],
  wording: needsData,
  examples: [
    [
      'headlight run --dataset ./images --output ./out --network model.pkl',
      'maps and angles of every image in a folder; the same line again computes only what is new',
    ],
    [
      'headlight run --dataset ./biwi --adapter filename --output ./out --network model.pkl --objective=each',
      'with labels from the file names, and one map each for yaw, pitch and roll',
    ],
    [
      'headlight run --dataset ./images --adapter csv --index ./labels.csv --columns class=category --output ./out --network classifier.pth --objective class:label',
      'an ordinary classifier, and of each image the map of its own class',
    ],
    [
      'headlight run --dataset s3://heads/in/ --output s3://heads/out/ --s3-endpoint http://ceph:7480 --network model.pkl',
      'from and to an S3 service of your own',
    ],
  ],
  perform: async (call) => {
    const { performRun } = await import('./performRun.ts')
    return performRun(call)
  },
}
