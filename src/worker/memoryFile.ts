import { mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { z } from 'zod'
import { networkMemorySchema, type NetworkMemory } from './networkMemory.ts'

const fileSchema = z.object({ schema: z.literal(1), networks: z.record(z.string(), networkMemorySchema) })

/** The longest known are forgotten first. */
const keptNetworks = 200

/**
 * What networks took here when they were last opened, in the cache folder. It only saves measuring: a file that cannot be
 * read or written, or is something else, is as good as none.
 */
export class MemoryFile {
  readonly #folder: string
  #writing: Promise<void> = Promise.resolve()

  constructor(cacheFolder: string) {
    this.#folder = cacheFolder
  }

  /** By key. */
  async read(): Promise<Map<string, NetworkMemory>> {
    try {
      const { networks } = fileSchema.parse(JSON.parse(await readFile(this.#path, 'utf8')))
      return new Map(Object.entries(networks))
    } catch {
      return new Map()
    }
  }

  /** Never rejects. What another process writes in the same moment may be lost. */
  async remember(key: string, memory: NetworkMemory): Promise<void> {
    this.#writing = this.#writing.then(() => this.#add(key, memory))
    await this.#writing
  }

  /** Resolves when all that was to be remembered is. */
  async settled(): Promise<void> {
    await this.#writing
  }

  get #path(): string {
    return join(this.#folder, 'memory.json')
  }

  async #add(key: string, memory: NetworkMemory): Promise<void> {
    const known = await this.read()
    known.delete(key)
    known.set(key, memory)
    const networks = Object.fromEntries([...known].slice(-keptNetworks))
    const draft = `${this.#path}.${process.pid}.partial`
    try {
      await mkdir(this.#folder, { recursive: true })
      await writeFile(draft, `${JSON.stringify({ schema: 1, networks }, undefined, 2)}\n`)
      await rename(draft, this.#path)
    } catch {
      await rm(draft, { force: true }).catch(() => undefined)
    }
  }
}
