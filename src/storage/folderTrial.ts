import { randomBytes } from 'node:crypto'
import { constants, existsSync } from 'node:fs'
import { access, opendir, rmdir } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { InputError } from '../base/errors.ts'
import { FilesystemStore } from './filesystem.ts'
import { filesystemError } from './filesystemErrors.ts'
import { pathOfFileUri } from './fileUri.ts'
import type { Access, ProbeFacts, StoreTrial } from './trial.ts'

const probePrefix = '.headlight-doctor-'
/** Of an output: one that somebody else made is enough to be told of. */
const mostLookedInto = 200

/** A folder, tried with a file in it. Folders that are missing are made for the trial and removed with it. */
export class FolderTrial implements StoreTrial {
  readonly uri: string
  readonly hasRightsByKey = false
  readonly probePattern = `${probePrefix}*`
  readonly #root: string
  readonly #store: FilesystemStore
  readonly #probe = `${probePrefix}${randomBytes(12).toString('hex')}`
  #isWritten = false
  /** Folders made for the trial, the deepest first. */
  #made: string[] = []

  constructor(uri: string) {
    this.uri = uri
    this.#root = pathOfFileUri(uri)
    this.#store = new FilesystemStore(this.#root)
  }

  get left(): string | undefined {
    return this.#isWritten ? join(this.#root, this.#probe) : this.#made.at(-1)
  }

  right(kind: Access, _pattern: string): string {
    const to = { list: 'list', read: 'read what is in', write: 'write into', delete: 'delete from' }
    return `permission to ${kind === 'give up uploads' || kind === 'find uploads' ? to.delete : to[kind]} ${this.#root}`
  }

  async list(): Promise<string | undefined> {
    for await (const { key, sizeBytes } of this.#store.list()) if (sizeBytes > 0 && key !== this.#probe) return key
    return undefined
  }

  async read(key: string): Promise<void> {
    await this.#store.get(key, { range: { start: 0, end: 1 } })
  }

  async writeProbe(): Promise<ProbeFacts> {
    for (let path = this.#root; !existsSync(path); path = dirname(path)) this.#made.push(path)
    try {
      this.#isWritten = (await this.#store.put(this.#probe, '1', { ifAbsent: true })) !== false
    } catch (error) {
      await this.#removeFolders()
      throw error
    }
    const isConditional = (await this.#store.put(this.#probe, '2', { ifAbsent: true })) === false
    await this.#store.put(this.#probe, '3')
    await this.#lookInto()
    return { isConditional }
  }

  async readProbe(): Promise<void> {
    await this.read(this.#probe)
  }

  async deleteProbe(): Promise<void> {
    await this.#store.delete(this.#probe)
    this.#isWritten = false
    await this.#removeFolders()
  }

  mayDo(): Promise<void> {
    return Promise.resolve()
  }

  close(): void {
    this.#store.close()
  }

  /** What another user has made in the output, as after a run by root, may be closed to this one. */
  async #lookInto(): Promise<void> {
    let looked = 0
    const look = async (folder: string, depth: number): Promise<void> => {
      for await (const entry of await opendir(folder)) {
        if (!entry.isDirectory() || looked++ > mostLookedInto) continue
        const path = join(folder, entry.name)
        await access(path, constants.R_OK | constants.W_OK | constants.X_OK)
        if (depth > 1) await look(path, depth - 1)
      }
    }
    await look(this.#root, 2).catch((error: unknown) => {
      const path = error instanceof Error && 'path' in error ? String(error.path) : this.#root
      throw filesystemError(error, `write into ${path}`)
    })
  }

  async #removeFolders(): Promise<void> {
    for (const path of this.#made.splice(0)) {
      await rmdir(path).catch((error: unknown) => {
        if (!existsSync(path)) return
        this.#made.push(path)
        throw new InputError('access-denied', `cannot remove ${path}, which was made to try it; remove it`, {
          cause: error,
        })
      })
    }
  }
}
