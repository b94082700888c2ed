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

/** The entries that are for such weights, the preferred one first. */
export function fitting(
  gallery: readonly GalleryEntry[],
  recognised: Pick<RecognisedNetwork, 'architecture' | 'outputs'>,
): readonly GalleryEntry[] {
  const found = gallery.flatMap((entry) => {
    const fit = entry.fits.find((one) => isFor(one, recognised))
    return fit === undefined ? [] : [{ entry, after: fit.after }]
  })
  const isFirst = ({ after }: (typeof found)[number]): boolean => found.every(({ entry }) => entry.name !== after)
  return [...found.filter(isFirst), ...found.filter((one) => !isFirst(one))].map(({ entry }) => entry)
}

function isFor(
  { family, names, outputs }: Fit,
  { architecture, outputs: found }: Pick<RecognisedNetwork, 'architecture' | 'outputs'>,
): boolean {
  if (architecture.family !== family || (names !== undefined && !names.includes(architecture.name))) return false
  return Object.entries(outputs).every(([name, count]) =>
    found.some((layer) => layer.output === name && layer.outputs === count),
  )
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
