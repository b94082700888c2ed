import type { CommandSpec } from '../../command.ts'

export const doctorCommand: CommandSpec = {
  name: 'doctor',
  summary: 'look whether headlight can run on this machine, and say what to do where it cannot',
  settings: ['redis', 'stateFolder', 'cacheFolder', 'enginesFolder'],
  wording: { redis: { note: 'default: none is looked at' } },
  examples: [
    ['headlight doctor', 'everything that headlight run needs here; exit code 1 when something is missing'],
    ['headlight doctor --redis redis://queue:6379', 'and whether that Redis can carry the queue'],
  ],
  perform: async (call) => {
    const { performDoctor } = await import('./performDoctor.ts')
    return performDoctor(call)
  },
}
