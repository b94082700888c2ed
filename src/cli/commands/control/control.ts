import type { CommandSpec } from '../../command.ts'
import { presentOutput } from '../../settings/commandFlags.ts'

type Wish = 'pause' | 'resume' | 'cancel'

/** `pause`, `resume` and `cancel`: what people ask of a run goes through the output, wherever its workers are. */
function controlCommand(wish: Wish, summary: string, examples: CommandSpec['examples']): CommandSpec {
  return {
    name: wish,
    summary,
    settings: ['output', 's3Endpoint', 'outputS3Endpoint'],
    wording: {
      output: { description: presentOutput, isNeeded: true },
    },
    extend: (command) => command.argument('<run>', 'id of the run, its beginning or its end, or latest'),
    examples,
    perform: async (call) => {
      const { controlRun } = await import('./performControl.ts')
      return controlRun(call, wish)
    },
  }
}

export const pauseCommand = controlCommand('pause', 'let the workers put a run aside until it is resumed', [
  ['headlight pause latest --output s3://heads/out/', 'the run started last; shards at work are handed back'],
])

export const resumeCommand = controlCommand('resume', 'let a paused run go on', [
  ['headlight resume 20261124T0200 --output s3://heads/out/', 'the beginning of an id is enough if no other begins so'],
])

export const cancelCommand = controlCommand('cancel', 'close a run with what it has computed so far', [
  ['headlight cancel latest --output ./out', 'publishes the committed shards; the next run computes the rest'],
])
