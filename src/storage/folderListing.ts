import { stat as statWithCallback, type BigIntStats, type Dirent } from 'node:fs'
import { lstat, opendir, readdir, stat } from 'node:fs/promises'
import { join } from 'node:path'
import type { Logger } from '../base/telemetry.ts'
import { errnoOf, filesystemError, isMissing } from './filesystemErrors.ts'
import { compareKeys, sortKeys } from './keyOrder.ts'
import type { ListOptions, ObjectInfo } from './store.ts'
import { isTemporary } from './temporaryName.ts'

/** Callbacks cost less than promises here, and a listing is nothing but a million of these. */
const statsAtOnce = 64

export interface FolderListing {
  /** Absolute path of the store's folder. */
  readonly root: string
  readonly logger: Logger | undefined
  /** Called with the path of each half-written file of ours that the listing comes across. */
  readonly onTemporary: (path: string) => void
}

/** One folder on the way down: its sorted names, those of folders ending in `/`, and how far they were listed. */
interface Level {
  readonly folder: string
  readonly identity: string
  readonly names: readonly string[]
  next: number
}

/**
 * All files below the root in order of the bytes of their whole keys. In memory are the names of one folder and of the
 * folders above it, nothing else. Links are followed, unless they lead back into a folder that they lie in.
 */
export async function* listFiles(listing: FolderListing, options: ListOptions): AsyncGenerator<ObjectInfo> {
  const { prefix = '', after = '', onUnnamed } = options
  const levels: Level[] = []
  const descend = async (folder: string): Promise<void> => {
    const identity = await identityOf(listing, folder)
    if (identity === undefined) return
    if (levels.some((level) => level.identity === identity)) {
      listing.logger?.warn({ folder: join(listing.root, folder) }, 'a link that leads into its own folder is left out')
      return
    }
    const slash = prefix.indexOf('/', folder.length)
    if (slash >= 0) {
      // Everything asked for lies in one folder below: no need to read this one.
      levels.push({ folder, identity, names: [prefix.slice(folder.length, slash + 1)], next: 0 })
      return
    }
    const wanted = (name: string): boolean => {
      const key = folder + name
      if (!key.startsWith(prefix)) return false
      return compareKeys(key, after) > 0 || (name.endsWith('/') && after.startsWith(key))
    }
    levels.push({ folder, identity, names: await readNames(listing, folder, wanted, onUnnamed), next: 0 })
  }

  await descend('')
  for (let level = levels.at(-1); level !== undefined; level = levels.at(-1)) {
    const { folder, names } = level
    const name = names[level.next]
    if (name === undefined) {
      levels.pop()
    } else if (name.endsWith('/')) {
      level.next++
      await descend(folder + name)
    } else {
      let end = level.next + 1
      while (end < names.length && end - level.next < statsAtOnce && names[end]?.endsWith('/') === false) end++
      const keys = names.slice(level.next, end).map((file) => folder + file)
      level.next = end
      const infos = await Promise.all(keys.map((key) => fileInfo(listing, key, onUnnamed)))
      for (const info of infos) {
        if (info === undefined) continue
        if (info.etag === '') onUnnamed?.(`${info.key}/`, [])
        yield info
      }
    }
  }
}

/** Names of the folders directly in `folder`, in the order in which their keys come in a listing (name + `/`). */
export async function listFolders(listing: FolderListing, folder: string): Promise<string[]> {
  const names = await readNames(listing, folder, (name) => name.endsWith('/'))
  return names.map((name) => name.slice(0, -1))
}

/** `<size>-<mtimeNs>`: what a folder has for an ETag. */
export function etagOf(stats: BigIntStats): string {
  return `${stats.size}-${stats.mtimeNs}`
}

async function readNames(
  listing: FolderListing,
  folder: string,
  wanted: (name: string) => boolean,
  onUnnamed?: ListOptions['onUnnamed'],
): Promise<string[]> {
  const path = join(listing.root, folder)
  const names: string[] = []
  let isDoubtful = false
  const take = async (entry: Dirent): Promise<void> => {
    const name = await nameWithKind(listing, folder, entry, onUnnamed !== undefined)
    if (name !== undefined && wanted(name)) names.push(name)
  }
  try {
    // opendir, not readdir: a million Dirent objects at once weigh several times what their names do.
    for await (const entry of await opendir(path, { bufferSize: 1024 })) {
      if (isTemporary(entry.name)) {
        listing.onTemporary(join(path, entry.name))
        continue
      }
      // As bytes they would all cost more, for the sake of names that hardly any folder has.
      if (entry.name.includes('\ufffd')) isDoubtful = true
      else await take(entry)
    }
    if (isDoubtful) await lookAtBytes(listing, folder, take, onUnnamed)
  } catch (error) {
    if (isMissing(error)) return []
    // Root's own on every ext4 volume, and never anyone's images.
    if (errnoOf(error) === 'EACCES' && folder.endsWith('lost+found/')) return []
    throw filesystemError(error, `list ${path}`)
  }
  return sortKeys(names)
}

/**
 * Node writes U+FFFD for bytes that are no UTF-8, and cannot find such a file again by what it wrote. Tells these from
 * names that really hold that character.
 */
async function lookAtBytes(
  listing: FolderListing,
  folder: string,
  take: (entry: Dirent) => Promise<void>,
  onUnnamed: ListOptions['onUnnamed'],
): Promise<void> {
  const path = join(listing.root, folder)
  const unnamed: string[] = []
  for (const entry of await readdir(path, { withFileTypes: true, encoding: 'buffer' })) {
    const name = entry.name.toString()
    if (!name.includes('\ufffd')) continue
    if (Buffer.from(name).equals(entry.name)) await take(Object.assign(entry, { name }))
    else unnamed.push(...(await filesBelow(Buffer.from(`${path}/`), entry, folder)))
  }
  if (unnamed.length === 0) return
  if (onUnnamed) onUnnamed(folder, unnamed)
  else listing.logger?.warn({ path, names: unnamed.length }, 'names that are not UTF-8 are left out; rename the files')
}

/** The keys that a file, or all files of a folder, would have, U+FFFD where the bytes are no UTF-8. Follows no links. */
async function filesBelow(path: Buffer, entry: Dirent<Buffer>, folder: string): Promise<string[]> {
  const key = folder + entry.name.toString()
  if (!entry.isDirectory()) return entry.isFile() || entry.isSymbolicLink() ? [key] : []
  const below = Buffer.concat([path, entry.name, Buffer.from('/')])
  const keys: string[] = []
  for (const inside of await entriesOf(below)) keys.push(...(await filesBelow(below, inside, `${key}/`)))
  return keys
}

/** Of a folder that may have gone meanwhile: that is no reason to take the whole listing of its own folder for empty. */
async function entriesOf(path: Buffer): Promise<Dirent<Buffer>[]> {
  try {
    return await readdir(path, { withFileTypes: true, encoding: 'buffer' })
  } catch (error) {
    if (isMissing(error)) return []
    throw error
  }
}

/** The name, with `/` when it is a folder; `undefined` for what is neither file nor folder. */
async function nameWithKind(
  listing: FolderListing,
  folder: string,
  entry: Dirent,
  keepsDangling: boolean,
): Promise<string | undefined> {
  if (entry.isFile()) return entry.name
  if (entry.isDirectory()) return `${entry.name}/`
  if (entry.isFIFO() || entry.isSocket() || entry.isBlockDevice() || entry.isCharacterDevice()) return undefined
  // A link, or a file system that does not tell kinds.
  const path = join(listing.root, folder, entry.name)
  try {
    const stats = await stat(path)
    if (stats.isDirectory()) return `${entry.name}/`
    return stats.isFile() ? entry.name : undefined
  } catch (error) {
    if (!isMissing(error)) throw error
    if (keepsDangling) return entry.name
    listing.logger?.warn({ link: path }, 'a link that leads nowhere is left out')
    return undefined
  }
}

async function identityOf(listing: FolderListing, folder: string): Promise<string | undefined> {
  const path = join(listing.root, folder)
  try {
    const stats = await stat(path, { bigint: true })
    return stats.isDirectory() ? `${stats.dev}:${stats.ino}` : undefined
  } catch (error) {
    if (!isMissing(error)) throw filesystemError(error, `list ${path}`)
    return undefined
  }
}

/** `undefined` when the file is gone since its folder was read. */
function fileInfo(
  listing: FolderListing,
  key: string,
  onUnnamed: ListOptions['onUnnamed'],
): Promise<ObjectInfo | undefined> {
  const path = join(listing.root, key)
  return new Promise((resolve, reject) => {
    statWithCallback(path, { bigint: true }, (error, stats) => {
      if (error === null) resolve({ key, etag: etagOf(stats), sizeBytes: Number(stats.size) })
      else if (!isMissing(error)) reject(filesystemError(error, `look at ${path}`))
      else if (onUnnamed === undefined) resolve(undefined)
      else danglingInfo(path, key).then(resolve, reject)
    })
  })
}

/** A link that leads nowhere; `undefined` when there is no link either. */
async function danglingInfo(path: string, key: string): Promise<ObjectInfo | undefined> {
  try {
    return (await lstat(path)).isSymbolicLink() ? { key, etag: '', sizeBytes: 0 } : undefined
  } catch (error) {
    if (isMissing(error)) return undefined
    throw filesystemError(error, `look at ${path}`)
  }
}
