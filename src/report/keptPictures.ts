import { createHash } from 'node:crypto'
import sharp from 'sharp'
import { InputError } from '../base/errors.ts'
import type { Logger } from '../base/telemetry.ts'
import { putReportPictures, readReportPictures, type ReportPictures } from '../output/reportPictures.ts'
import type { Store } from '../storage/store.ts'

interface KeptOptions {
  readonly output: Store
  readonly set: string
  /** Of the drawing: pictures of another one have other names. */
  readonly version: number
  readonly log: Logger
}

/**
 * The pictures that a result set's last report has drawn: the next one draws only what is not among them, and leaves what
 * it has asked for, and nothing else, to the one after it.
 */
export class KeptPictures {
  readonly #options: KeptOptions
  readonly #former: ReportPictures
  readonly #asked = new Map<string, Uint8Array>()
  #isNew = false

  private constructor(options: KeptOptions, former: ReportPictures) {
    this.#options = options
    this.#former = former
  }

  /** Raises what the store raises; without pictures that can be read, all are drawn. */
  static async open(options: KeptOptions): Promise<KeptPictures> {
    const { output, set, log } = options
    try {
      return new KeptPictures(options, (await readReportPictures(output, set)) ?? new Map())
    } catch (error) {
      if (!(error instanceof InputError) || error.code !== 'bad-layout') throw error
      log.info({ err: error }, 'all pictures of the report are drawn, since those of the last one cannot be read')
      return new KeptPictures(options, new Map())
    }
  }

  /** The same for the same sources, drawn by the same version of the drawing and of the libraries that encode. */
  nameOf(...sources: readonly unknown[]): string {
    const said = JSON.stringify([this.#options.version, sharp.versions, sources])
    return createHash('sha256').update(said).digest('hex')
  }

  /** Undefined when it has to be drawn. */
  get(name: string): Uint8Array | undefined {
    const picture = this.#asked.get(name) ?? this.#former.get(name)
    if (picture !== undefined) this.#asked.set(name, picture)
    return picture
  }

  /** Takes what has been drawn, and gives it back. */
  keep(name: string, picture: Uint8Array): Uint8Array {
    this.#asked.set(name, picture)
    this.#isNew = true
    return picture
  }

  /** For the next report. Raises what the store raises, unless it refuses: then the next report draws all. */
  async save(): Promise<void> {
    const { output, set, log } = this.#options
    if (!this.#isNew && this.#asked.size === this.#former.size) return
    try {
      await putReportPictures(output, set, this.#asked)
    } catch (error) {
      if (!(error instanceof InputError) || error.code !== 'access-denied') throw error
      log.warn({ err: error }, `the pictures of the report are not kept for the next one: ${error.message}`)
    }
  }
}
