import { isDeepStrictEqual } from 'node:util'
import { InputError } from '../../base/errors.ts'
import type { DescriptionFile, DescriptionOverride, Fit } from './description.ts'
import type { RecognisedNetwork } from './family.ts'
import type { Network } from './network.ts'
import { resolveDescription } from './resolve.ts'

/** A ready description of a network that people have. */
export interface GalleryEntry {
  /** By which `--description` finds it. */
  readonly name: string
  /** The file in `config/networks/`. */
  readonly path: string
  readonly about: NonNullable<DescriptionFile['about']>
  readonly fits: readonly Fit[]
  readonly override: DescriptionOverride
}

const sides = ['width', 'height'] as const

/** What of a network tells which descriptions are for it. */
export type Fitted = Pick<RecognisedNetwork, 'architecture' | 'outputs' | 'found'>

/** The entries that are for such weights, the preferred one first. */
export function fitting(gallery: readonly GalleryEntry[], recognised: Fitted): readonly GalleryEntry[] {
  const found = gallery.flatMap((entry) => {
    if (contradicts(entry, recognised)) return []
    const fit = entry.fits.find((one) => isFor(one, recognised))
    return fit === undefined ? [] : [{ entry, after: fit.after }]
  })
  const isFirst = ({ after }: (typeof found)[number]): boolean => found.every(({ entry }) => entry.name !== after)
  return [...found.filter(isFirst), ...found.filter((one) => !isFirst(one))].map(({ entry }) => entry)
}

function isFor({ family, names, outputs, ...size }: Fit, { architecture, outputs: layers, found }: Fitted): boolean {
  if (architecture.family !== family || (names !== undefined && !names.includes(architecture.name))) return false
  if (sides.some((side) => size[side] !== undefined && size[side] !== found?.[side])) return false
  return Object.entries(outputs).every(([name, count]) =>
    layers.some((layer) => layer.output === name && layer.outputs === count),
  )
}

/** Whether the file fixes another input size than the entry gives: with it, the network would be refused. */
function contradicts({ override }: GalleryEntry, { found }: Fitted): boolean {
  return sides.some((side) => {
    const [given, fixed] = [override.input?.[side], found?.[side]]
    return given !== undefined && fixed !== undefined && given !== fixed
  })
}

/** `fits: 6drepnet360 (6DRepNet360: …): --description 6drepnet360`, for the entry that is proposed. */
export function proposalText({ name, about }: Pick<GalleryEntry, 'name' | 'about'>): string {
  return `fits: ${name} (${about.network}): --description ${name}`
}

/** Whether an entry says of a network what was assumed of it anyway, so that there is nothing to propose. */
export function isAsAssumed(
  { override }: Pick<GalleryEntry, 'override'>,
  { recognised, description, file, weights }: Pick<Network, 'recognised' | 'description' | 'file' | 'weights'>,
): boolean {
  // The network was recognised by other epsilons, and would have to be anew.
  if (override.batchNorm !== undefined) return false
  try {
    return isDeepStrictEqual(resolveDescription(recognised, override, file, weights).description, description)
  } catch (error) {
    if (error instanceof InputError) return false
    throw error
  }
}
