import { open, rename, unlink, type FileHandle } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { PlaceError } from '../base/errors.ts'
import { errnoOf, filesystemError } from './filesystemErrors.ts'
import { etagOf } from './folderListing.ts'
import type { ObjectWriter } from './store.ts'
import { temporaryName } from './temporaryName.ts'

/**
 * A file written piece by piece under a temporary name in its own folder, then renamed: the same as `writeAtomically`,
 * for what is too large to be held in memory.
 */
export class FileWriter implements ObjectWriter {
  readonly #path: string
  readonly #temporary: string
  readonly #open: (action: () => Promise<FileHandle>) => Promise<FileHandle>
  #handle: FileHandle | undefined
  #sizeBytes = 0
  #isRenamed = false

  /** @param inFolder calls what it is given with the folder of `path` there, as often as that takes */
  constructor(path: string, inFolder: (action: () => Promise<FileHandle>) => Promise<FileHandle>) {
    this.#path = path
    this.#temporary = join(dirname(path), temporaryName())
    this.#open = inFolder
  }

  async append(bytes: Uint8Array): Promise<void> {
    await this.#trying(async () => {
      const handle = await this.#opened()
      // At its place: a call that is repeated writes over what the first one left.
      for (let done = 0; done < bytes.length;) {
        done += (await handle.write(bytes, done, bytes.length - done, this.#sizeBytes + done)).bytesWritten
      }
      this.#sizeBytes += bytes.length
    })
  }

  async commit(): Promise<string> {
    return this.#trying(async () => {
      const handle = await this.#opened()
      const etag = etagOf(await handle.stat({ bigint: true }))
      await rename(this.#temporary, this.#path)
      this.#isRenamed = true
      await this.#close()
      return etag
    })
  }

  async discard(): Promise<void> {
    const isOpen = this.#handle !== undefined
    await this.#close()
    // Where that fails, a later listing removes it (`removeStaleTemporary`).
    if (isOpen && !this.#isRenamed) await unlink(this.#temporary).catch(() => undefined)
  }

  async #opened(): Promise<FileHandle> {
    this.#handle ??= await this.#open(() => open(this.#temporary, 'wx'))
    return this.#handle
  }

  /** Faults of closing are no news: what was written is in the page cache, and a full disk shows when writing. */
  async #close(): Promise<void> {
    await this.#handle?.close().catch(() => undefined)
    this.#handle = undefined
  }

  async #trying<T>(action: () => Promise<T>): Promise<T> {
    try {
      return await action()
    } catch (error) {
      if (errnoOf(error) === 'ENOENT') {
        const message = `cannot write ${this.#path}: what was written so far is gone; start the same command again`
        throw new PlaceError('store-gone', message, { cause: error })
      }
      throw filesystemError(error, `write ${this.#path}`)
    }
  }
}
