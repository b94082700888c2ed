import { constants, type BigIntStats } from 'node:fs'
import { access, open, opendir, rmdir, stat, unlink, type FileHandle } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { InputError, PlaceError, SampleError, TransientError } from '../base/errors.ts'
import type { Logger } from '../base/telemetry.ts'
import { writeAtomically, type Condition } from './atomicWrite.ts'
import { errnoOf, filesystemError, isMissing } from './filesystemErrors.ts'
import { FileWriter } from './fileWriter.ts'
import { etagOf, listFiles, listFolders, type FolderListing } from './folderListing.ts'
import { makeFolder } from './makeFolder.ts'
import { isPortableKey, requireWritableKey } from './objectKey.ts'
import type { GetOptions, ListOptions, ObjectInfo, ObjectWriter, PutOptions, Store } from './store.ts'
import { TemporaryFiles, temporaryFolderOf } from './temporaryFiles.ts'
import { temporaryName } from './temporaryName.ts'

/** Half-written files older than this are nobody's any more; far longer than any clocks differ or any write takes. */
const staleTemporaryMs = 24 * 3_600_000
/** Another file system, or a folder of another user's above one that is open to all. */
const leadsElsewhere: ReadonlySet<string> = new Set(['EXDEV', 'EACCES', 'EPERM', 'EROFS'])
/** How often a read is begun again when the file changes under it. */
const readAttempts = 5
/** A FIFO named like an image must not block a thread for ever. */
const readFlags = constants.O_RDONLY | constants.O_NONBLOCK

/** A folder as a Store. Keys are relative paths; what cannot be a path below the folder is a SampleError `bad-key`. */
export class FilesystemStore implements Store {
  readonly uri: string
  readonly endpoint = undefined
  readonly #root: string
  readonly #logger: Logger | undefined
  readonly #temporary: TemporaryFiles
  /** Set once the folder was seen; from then on its absence is the place's fault, not the user's. */
  #seen: { readonly isMountPoint: boolean } | undefined
  #writes = false

  /** @param root absolute path; need not exist yet */
  constructor(root: string, options: { logger?: Logger | undefined } = {}) {
    this.#root = root
    this.#temporary = new TemporaryFiles(root)
    this.#logger = options.logger
    const href = pathToFileURL(root).href
    this.uri = href.endsWith('/') ? href : `${href}/`
  }

  async *list(options: ListOptions = {}): AsyncIterable<ObjectInfo> {
    if (options.prefix !== undefined) this.#path(`${options.prefix}x`)
    await this.#requireRoot()
    yield* listFiles(this.#listing, options)
    // A mount that went away midway looks like a folder that ends early.
    await this.#requireRoot()
  }

  async *folders(prefix: string): AsyncIterable<string> {
    this.#path(`${prefix}x`)
    await this.#requireRoot()
    yield* await listFolders(this.#listing, prefix)
    await this.#requireRoot()
  }

  async head(key: string): Promise<ObjectInfo | undefined> {
    const path = this.#path(key)
    if (this.#seen === undefined) await this.#requireRoot()
    try {
      const stats = await stat(path, { bigint: true })
      return stats.isFile() ? infoOf(key, stats) : undefined
    } catch (error) {
      return await this.#missing(error, `look at ${path}`)
    }
  }

  async get(
    key: string,
    { signal, range }: GetOptions = {},
  ): Promise<{ info: ObjectInfo; bytes: Uint8Array } | undefined> {
    const path = this.#path(key)
    signal?.throwIfAborted()
    if (this.#seen === undefined) await this.#requireRoot()
    let handle: FileHandle | undefined
    try {
      for (let attempt = 0; attempt < readAttempts; attempt++) {
        handle = await open(path, readFlags)
        const before = await handle.stat({ bigint: true })
        if (!before.isFile()) return undefined
        const { start, end } = range ?? { start: 0, end: Number(before.size) }
        const bytes = await readExactly(handle, start, end - start, signal)
        const after = await handle.stat({ bigint: true })
        await handle.close()
        handle = undefined
        if (bytes !== undefined && etagOf(before) === etagOf(after)) return { info: infoOf(key, before), bytes }
      }
    } catch (error) {
      signal?.throwIfAborted()
      return await this.#missing(error, `read ${path}`)
    } finally {
      await handle?.close()
    }
    throw new TransientError('store-busy', `cannot read ${path}: it changes while it is read; try again`)
  }

  async put(key: string, bytes: Uint8Array | string, options: PutOptions = {}): Promise<string | false> {
    const path = this.#path(key)
    requireWritableKey(key, this.uri)
    this.#writes = true
    const condition: Condition | undefined =
      options.ifMatch !== undefined
        ? { kind: 'match', etag: options.ifMatch }
        : options.ifAbsent === true
          ? { kind: 'absent' }
          : undefined
    try {
      // Nothing to match: no folder is made for it.
      if (condition?.kind === 'match' && !(await isThere(path))) return false
      for (;;) {
        const folder = this.#temporary.folderFor(path)
        try {
          return await this.#inFolders([folder, dirname(path)], () => writeAtomically(path, bytes, condition, folder))
        } catch (error) {
          if (!leadsElsewhere.has(errnoOf(error) ?? '') || !this.#temporary.isElsewhere(path, folder)) throw error
        }
      }
    } catch (error) {
      throw filesystemError(error, `write ${path}`)
    }
  }

  write(key: string): ObjectWriter {
    const path = this.#path(key)
    requireWritableKey(key, this.uri)
    this.#writes = true
    const folder = this.#temporary.folderFor(path)
    return new FileWriter(path, {
      folder,
      inFolders: (action) => this.#inFolders([folder, dirname(path)], action),
      onElsewhere: () => this.#temporary.isElsewhere(path, folder),
    })
  }

  async delete(key: string): Promise<void> {
    const path = this.#path(key)
    try {
      await unlink(path)
    } catch (error) {
      // EISDIR and EPERM are what Linux and others say of a folder, which is no object.
      if (isMissing(error) || errnoOf(error) === 'EISDIR') return
      if (errnoOf(error) === 'EPERM' && (await isFolder(path))) return
      throw filesystemError(error, `delete ${path}`)
    }
    // As in an object store, a folder is there as long as something is in it.
    for (let folder = dirname(path); folder !== this.#root; folder = dirname(folder)) {
      try {
        // Else it would be what keeps the folder. Whoever is about to write there makes it again.
        await rmdir(temporaryFolderOf(folder)).catch(() => undefined)
        await rmdir(folder)
      } catch {
        return
      }
    }
  }

  async removeLeftovers(prefix: string): Promise<void> {
    try {
      await this.#temporary.removeLeftovers(prefix)
    } catch (error) {
      throw filesystemError(error, `remove what dead processes left in ${this.#path(`${prefix}x`)}`)
    }
  }

  conditionalPut(): Promise<boolean> {
    return Promise.resolve(true)
  }

  async check(access: 'read' | 'write'): Promise<void> {
    if (access === 'write') {
      await this.#checkWrite()
    } else {
      await this.#requireRoot()
    }
    await this.#checkRead()
  }

  close(): void {}

  get #listing(): FolderListing {
    return {
      root: this.#root,
      logger: this.#logger,
      onTemporary: (path) => {
        if (this.#writes) void removeStaleTemporary(path)
      },
    }
  }

  /** Makes the folders where `action` finds none; it is repeated then. */
  async #inFolders<T>(folders: readonly string[], action: () => Promise<T>): Promise<T> {
    for (let attempt = 0; ; attempt++) {
      try {
        return await action()
      } catch (error) {
        // One is not there yet, or a delete that emptied it has just taken it away.
        if (errnoOf(error) !== 'ENOENT' || attempt === readAttempts) throw error
        await this.#refuseLostRoot()
        for (const folder of folders) await makeFolder(folder)
      }
    }
  }

  async #checkRead(): Promise<void> {
    try {
      await access(this.#root, constants.R_OK | constants.X_OK)
      await (await opendir(this.#root)).close()
    } catch (error) {
      throw filesystemError(error, `read ${this.#root}`)
    }
  }

  async #checkWrite(): Promise<void> {
    await this.#refuseLostRoot()
    this.#writes = true
    const probe = join(this.#root, temporaryName())
    try {
      await makeFolder(this.#root)
      await (await open(probe, 'wx')).close()
      await unlink(probe)
    } catch (error) {
      if (isMissing(error) || errnoOf(error) === 'EEXIST') throw this.#noFolder('it is not a folder', error)
      throw filesystemError(error, `write into ${this.#root}`)
    }
    await this.#requireRoot()
  }

  /** Absolute path of a key. Refuses what would leave the root or name something else than the key says. */
  #path(key: string): string {
    if (!isPortableKey(key)) {
      throw new SampleError('bad-key', `${JSON.stringify(key)} cannot be a file below ${this.#root}; rename it`)
    }
    return `${this.#root === '/' ? '' : this.#root}/${key}`
  }

  /** `undefined` when the file is missing from a folder that is there, else raises what is wrong. */
  async #missing(error: unknown, doing: string): Promise<undefined> {
    if (isMissing(error)) return await this.#requireRoot()
    if (errnoOf(error) === 'EACCES') {
      // One file that nobody may read is that file's fault; a whole folder is the place's.
      await this.#checkRead()
      throw new SampleError('unavailable', `cannot ${doing}: permission denied; grant this user access`, {
        cause: error,
      })
    }
    throw filesystemError(error, doing)
  }

  async #requireRoot(): Promise<undefined> {
    await this.#refuseLostRoot()
    if (this.#seen === undefined) throw this.#noFolder('there is no such folder', undefined)
  }

  /** Raises `store-gone` when the root was there before and is not, or is the empty place where it was mounted. */
  async #refuseLostRoot(): Promise<void> {
    let root: BigIntStats
    let isMountPoint: boolean
    try {
      root = await stat(this.#root, { bigint: true })
      isMountPoint = (await stat(dirname(this.#root), { bigint: true })).dev !== root.dev
    } catch (error) {
      if (!isMissing(error)) throw filesystemError(error, `look at ${this.#root}`)
      if (this.#seen !== undefined) throw this.#gone(error)
      return
    }
    if (!root.isDirectory()) throw this.#noFolder('it is not a folder', undefined)
    if (this.#seen?.isMountPoint === true && !isMountPoint) throw this.#gone(undefined)
    this.#seen ??= { isMountPoint }
  }

  #gone(cause: unknown): PlaceError {
    return new PlaceError('store-gone', `${this.#root} was there and is gone; mount it again`, { cause })
  }

  #noFolder(what: string, cause: unknown): InputError {
    return new InputError('no-such-bucket', `cannot open ${this.#root}: ${what}; check the path`, { cause })
  }
}

function infoOf(key: string, stats: BigIntStats): ObjectInfo {
  return { key, etag: etagOf(stats), sizeBytes: Number(stats.size) }
}

/** `undefined` when the file is shorter than that. */
async function readExactly(
  handle: FileHandle,
  start: number,
  sizeBytes: number,
  signal: AbortSignal | undefined,
): Promise<Uint8Array | undefined> {
  const bytes = Buffer.allocUnsafeSlow(sizeBytes)
  for (let offset = 0; offset < sizeBytes;) {
    const { bytesRead } = await handle.read(bytes, offset, Math.min(sizeBytes - offset, 8 << 20), start + offset)
    if (bytesRead === 0) return undefined
    offset += bytesRead
    signal?.throwIfAborted()
  }
  return bytes
}

async function isThere(path: string): Promise<boolean> {
  try {
    await stat(path)
    return true
  } catch (error) {
    if (isMissing(error)) return false
    throw error
  }
}

async function isFolder(path: string): Promise<boolean> {
  return (await stat(path)).isDirectory()
}

async function removeStaleTemporary(path: string): Promise<void> {
  try {
    if (Date.now() - (await stat(path)).mtimeMs > staleTemporaryMs) await unlink(path)
  } catch {
    // Somebody else removed it, or may not be allowed to: it stays hidden either way.
  }
}
