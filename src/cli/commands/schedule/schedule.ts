import type { CommandSpec } from '../../command.ts'
import { needsRedis } from '../../settings/commandFlags.ts'

const redis = '--redis redis://queue:6379'

function named(
  wish: 'run' | 'pause' | 'resume' | 'remove',
  summary: string,
  example: readonly [string, string],
): CommandSpec {
  return {
    name: `schedule ${wish}`,
    summary,
    settings: ['redis'],
    wording: needsRedis,
    extend: (command) => command.argument('<name>', 'name of the schedule'),
    examples: [example],
    perform: async (call) => {
      const { changeSchedule } = await import('./performSchedule.ts')
      return changeSchedule(call, wish)
    },
  }
}

export const scheduleCommands: readonly CommandSpec[] = [
  {
    name: 'schedule add',
    summary: 'add a schedule, or change the one of this name',
    settings: ['redis'],
    wording: needsRedis,
    extend: (command) =>
      command
        .usage('[options] <name> -- <options of produce>')
        .argument('<name>', 'letters, digits, dots, hyphens and underscores')
        .argument('[options...]', 'after --: what to run, in the options of produce')
        .optionsGroup('Needed:')
        // Not required ones: an option that is unknown would be told only when these are there.
        .option('--cron <LINE>', 'when: minute, hour, day of month, month, day of week, in one argument')
        .option('--tz <ZONE>', 'the time zone of that clock, like Europe/Berlin or UTC')
        .optionsGroup('Options:')
        .option(
          '--follow-network',
          'read the network anew each time, from where --network says: a retrained file becomes a result set of its own',
        ),
    examples: [
      [
        `headlight schedule add nightly --cron "0 2 * * *" --tz Europe/Berlin ${redis} -- --dataset s3://heads/in/ --output s3://heads/out/ --network model.pkl`,
        'every night at two; a headlight producer and workers must be running then',
      ],
      [
        `headlight schedule add nightly --cron "0 2 * * *" --tz UTC ${redis} -- --config nightly.yaml --prune`,
        'the same with the options in a file',
      ],
      [
        `headlight schedule add nightly --cron "0 2 * * *" --tz UTC --follow-network ${redis} -- --dataset s3://heads/in/ --output s3://heads/out/ --network s3://heads/models/best.pkl`,
        'with the network that lies there that night',
      ],
    ],
    perform: async (call) => {
      const { addSchedule } = await import('./performSchedule.ts')
      return addSchedule(call)
    },
  },
  {
    name: 'schedule list',
    summary: 'show all schedules, their next times and how they ended last',
    settings: ['redis'],
    wording: needsRedis,
    examples: [[`headlight schedule list ${redis}`, 'next times and last outcomes']],
    perform: async (call) => {
      const { listSchedules } = await import('./performSchedule.ts')
      return listSchedules(call)
    },
  },
  named('run', 'run a schedule now', [`headlight schedule run nightly ${redis}`, 'beside its times']),
  named('pause', 'keep a schedule, but let it run no more until it is resumed', [
    `headlight schedule pause nightly ${redis}`,
    'a run that is at work goes on',
  ]),
  named('resume', 'let a paused schedule run again', [
    `headlight schedule resume nightly ${redis}`,
    'at its next time; what it missed is not made up for',
  ]),
  named('remove', 'forget a schedule', [`headlight schedule remove nightly ${redis}`, 'its results stay']),
]
