import type { CommandSpec } from '../../command.ts'
import { readingSettings } from '../../settings/commandFlags.ts'

export const datasetCheckCommand: CommandSpec = {
  name: 'dataset check',
  summary: 'look at a hundred samples of a dataset: are images, boxes and poses what they seem?',
  settings: [...readingSettings, 'network', 'description', 'engine', 'enginesFolder', 's3Endpoint'],
  extend: (command) =>
    command
      .argument('<dataset>', 's3://bucket/prefix/, file:///folder/ or a path')
      .option(
        '--sheet <OUT.png>',
        'contact sheet of the samples, with box (yellow) and axes of the head: nose blue, its way down green, to the right of a head that looks at you red (default: dataset-check.png)',
      ),
  examples: [
    ['headlight dataset check ./hpdb --adapter biwi', 'counts, ranges, what is wrong, and a contact sheet'],
    [
      'headlight dataset check ./images --adapter filename --network model.pkl',
      'and whether the labels fit better with their angles in another order or with other signs',
    ],
  ],
  computesItself: true,
  perform: async (call) => {
    const { checkDataset } = await import('./performDataset.ts')
    return checkDataset(call)
  },
}
