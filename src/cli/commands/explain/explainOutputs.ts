import { realpath } from 'node:fs/promises'
import { basename, dirname, join, parse, resolve } from 'node:path'
import { InputError } from '../../../base/errors.ts'
import type { Call } from '../../command.ts'

/** Paths of what `explain` writes; null for what was not asked for. */
export interface OutputPaths {
  readonly map: string | null
  readonly gradient: string | null
  readonly overlay: string | null
}

/**
 * Who names no file gets an overlay, unless it is a script (`--json`) or said otherwise (`--no-overlay`). It is named
 * after the image, and after the face in it where it has several.
 */
export function outputPaths(
  { flags, settings }: Pick<Call, 'flags' | 'settings'>,
  image: string,
  face = '',
): OutputPaths {
  const path = (name: keyof OutputPaths): string | null => {
    const given = flags[name]
    return typeof given === 'string' ? given : null
  }
  const given = { map: path('map'), gradient: path('gradient'), overlay: path('overlay') }
  const isNamed = Object.values(given).some((file) => file !== null)
  if (isNamed || settings.json || flags['overlay'] === false) return given
  // In the current folder: the image's own may be a dataset, which is only ever read.
  return { ...given, overlay: `${parse(image).name}${face}-overlay.png` }
}

/**
 * Raises InputError `bad-option` for an output that is one of the inputs, or another output, by whatever path it is
 * named.
 */
export async function refuseOverwriting(
  outputs: OutputPaths,
  inputs: { readonly image: string | null; readonly network: string | null },
): Promise<void> {
  const taken = new Map<string, string>()
  for (const [what, path] of Object.entries(inputs)) {
    if (path !== null) taken.set(await realPath(path), `the ${what === 'network' ? 'network file' : what} ${path}`)
  }
  for (const flag of ['map', 'gradient', 'overlay'] as const) {
    const path = outputs[flag]
    if (path === null) continue
    const real = await realPath(path)
    const present = taken.get(real)
    if (present !== undefined) {
      throw new InputError('bad-option', `--${flag} ${path} would overwrite ${present}; choose another file`)
    }
    taken.set(real, `what --${flag} writes`)
  }
}

/** Behind all links, also when the file itself is not there yet. */
async function realPath(path: string): Promise<string> {
  const absolute = resolve(path)
  try {
    return await realpath(absolute)
  } catch {
    return join(await realpath(dirname(absolute)).catch(() => dirname(absolute)), basename(absolute))
  }
}
