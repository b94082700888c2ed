import { engineStatuses } from '../../../machine/engineStatus.ts'
import type { Role } from '../../../output/neededRights.ts'
import type { Call } from '../../command.ts'
import { doctor, doctorJson, doctorText, type Finding } from './checks.ts'

/** `headlight doctor`. */
export async function performDoctor(call: Call): Promise<number> {
  const { settings, surroundings, folders } = call
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
  const judged = doctorJson([...findings, ...(await placeFindings(call))])
  results.write(settings.json ? `${JSON.stringify(judged)}\n` : doctorText(judged.findings))
  return judged.ok ? 0 : 1
}

/** Of what the call names, each alone if need be. */
async function placeFindings(call: Call): Promise<Finding[]> {
  const { dataset, output, network, redis, s3Endpoint, outputS3Endpoint } = call.settings
  const role = call.flags['role'] as Role | undefined
  const checks: (() => Promise<Finding[]>)[] = []
  if (dataset !== undefined || output !== undefined) {
    const { checkDataset, checkOutput } = await import('./placeChecks.ts')
    if (dataset !== undefined) checks.push(() => checkDataset(dataset, { endpoint: s3Endpoint }))
    const endpoint = outputS3Endpoint ?? s3Endpoint
    if (output !== undefined) checks.push(() => checkOutput(output, { endpoint }, role))
  }
  if (network !== undefined) {
    const { checkNetwork } = await import('./networkCheck.ts')
    checks.push(async () => [await checkNetwork(call, network)])
  }
  if (redis !== undefined) {
    const { checkRedisRights } = await import('./redisRightsCheck.ts')
    checks.push(() => checkRedisRights(redis))
  }
  return (await Promise.all(checks.map((check) => check()))).flat()
}
