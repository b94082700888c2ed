import { createHash, randomBytes } from 'node:crypto'
import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, statSync, utimesSync } from 'node:fs'
import { join } from 'node:path'

/** All kept models together; what was not used for longest goes first. */
const mostBytes = 2_000_000_000
/** What is still in the making after so long is nobody's any more. */
const abandonedMs = 600_000

export const keptModelsIn = (cacheFolder: string): string => join(cacheFolder, 'models')

/** What is said of it when somebody asks why a network was compiled anew. */
export type SayKept = (sentence: string) => void

/**
 * Models that an engine has optimised, in a folder of this machine: `<key>-<SHA-256 of the bytes>.model`, so that a name
 * says what its bytes must be and a file is whole or not there. May be emptied at any time; a folder that cannot be
 * written, or a damaged file, only costs the time to compile. Reading and writing block, as the engine does.
 */
export class KeptModels {
  readonly #folder: string
  readonly #say: SayKept
  readonly #mostBytes: number

  constructor(folder: string, say: SayKept = () => undefined, limitBytes = mostBytes) {
    this.#folder = folder
    this.#say = say
    this.#mostBytes = limitBytes
  }

  /** Whole, or undefined. */
  read(key: string): Buffer | undefined {
    for (const name of this.#names().filter((one) => one.startsWith(`${key}-`) && one.endsWith(suffix))) {
      const path = join(this.#folder, name)
      try {
        const bytes = readFileSync(path)
        if (name === nameOf(key, bytes)) {
          const now = new Date()
          utimesSync(path, now, now)
          return bytes
        }
        this.#say(`${path} is damaged and is made again`)
        rmSync(path, { force: true })
      } catch (error) {
        // Removed meanwhile, or not ours to read; one that cannot be touched has been read all the same, but would be the
        // first to go.
        this.#say(`${path} cannot be used: ${String(error)}`)
      }
    }
    return undefined
  }

  /** Forgets what was read but could not be used. */
  remove(key: string): void {
    for (const name of this.#names()) if (name.startsWith(`${key}-`)) this.#remove(name)
  }

  /**
   * A path to write a model to, under a name that nobody reads; `done` gives it its own, or lets it go. Undefined when the
   * folder cannot be written, or when another process is already writing the same.
   */
  draft(key: string): ModelDraft | undefined {
    try {
      mkdirSync(this.#folder, { recursive: true })
      if (this.#names().some((name) => name.startsWith(`${key}.`) && !this.#isAbandoned(name))) {
        this.#say('another process is keeping the model')
        return undefined
      }
      const path = join(this.#folder, `${key}.${process.pid}-${randomBytes(4).toString('hex')}.partial`)
      return { path, keep: () => this.#keep(key, path), discard: () => rmSync(path, { force: true }) }
    } catch (error) {
      this.#say(`the model is not kept: ${String(error)}`)
      return undefined
    }
  }

  #keep(key: string, draft: string): void {
    try {
      const name = nameOf(key, readFileSync(draft))
      renameSync(draft, join(this.#folder, name))
      for (const other of this.#names()) {
        if (other !== name && other.startsWith(`${key}-`)) this.#remove(other)
      }
      this.#prune(name)
      this.#say(`the model is kept in ${this.#folder}`)
    } catch (error) {
      rmSync(draft, { force: true })
      this.#say(`the model is not kept: ${String(error)}`)
    }
  }

  #prune(newest: string): void {
    const files = this.#names().flatMap((name) => {
      const { size = 0, mtimeMs = 0 } = statSync(join(this.#folder, name), { throwIfNoEntry: false }) ?? {}
      if (name.endsWith(suffix)) return [{ name, size, usedAt: name === newest ? Infinity : mtimeMs }]
      if (this.#isAbandoned(name)) this.#remove(name)
      return []
    })
    let total = 0
    for (const { name, size } of files.toSorted((a, b) => b.usedAt - a.usedAt)) {
      total += size
      if (total > this.#mostBytes && name !== newest) this.#remove(name)
    }
  }

  #isAbandoned(name: string): boolean {
    const made = statSync(join(this.#folder, name), { throwIfNoEntry: false })?.mtimeMs
    return made === undefined || Date.now() - made > abandonedMs
  }

  #names(): string[] {
    try {
      return readdirSync(this.#folder)
    } catch {
      return []
    }
  }

  #remove(name: string): void {
    rmSync(join(this.#folder, name), { force: true })
  }
}

export interface ModelDraft {
  readonly path: string
  keep(): void
  discard(): void
}

const suffix = '.model'

function nameOf(key: string, bytes: Uint8Array): string {
  return `${key}-${createHash('sha256').update(bytes).digest('hex')}${suffix}`
}
