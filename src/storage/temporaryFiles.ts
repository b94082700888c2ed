import { createHash, randomBytes } from 'node:crypto'
import type { Dirent } from 'node:fs'
import { opendir, stat, unlink } from 'node:fs/promises'
import { basename, dirname, join, relative, sep } from 'node:path'
import { hasEnded, thisProcess, type ProcessIdentity } from '../base/processIdentity.ts'
import { errnoOf, isMissing } from './filesystemErrors.ts'
import { isTemporary, temporaryName } from './temporaryName.ts'

/** Its name hides it from listings, those of earlier versions included. */
const folderName = temporaryName('files')
/** Far longer than any clocks differ or any write takes: then a file of another machine's is nobody's any more. */
const staleMs = 24 * 3_600_000
/** Folders on the way to a file that may lie on another file system than those above, counted from the root. */
const deepest = 3

let self: Promise<ProcessIdentity> | undefined

/** This process, looked up once. */
function here(): Promise<ProcessIdentity> {
  return (self ??= thisProcess())
}

/** A name for a file in the making that tells who makes it. */
export async function ownTemporaryName(): Promise<string> {
  const { pid, processStart, ...machine } = await here()
  return temporaryName([digest(machine), pid, processStart, randomBytes(9).toString('hex')].join('.'))
}

/**
 * Where below a store's root files are written before they are renamed: in one folder of the first folder of their key,
 * which in an output is the result set. Beside the file is the tempting choice, for it is on the same file system for
 * sure; but of a writer that was killed it leaves something among a million maps, which nobody lists.
 *
 * Folders on the way may lead to another file system, by a link or a mount. That shows when the file is renamed (EXDEV),
 * and not before: a bind mount has the same device. From then on the place is one folder further down.
 */
export class TemporaryFiles {
  readonly #root: string
  /** How far down the place is, by the folder that was found to lie elsewhere. */
  readonly #depths = new Map<string, number>()

  constructor(root: string) {
    this.#root = root
  }

  /** The folder in which the file at `path` is to be written. */
  folderFor(path: string): string {
    const folders = this.#foldersOf(path)
    const depth = this.#depths.get(top(folders)) ?? 1
    // A store's own top level is not ours to put folders into, and a folder that leads elsewhere at last is its own place.
    if (folders.length === 0 || depth > Math.min(deepest, folders.length)) return dirname(path)
    return join(this.#root, ...folders.slice(0, depth), folderName)
  }

  /** Notes that a file from `folder` could not be renamed to `path`; false when there is no nearer place. */
  isElsewhere(path: string, folder: string): boolean {
    if (folder === dirname(path)) return false
    const folders = this.#foldersOf(path)
    const depth = relative(this.#root, dirname(folder)).split(sep).length
    this.#depths.set(top(folders), Math.max(depth + 1, this.#depths.get(top(folders)) ?? 1))
    return true
  }

  /** Removes what writers that have died left below `prefix`. */
  async removeLeftovers(prefix: string): Promise<void> {
    for (const folder of await foldersWithin(join(this.#root, prefix), deepest - 1)) {
      await removeOfTheDead(join(folder, folderName))
    }
  }

  #foldersOf(path: string): string[] {
    const within = relative(this.#root, dirname(path))
    return within === '' ? [] : within.split(sep)
  }
}

/** The path of the folder of temporary files that `folder` may hold. */
export function temporaryFolderOf(folder: string): string {
  return join(folder, folderName)
}

const top = (folders: readonly string[]): string => folders.slice(0, deepest).join('/')

const digest = ({ host, bootId }: Pick<ProcessIdentity, 'host' | 'bootId'>): string =>
  createHash('sha256').update(`${host} ${bootId}`).digest('hex').slice(0, 16)

/** The folder and those below it, so many levels deep; links are followed, as everywhere. */
async function foldersWithin(folder: string, levels: number): Promise<string[]> {
  const found = [folder]
  if (levels === 0) return found
  for (const name of await namesIn(folder, (entry) => entry.isDirectory() || entry.isSymbolicLink())) {
    if (!isTemporary(name)) found.push(...(await foldersWithin(join(folder, name), levels - 1)))
  }
  return found
}

async function removeOfTheDead(folder: string): Promise<void> {
  for (const name of await namesIn(folder, (entry) => entry.isFile())) {
    const path = join(folder, name)
    if (await isOfTheDead(path)) await unlink(path).catch(ignoreMissing)
  }
}

/** Of this machine's processes it is known whether they have ended. Of any others a day of silence tells. */
async function isOfTheDead(path: string): Promise<boolean> {
  const [, machine, pid, processStart = ''] = /-([0-9a-f]{16})\.(\d+)\.(\d*)\.[0-9a-f]+$/.exec(basename(path)) ?? []
  const us = await here()
  if (us.bootId !== '' && machine === digest(us)) return hasEnded({ ...us, pid: Number(pid), processStart }, us)
  const stats = await stat(path).catch(ignoreMissing)
  return stats !== undefined && Date.now() - stats.mtimeMs > staleMs
}

async function namesIn(folder: string, wanted: (entry: Dirent) => boolean): Promise<string[]> {
  const names: string[] = []
  try {
    for await (const entry of await opendir(folder)) if (wanted(entry)) names.push(entry.name)
  } catch (error) {
    // A link to a file is no folder either.
    if (!isMissing(error)) throw error
  }
  return names
}

function ignoreMissing(error: unknown): undefined {
  if (errnoOf(error) !== 'ENOENT') throw error
  return undefined
}
