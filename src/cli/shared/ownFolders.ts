import { isAbsolute, join, resolve } from 'node:path'
import type { Settings } from '../settings/optionSchema.ts'
import type { Surroundings } from '../surroundings.ts'

/** Where headlight keeps files of its own; absolute paths. */
export interface OwnFolders {
  readonly state: string
  readonly cache: string
  readonly engines: string
}

/** By the settings, else by the XDG rules: a relative XDG path is to be ignored. */
export function ownFolders(settings: Settings, surroundings: Surroundings): OwnFolders {
  const folder = (given: string | undefined, variable: string, fallback: string, name = 'headlight'): string => {
    // Absolute, since programs are started from them in folders of their own.
    if (given !== undefined) return resolve(given)
    const base = surroundings.environment[variable]
    const root = base !== undefined && isAbsolute(base) ? base : join(surroundings.homeFolder, fallback)
    return join(root, name)
  }
  return {
    state: folder(settings.stateFolder, 'XDG_STATE_HOME', '.local/state'),
    cache: folder(settings.cacheFolder, 'XDG_CACHE_HOME', '.cache'),
    engines: folder(settings.enginesFolder, 'XDG_DATA_HOME', '.local/share', 'headlight/engines'),
  }
}
