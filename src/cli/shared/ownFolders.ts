import { availableParallelism } from 'node:os'
import { isAbsolute, join, resolve } from 'node:path'
import { requireInstalled } from '../../saliency/engines/openEngine.ts'
import type { Call } from '../command.ts'
import type { Settings } from '../settings/schema.ts'
import type { Surroundings } from '../surroundings.ts'

/**
 * A run with two units of DenseNet-121 takes 1.1 to 1.2 GB, all processes and the queue together (docs/performance.md):
 * 600 MB for each, and room for large images.
 */
const unitMemoryBytes = 700_000_000

/** One unit per core, as far as free memory goes; at least one. */
export function unitCount(settings: Settings): number {
  if (settings.units !== undefined) return settings.units
  // availableMemory knows the limit of a container, which os.freemem does not.
  return Math.max(1, Math.min(availableParallelism(), Math.floor(process.availableMemory() / unitMemoryBytes)))
}

/**
 * InputError `bad-engine` for an engine that was asked for and is not installed here: said before anything is looked at,
 * not by the first unit.
 */
export function refuseAbsentEngine({ settings, surroundings }: Pick<Call, 'settings' | 'surroundings'>): void {
  requireInstalled(settings.engine, ownFolders(settings, surroundings).engines)
}

/** Where headlight keeps files of its own, by the XDG rules: a relative XDG path is to be ignored. */
export function ownFolders(
  settings: Settings,
  surroundings: Surroundings,
): { state: string; cache: string; engines: string } {
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
