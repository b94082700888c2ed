import { engineStatuses } from '../../../machine/engineStatus.ts'
import type { Call } from '../../command.ts'
import { doctor, doctorJson, doctorText } from './checks.ts'

/** `headlight doctor`. */
export async function performDoctor({ settings, surroundings, folders }: Call): Promise<number> {
  const { environment, homeFolder, version, results } = surroundings
  const findings = await doctor({
    headlightVersion: version,
    stateFolder: folders.state,
    cacheFolder: folders.cache,
    homeFolder,
    searchPath: environment['PATH'] ?? '',
    environment,
    engines: () => engineStatuses(folders.engines, environment),
    redisUrl: settings.redis,
  })
  const judged = doctorJson(findings)
  results.write(settings.json ? `${JSON.stringify(judged)}\n` : doctorText(findings))
  return judged.ok ? 0 : 1
}
