import type { CommandSpec } from '../../command.ts'
import { computingSettings, needsData, needsRedis } from '../../settings/commandFlags.ts'

export const produceCommand: CommandSpec = {
  name: 'produce',
  summary: 'put a run on the queue for workers on any machine, and follow it',
  // The engine and its batch are the workers' choice.
  settings: [...computingSettings.filter((name) => name !== 'engine' && name !== 'batch'), 'priority'],
  extend: (command) =>
    command.option(
      '--detach',
      'only add the run and tell its id; a headlight producer, which must be running somewhere, serves it',
    ),
  wording: { ...needsData, ...needsRedis },
  examples: [
    [
      'headlight produce --dataset s3://heads/in/ --output s3://heads/out/ --network model.pkl --redis redis://queue:6379',
      'list, wait for the workers, write table and report',
    ],
    ['headlight produce --config cluster.yaml --detach', 'the same, served by a standing producer'],
  ],
  perform: async (call) => {
    const { performProduce } = await import('./performProduce.ts')
    return performProduce(call)
  },
}
