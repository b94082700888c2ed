import { HeadlightError, SampleError } from '../base/errors.ts'
import type { Logger } from '../base/telemetry.ts'
import { decodeImage, type DecodedImage } from '../image/codec.ts'
import { requireEncodedSize } from '../image/encodedSize.ts'
import type { Store } from '../storage/store.ts'

/** Each may take most of a minute where nobody answers, and the page wants hundreds of pictures. */
const faultsInARow = 3

/** The pictures of one store, as far as they can be had: a report must neither fail nor wait for hours over one. */
export class PictureStore {
  readonly #store: Store
  readonly #signal: AbortSignal
  readonly #log: Logger
  #faults = 0

  constructor(store: Store, signal: AbortSignal, log: Logger) {
    this.#store = store
    this.#signal = signal
    this.#log = log
  }

  /**
   * Null when the object is gone, unreadable or no image, and for all that come after three faults of the store in a row.
   * Rejects with the signal's reason.
   */
  async fetch(
    key: string,
    options: { readonly maxPixels: number; readonly applyExifOrientation: boolean },
  ): Promise<DecodedImage | null> {
    this.#signal.throwIfAborted()
    if (this.#faults >= faultsInARow) return null
    try {
      const listed = await this.#store.head(key)
      if (listed !== undefined) requireEncodedSize(listed.sizeBytes, options.maxPixels)
      const object = listed && (await this.#store.get(key, { signal: this.#signal }))
      this.#faults = 0
      return object === undefined ? null : await decodeImage(object.bytes, options)
    } catch (error) {
      this.#signal.throwIfAborted()
      if (!(error instanceof HeadlightError)) throw error
      // A bad object is none of the store's faults.
      if (!(error instanceof SampleError)) this.#fault(error)
      return null
    }
  }

  #fault(error: HeadlightError): void {
    this.#faults++
    if (this.#faults !== faultsInARow) return
    this.#log.warn(`the page goes without further pictures of ${this.#store.uri}: ${error.message}`)
  }
}
