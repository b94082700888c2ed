import { readdir, readFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { parseDescriptionFile } from './descriptionFile.ts'
import { fitting, type Fitted, type GalleryEntry } from './fit.ts'

const folder = new URL('../../../config/networks/', import.meta.url)
const suffix = '.yaml'

/** The names of all entries, in alphabetical order. */
export async function galleryNames(): Promise<string[]> {
  const files = await readdir(folder)
  return files
    .filter((file) => file.endsWith(suffix))
    .map((file) => file.slice(0, -suffix.length))
    .toSorted()
}

export async function readGallery(): Promise<GalleryEntry[]> {
  return Promise.all((await galleryNames()).map(readGalleryEntry))
}

/** InputError `bad-description` with line and column for a file that somebody has damaged. */
export async function readGalleryEntry(name: string): Promise<GalleryEntry> {
  const path = fileURLToPath(new URL(`${name}${suffix}`, folder))
  const { about, fits, ...override } = parseDescriptionFile(await readFile(path, 'utf8'), path)
  if (about === undefined || fits === undefined) throw new Error(`${path} does not say what it is about and fits`)
  return { name, path, about, fits, override }
}

/** The entries that are for such weights, the preferred one first. */
export async function fittingEntries(recognised: Fitted): Promise<readonly GalleryEntry[]> {
  return fitting(await readGallery(), recognised)
}
