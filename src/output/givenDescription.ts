import { existsSync } from 'node:fs'
import { InputError } from '../base/errors.ts'
import { readLocalFile } from '../base/localFile.ts'
import { closest } from '../base/spelling.ts'
import type { DescriptionOverride } from '../saliency/networks/description.ts'
import { isLocal, localPathOf, storedFolder, type NetworkAccess } from './networkFolder.ts'

/** A description that somebody named, in place of the one beside the network. */
export interface GivenDescription {
  /** As it was named: `6drepnet`, `own.yaml`, `s3://heads/own.yaml`. */
  readonly name: string
  /** Where the file lies: a path or a URI. */
  readonly place: string
  readonly override: DescriptionOverride
}

/**
 * The description of this name in headlight's own gallery, or at this path or URI. A name of the gallery comes first: a
 * file in the working folder that is called so is `./6drepnet`. InputErrors: `bad-option` when there is neither,
 * `bad-description` for a file that cannot be read as one, and what the store raises.
 */
export async function readGivenDescription(given: string, access: NetworkAccess): Promise<GivenDescription> {
  const [{ galleryNames, readGalleryEntry }, { parseDescription }] = await Promise.all([
    import('../saliency/networks/gallery.ts'),
    import('../saliency/networks/descriptionFile.ts'),
  ])
  const names = await galleryNames()
  if (names.includes(given)) {
    const { path, override } = await readGalleryEntry(given)
    return { name: given, place: path, override }
  }
  if (!/[/\\.]/.test(given) && !existsSync(given)) {
    const meant = closest(given, names)
    const hint = meant === undefined ? '' : `did you mean ${meant}? `
    throw new InputError(
      'bad-option',
      `there is no description ${given}: ${hint}headlight has ${names.join(', ')}; a file is given by its path`,
    )
  }
  const text = isLocal(given) ? await readLocalFile(localPathOf(given), 'description') : await fetched(given, access)
  return { name: given, place: given, override: parseDescription(Buffer.from(text).toString('utf8'), given) }
}

async function fetched(uri: string, access: NetworkAccess): Promise<Uint8Array> {
  const folder = await storedFolder(uri, access)
  try {
    const text = await folder.get(folder.file)
    if (text === undefined) throw new InputError('bad-option', `the description ${uri} does not exist`)
    return text
  } finally {
    folder.close()
  }
}
