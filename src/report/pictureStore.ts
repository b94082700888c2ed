import { setMaxListeners } from 'node:events'
import { HeadlightError, SampleError } from '../base/errors.ts'
import type { Logger } from '../base/telemetry.ts'
import { decodeImage, type DecodedImage } from '../image/codec.ts'
import { requireEncodedSize } from '../image/encodedSize.ts'
import type { Store } from '../storage/store.ts'

/** Each may take most of a minute where nobody answers, and the page wants hundreds of pictures. */
const faultsInARow = 3

export interface PictureOptions {
  readonly maxPixels: number
  readonly applyExifOrientation: boolean
}

/** A picture that is there. */
export interface FoundPicture {
  readonly etag: string
  readonly sizeBytes: number
  /** Null as of `PictureStore.fetch`. */
  get(): Promise<EncodedPicture | null>
}

export interface EncodedPicture {
  /** Of these very bytes. */
  readonly etag: string
  /** Null when they are no image, or a damaged one. */
  decode(): Promise<DecodedImage | null>
}

/** The pictures of one store, as far as they can be had: a report must neither fail nor wait for hours over one. */
export class PictureStore {
  readonly #store: Store
  readonly #signal: AbortSignal
  readonly #log: Logger
  /** In a row. Apart, since a store may answer the one and not the other. */
  readonly #faults = { head: 0, get: 0 }
  #isGivenUp = false

  constructor(store: Store, signal: AbortSignal, log: Logger) {
    this.#store = store
    this.#signal = AbortSignal.any([signal])
    // Every request under way listens to it, and Node.js warns of more than ten.
    setMaxListeners(0, this.#signal)
    this.#log = log
  }

  /**
   * Null when the object is gone, unreadable or no image, and for all that come after three faults of the store in a row.
   * Rejects with the signal's reason.
   */
  async fetch(key: string, options: PictureOptions): Promise<DecodedImage | null> {
    const found = await this.find(key, options)
    return (await (await found?.get())?.decode()) ?? null
  }

  /** Looks whether there is one, and which. Null and rejections as of `fetch`. */
  async find(key: string, options: PictureOptions): Promise<FoundPicture | null> {
    const info = await this.#ask('head', () => this.#store.head(key))
    if (info === undefined || isTooLarge(info.sizeBytes, options.maxPixels)) return null
    return {
      etag: info.etag,
      sizeBytes: info.sizeBytes,
      get: async () => {
        const object = await this.#ask('get', () => this.#store.get(key, { signal: this.#signal }))
        if (object === undefined) return null
        return { etag: object.info.etag, decode: () => this.#decode(object.bytes, options) }
      },
    }
  }

  async #ask<T>(what: 'head' | 'get', call: () => Promise<T | undefined>): Promise<T | undefined> {
    this.#signal.throwIfAborted()
    if (this.#isGivenUp) return undefined
    try {
      const answer = await call()
      this.#faults[what] = 0
      return answer
    } catch (error) {
      this.#signal.throwIfAborted()
      if (!(error instanceof HeadlightError)) throw error
      // A bad object is none of the store's faults.
      if (!(error instanceof SampleError)) this.#fault(what, error)
      return undefined
    }
  }

  async #decode(bytes: Uint8Array, options: PictureOptions): Promise<DecodedImage | null> {
    try {
      return await decodeImage(bytes, options)
    } catch (error) {
      this.#signal.throwIfAborted()
      if (!(error instanceof SampleError)) throw error
      return null
    }
  }

  #fault(what: 'head' | 'get', error: HeadlightError): void {
    this.#faults[what]++
    if (this.#faults[what] < faultsInARow || this.#isGivenUp) return
    this.#isGivenUp = true
    this.#log.warn(`the page goes without further pictures of ${this.#store.uri}: ${error.message}`)
  }
}

function isTooLarge(sizeBytes: number, maxPixels: number): boolean {
  try {
    requireEncodedSize(sizeBytes, maxPixels)
    return false
  } catch (error) {
    if (error instanceof SampleError) return true
    throw error
  }
}
