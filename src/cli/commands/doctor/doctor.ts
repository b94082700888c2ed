import type { CommandSpec } from '../../command.ts'
import { ownFolders } from '../../shared/ownFolders.ts'

export const doctorCommand: CommandSpec = {
  name: 'doctor',
  summary: 'look whether headlight can run on this machine, and say what to do where it cannot',
  settings: ['redis', 'stateFolder', 'cacheFolder', 'enginesFolder'],
  wording: { redis: { note: 'default: none is looked at' } },
  examples: [
    ['headlight doctor', 'everything that headlight run needs here; exit code 1 when something is missing'],
    ['headlight doctor --redis redis://queue:6379', 'and whether that Redis can carry the queue'],
  ],
  perform: async ({ settings, surroundings }) => {
    const { doctor, doctorJson, doctorText } = await import('./performDoctor.ts')
    const { engineStatuses } = await import('../../../machine/engineStatus.ts')
    const { environment, homeFolder, version } = surroundings
    const { state, cache, engines } = ownFolders(settings, surroundings)
    const findings = await doctor({
      headlightVersion: version,
      stateFolder: state,
      cacheFolder: cache,
      homeFolder,
      searchPath: environment['PATH'] ?? '',
      environment,
      engines: () => engineStatuses(engines, environment),
      redisUrl: settings.redis,
    })
    const { ok } = doctorJson(findings)
    surroundings.results.write(settings.json ? `${JSON.stringify(doctorJson(findings))}\n` : doctorText(findings))
    return ok ? 0 : 1
  },
}
