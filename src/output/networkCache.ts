import { createHash } from 'node:crypto'
import { mkdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { z } from 'zod'
import { parsedJson } from './jsonObject.ts'

/** Which bytes lay at a place when it was last read. */
const seenSchema = z.object({ etag: z.string(), digest: z.string().regex(/^[0-9a-f]{64}$/) })

/** Networks that were fetched, in a folder of this machine, by the SHA-256 of their bytes in hex. May be emptied at any time. */
export class NetworkCache {
  readonly #folder: string

  constructor(cacheFolder: string) {
    this.#folder = join(cacheFolder, 'networks')
  }

  path(digest: string): string {
    return join(this.#folder, digest)
  }

  /** Whole, or undefined. */
  async get(digest: string): Promise<Uint8Array | undefined> {
    const kept = await readFile(this.path(digest)).catch(() => undefined)
    return kept && sha256(kept) === digest ? kept : undefined
  }

  /** Without reading it, so not verified; undefined where there is none. */
  async sizeBytes(digest: string): Promise<number | undefined> {
    return (await stat(this.path(digest)).catch(() => undefined))?.size
  }

  async keep(digest: string, bytes: Uint8Array): Promise<void> {
    await this.#write(this.path(digest), bytes)
  }

  /** What lay at `place` when its ETag was this one. */
  async seenAt(place: string, etag: string): Promise<Uint8Array | undefined> {
    const text = await readFile(this.#noteOf(place), 'utf8').catch(() => undefined)
    const seen = seenSchema.safeParse(text === undefined ? undefined : parsedJson(text))
    return seen.success && seen.data.etag === etag ? this.get(seen.data.digest) : undefined
  }

  async keepSeen(place: string, etag: string, bytes: Uint8Array): Promise<void> {
    const digest = sha256(bytes)
    await this.keep(digest, bytes)
    await this.#write(this.#noteOf(place), JSON.stringify({ etag, digest }))
  }

  #noteOf(place: string): string {
    return join(this.#folder, `${sha256(Buffer.from(place)).slice(0, 32)}.json`)
  }

  /** Several processes write at the same time: each a file of its own, renamed. A full or read-only cache only costs time. */
  async #write(path: string, content: Uint8Array | string): Promise<void> {
    const draft = `${path}.${process.pid}.partial`
    try {
      await mkdir(this.#folder, { recursive: true })
      await writeFile(draft, content)
      await rename(draft, path)
    } catch {
      await rm(draft, { force: true }).catch(() => undefined)
    }
  }
}

export function sha256(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex')
}
