import { InputError } from '../../base/errors.ts'
import { engineEnvironment } from '../../machine/engineEnvironment.ts'
import { probeEngine } from '../../machine/probe.ts'
import { isInstalled, requireInstalled, sourceOf, wholeEngineName } from '../../saliency/engines/openEngine.ts'
import type { Call } from '../command.ts'
import type { Settings } from '../settings/optionSchema.ts'
import type { Surroundings } from '../surroundings.ts'

/**
 * The environment in which a process must have been started to run the engine that is asked for; null where that is this
 * process's own. The dynamic linker and native libraries read theirs once, so setting it here would come too late.
 */
export function environmentToComputeIn(
  asked: Settings['engine'],
  enginesFolder: string,
  environment: Surroundings['environment'],
): Surroundings['environment'] | null {
  const engine = wholeEngineName(asked)
  // The command will refuse it.
  if (!isInstalled(engine, enginesFolder)) return null
  const needed = engineEnvironment(environment, { engine, enginesFolder, device: null })
  return Object.keys(needed).every((name) => needed[name] === environment[name]) ? null : needed
}

/**
 * InputError `bad-engine` for an engine that was asked for and is not installed here, or that others put beside headlight
 * and that does not work: said before anything is looked at, not by the first unit.
 */
export async function refuseAbsentEngine({ settings, folders, surroundings }: Call): Promise<void> {
  requireInstalled(settings.engine, folders.engines)
  const engine = wholeEngineName(settings.engine)
  const source = sourceOf(engine, folders.engines)
  if (source?.installedBy !== 'others') return
  const probe = await probeEngine(engine, folders.engines, surroundings.environment)
  if (probe.ok) return
  throw new InputError(
    'bad-engine',
    `the engine ${engine} cannot be taken from ${source.origin} (${probe.problem}): headlight engine install tfjs`,
  )
}
