import { copyFile, open, rename, stat, unlink, type FileHandle } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { PlaceError } from '../base/errors.ts'
import { errnoOf, filesystemError } from './filesystemErrors.ts'
import { etagOf } from './folderListing.ts'
import type { ObjectWriter } from './store.ts'
import { ownTemporaryName } from './temporaryFiles.ts'

/** Where a FileWriter writes. */
export interface FileWriterPlace {
  /** For the file until it is renamed. */
  readonly folder: string
  /** Calls what it is given with that folder and the file's own there, as often as that takes. */
  readonly inFolders: <T>(action: () => Promise<T>) => Promise<T>
  /** Told that the two lie on different file systems. */
  readonly onElsewhere: () => void
}

/**
 * A file written piece by piece under a temporary name, then renamed: the same as `writeAtomically`, for what is too
 * large to be held in memory.
 */
export class FileWriter implements ObjectWriter {
  readonly #path: string
  readonly #place: FileWriterPlace
  #temporary: string | undefined
  #handle: FileHandle | undefined
  #sizeBytes = 0
  #isRenamed = false

  constructor(path: string, place: FileWriterPlace) {
    this.#path = path
    this.#place = place
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
      const temporary = this.#temporary ?? ''
      let etag = etagOf(await handle.stat({ bigint: true }))
      await this.#place.inFolders(async () => {
        try {
          await rename(temporary, this.#path)
        } catch (error) {
          if (errnoOf(error) !== 'EXDEV') throw error
          this.#place.onElsewhere()
          etag = await this.#copy(temporary)
        }
      })
      this.#isRenamed = true
      await this.#close()
      return etag
    })
  }

  async discard(): Promise<void> {
    const isOpen = this.#handle !== undefined
    await this.#close()
    // Where that fails, whoever takes the hold next removes it (`removeLeftovers`).
    if (isOpen && !this.#isRenamed) await this.#unlink()
  }

  async #opened(): Promise<FileHandle> {
    const temporary = (this.#temporary ??= join(this.#place.folder, await ownTemporaryName()))
    this.#handle ??= await this.#place.inFolders(() => open(temporary, 'wx'))
    return this.#handle
  }

  /** To the other file system, under a temporary name there; the new ETag. */
  async #copy(temporary: string): Promise<string> {
    const beside = join(dirname(this.#path), await ownTemporaryName())
    try {
      await copyFile(temporary, beside)
      const etag = etagOf(await stat(beside, { bigint: true }))
      await rename(beside, this.#path)
      await this.#unlink()
      return etag
    } catch (error) {
      await unlink(beside).catch(() => undefined)
      throw error
    }
  }

  async #unlink(): Promise<void> {
    await unlink(this.#temporary ?? '').catch(() => undefined)
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
