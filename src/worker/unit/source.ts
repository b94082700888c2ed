import { HeadlightError, PlaceError, SampleError, TransientError } from '../../base/errors.ts'
import { Semaphore } from '../../base/semaphore.ts'
import { imageKeyOf, type Adapter, type Sample, type Truth } from '../../dataset/adapter.ts'
import { requireClass } from '../../dataset/classIndex.ts'
import { blankAround } from '../../dataset/indexKey.ts'
import { readTruth } from '../../dataset/unusableLabel.ts'
import { decodeImage } from '../../image/codec.ts'
import { cropToInput, type CropRule } from '../../image/crop.ts'
import { requireEncodedSize } from '../../image/encodedSize.ts'
import { greyCells } from '../../image/greyCells.ts'
import type { ManifestEntry } from '../../output/manifest.ts'
import type { ResultOptions } from '../../output/resultSet.ts'
import { magnitudeSide } from '../../saliency/picture.ts'
import type { Store } from '../../storage/store.ts'
import type { Measurements } from '../measurements.ts'
import { callStore, type StoreCall } from '../storeCall.ts'
import type { View } from './makeRecord.ts'

/** Other objects read in search of one that can be, after the one that failed and at the dataset's begin. */
const othersTried = 3

/** A sample ready for the engine. */
export interface PreparedSample {
  /** Height × width × 3, RGB, or × 1 for gray, 8 bit. */
  readonly pixels: Uint8Array
  /** The same in 28 × 28 cells of grey: kept here, since the engine takes the pixels for good. */
  readonly grey: Uint8Array
  readonly truth: Truth
  /** Why the label cannot be used. */
  readonly labelFault?: string
  readonly view: View
  /** Its class, where an objective reads it. */
  readonly class?: number
}

type Known = Awaited<ReturnType<typeof readTruth>>

export interface SourceOptions {
  readonly dataset: Store
  readonly adapter: Adapter
  readonly options: ResultOptions
  readonly rule: CropRule
  /** How many classes the network has, where an objective reads each image's own; else null. */
  readonly classes: number | null
  /** Objects being fetched at a time. Minimum 1. */
  readonly fetchConcurrency: number
  readonly decodeLimits: DecodeLimits
  readonly storeCall: StoreCall
  /** Whether this is the job's last attempt: then an object that nothing can be compared with is given up, too. */
  readonly lastAttempt: boolean
  readonly measurements: Measurements
}

/** What decoding may take of a process, whatever the window says and however many shards decode. */
export class DecodeLimits {
  /** Bytes of encoded images that wait for decoding or are decoded: a window of huge files would not fit in memory. */
  readonly encoded = new Semaphore(64 * 2 ** 20)
  /** Pictures being decoded at a time: a unit has about one core. */
  readonly decodes = new Semaphore(2)
  /** Bytes that decoded pictures take; one that needs more is decoded alone. */
  readonly decoded = new Semaphore(256 * 2 ** 20)
}

/** Turns manifest entries of one shard into what the engine takes. */
export class SampleSource {
  readonly #o: SourceOptions
  readonly #fetches: Semaphore
  /** Objects read so far: a success while another object kept failing tells a bad object from a bad store. */
  #reads = 0
  #readableKey: string | undefined
  #readsAtLastVanish = 0
  #search: Promise<boolean> | undefined

  constructor(options: SourceOptions) {
    this.#o = options
    this.#fetches = new Semaphore(options.fetchConcurrency)
  }

  /**
   * Raises SampleError for a fault of this object; PlaceError or TransientError when the whole shard cannot go on.
   *
   * @param onFetched awaited between the last store call and the decoder's first look at the bytes
   */
  async prepare(entry: ManifestEntry, onFetched: () => Promise<void>): Promise<PreparedSample> {
    if (entry.refused) {
      const { dataset, adapter } = this.#o
      const why = entry.refused === 'bad-key' ? adapter.whyBadKey?.(dataset, entry.key) : undefined
      throw new SampleError(entry.refused, why ?? refusals[entry.refused](entry.key))
    }
    requireEncodedSize(entry.sizeBytes, this.#o.options.maxPixels)
    const { classes, decodeLimits, measurements } = this.#o
    return decodeLimits.encoded.use(entry.sizeBytes, async () => {
      const fetch = () => measurements.time('fetch', () => this.#fetch(entry))
      const { bytes, known } = await this.#fetches.use(1, fetch)
      const ownClass = classes === null ? {} : { class: requireClass(known.truth, classes) }
      await onFetched()
      const decode = () => measurements.time('decode', () => this.#decode(bytes, known))
      return { ...(await decodeLimits.decodes.use(1, decode)), ...ownClass }
    })
  }

  async #fetch(entry: ManifestEntry): Promise<{ bytes: Uint8Array; known: Known }> {
    const { dataset, adapter, storeCall } = this.#o
    const imageKey = imageKeyOf(adapter, entry.key)
    let readsAtFirstFailure: number | undefined
    const call: StoreCall = {
      ...storeCall,
      onRetry: (error) => {
        readsAtFirstFailure ??= this.#reads
        storeCall.onRetry(error)
      },
    }
    try {
      const found = await callStore(call, () => dataset.get(imageKey, { signal: storeCall.signal }))
      if (!found) {
        await this.#ensureNotEmptied()
        const blank = entry.truth && entry.etag === '' ? await this.#blankAround(imageKey) : undefined
        throw new SampleError('vanished', notFound(`${dataset.uri}${imageKey}`, entry, blank))
      }
      if (found.info.etag !== entry.etag)
        throw new SampleError(
          'changed',
          `${dataset.uri}${imageKey} was replaced after it was listed; the next run takes it`,
        )
      const known = await callStore(call, () => readTruth(adapter, dataset, asSample(entry)))
      this.#reads++
      this.#readableKey = imageKey
      return { bytes: found.bytes, known }
    } catch (error) {
      if (!(error instanceof TransientError) && !isRefusal(error)) throw error
      if (this.#reads === (readsAtFirstFailure ?? this.#reads)) await this.#ensureStoreAnswers(error, imageKey)
      throw new SampleError('unavailable', `${dataset.uri}${imageKey} stayed unreadable: ${error.message}`, {
        cause: error,
      })
    }
  }

  #blankAround(imageKey: string): Promise<string | undefined> {
    const { dataset, storeCall } = this.#o
    return callStore(storeCall, () => blankAround(dataset, imageKey))
  }

  /**
   * Nothing was read while an object failed: raises `error` unless the store proves that it serves others. Without a
   * look at objects beyond the shard, a shard of one image would be taken for a busy store (or, refused, for a bad
   * place) again and again, while all the rest is done.
   */
  async #ensureStoreAnswers(error: TransientError | PlaceError, failed: string): Promise<void> {
    const { dataset, lastAttempt, storeCall } = this.#o
    const once: StoreCall = { ...storeCall, retries: { ...storeCall.retries, attempts: 1 } }
    const key = this.#readableKey
    if (key !== undefined) await callStore(once, () => dataset.head(key))
    else if (await callStore(once, () => this.#findReadable(failed))) return
    else if (lastAttempt && error instanceof TransientError) await callStore(once, () => dataset.check('read'))
    else throw error
  }

  /** One search serves all objects that fail at the same time: the store may be busy indeed. */
  #findReadable(failed: string): Promise<boolean> {
    this.#search ??= this.#readAnother(failed).finally(() => (this.#search = undefined))
    return this.#search
  }

  /**
   * Whether one of the objects that follow, or else of the dataset's first, can be read. Some may share the fault of the
   * one that failed, such as a key that is disabled; a store that refuses all of them is none that serves others.
   */
  async #readAnother(failed: string): Promise<boolean> {
    const { dataset, storeCall } = this.#o
    const others = new Set<string>()
    for (const options of [{ after: failed }, {}]) {
      let found = 0
      for await (const { key, sizeBytes } of dataset.list(options)) {
        if (key === failed || sizeBytes === 0) continue
        others.add(key)
        if (++found === othersTried) break
      }
    }
    const range = { start: 0, end: 1 }
    const reads = [...others].map(async (key) => {
      const found = await dataset.get(key, { range, signal: storeCall.signal })
      if (found === undefined) throw new SampleError('vanished', `${dataset.uri}${key} is gone`)
      return key
    })
    try {
      this.#readableKey = await Promise.any(reads)
      return true
    } catch (error) {
      storeCall.signal.throwIfAborted()
      if (error instanceof AggregateError && error.errors.every((one) => one instanceof HeadlightError)) return false
      throw error
    }
  }

  /**
   * An unmounted folder looks like one whose files have all vanished, and would turn a whole run into failed records.
   * So when objects vanish with no success in between, the listing must still show something.
   */
  async #ensureNotEmptied(): Promise<void> {
    if (this.#reads > this.#readsAtLastVanish) {
      this.#readsAtLastVanish = this.#reads
      return
    }
    const { dataset, storeCall } = this.#o
    const any = await callStore(storeCall, async () => {
      for await (const object of dataset.list()) return object
      return undefined
    })
    if (!any)
      throw new PlaceError(
        'store-gone',
        `${dataset.uri} holds nothing any more: is it mounted and reachable from this machine?`,
      )
  }

  async #decode(bytes: Uint8Array, known: Known): Promise<PreparedSample> {
    this.#o.storeCall.signal.throwIfAborted()
    const { options, rule, decodeLimits } = this.#o
    const { maxPixels, adapter } = options
    let release = (): void => undefined
    try {
      const image = await decodeImage(bytes, {
        maxPixels,
        applyExifOrientation: adapter.applyExifOrientation,
        onHeader: async (neededBytes) => {
          release = await decodeLimits.decoded.enter(neededBytes)
        },
      })
      const { pixels, crop } = cropToInput(image, known.truth.box, rule)
      const grey = greyCells({ width: rule.width, height: rule.height, pixels }, magnitudeSide)
      return { pixels, grey, ...known, view: { imageWidth: image.width, imageHeight: image.height, crop } }
    } finally {
      release()
    }
  }
}

/** Access refused: to this object alone (its encryption key, a policy), or because the credentials have expired. */
function isRefusal(error: unknown): error is PlaceError {
  return error instanceof PlaceError && (error.code === 'access-denied' || error.code === 'credentials-expired')
}

function asSample({ truth, ...sample }: ManifestEntry): Sample {
  return truth ? { ...sample, truth } : sample
}

const refusals = {
  'bad-key': (key: string) => `The key ${JSON.stringify(key)} cannot be laid out below the output; rename the object.`,
  'key-collision': (key: string) =>
    `The map of ${JSON.stringify(key)} would overwrite the map of another sample; rename one of the two.`,
}

function notFound(where: string, { etag, truth }: ManifestEntry, blank: string | undefined): string {
  if (etag !== '') return `${where} was gone when it was read`
  // Never seen: the next run will not find it either, unless somebody puts it there.
  return truth === undefined
    ? `${where} is a link that leads nowhere; mend or remove it`
    : `the index names ${where}, which was not there when it was listed or read${blank === undefined ? '' : `; ${blank}`}`
}
