import { InputError } from '../../base/errors.ts'
import { chooseEngine, thisMachine } from '../../machine/chooseEngine.ts'
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

/**
 * InputError `bad-option` for GPUs that were asked for and are not there, or that the engine takes none of: said before
 * the dataset is listed and a result set begun. Whether the engine works on them is left to its trial, which takes long
 * and is needed only where there is something to compute.
 */
export async function refuseAbsentGpus({ settings, folders, surroundings }: Call): Promise<void> {
  if (settings.gpus === undefined) return
  const machine = thisMachine(folders.engines, surroundings.environment, 0)
  const supposed = () => Promise.resolve({ ok: true, version: '', device: 'a GPU' } as const)
  await chooseEngine(settings.engine, { ...machine, probe: supposed }, settings.gpus)
}
