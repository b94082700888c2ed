import { engineEnvironment } from '../../machine/engineEnvironment.ts'
import { isInstalled, wholeEngineName } from '../../saliency/engines/openEngine.ts'
import type { Settings } from '../settings/schema.ts'
import type { Surroundings } from '../surroundings.ts'
import { ownFolders } from './ownFolders.ts'

/**
 * The environment in which a process must have been started to run the engine that is asked for; null where that is this
 * process's own. The dynamic linker and native libraries read theirs once, so setting it here would come too late.
 */
export function environmentToComputeIn(
  settings: Settings,
  surroundings: Surroundings,
): Surroundings['environment'] | null {
  const { environment } = surroundings
  const engine = wholeEngineName(settings.engine)
  const enginesFolder = ownFolders(settings, surroundings).engines
  // The command will refuse it.
  if (!isInstalled(engine, enginesFolder)) return null
  const needed = engineEnvironment(environment, { engine, enginesFolder, device: null })
  return Object.keys(needed).every((name) => needed[name] === environment[name]) ? null : needed
}
