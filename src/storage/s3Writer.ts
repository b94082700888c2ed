import { randomUUID } from 'node:crypto'
import type { S3Connection } from './s3Connection.ts'
import { failureOf } from './s3Errors.ts'
import type { ObjectWriter } from './store.ts'

/** Services take parts of 5 MiB or more, but for the last. Until so much is there, the object is one PUT. */
const firstPartBytes = 8 << 20
/** Parts of one size; then they double, so that the 10,000 parts of an upload hold the largest object that there can be. */
const partsOfASize = 1_000

/** Size of a full part; parts count from 1. */
export function partBytes(part: number): number {
  return firstPartBytes * 2 ** Math.floor((part - 1) / partsOfASize)
}

export interface S3WriterOptions {
  readonly connect: () => Promise<S3Connection>
  /** Whole key in the bucket. */
  readonly key: string
  readonly contentType: string | undefined
  /** Puts an object that is no larger than a part. */
  readonly put: (bytes: Uint8Array) => Promise<string>
  /** A part has arrived. */
  readonly onSent: () => void
  /** The class of `errors.ts` that a failed request belongs to. */
  readonly raised: (error: unknown) => Error
}

/**
 * An object sent as a multipart upload. `@aws-sdk/lib-storage` is the tempting choice: it gives up the whole upload when
 * one part fails for longer than the SDK repeats, and it completes as soon as the bytes end, while a table must not
 * appear before its hold is confirmed.
 *
 * Parts are sent one after the other: one is in memory, and making it takes longer than sending it.
 */
export class S3Writer implements ObjectWriter {
  readonly #options: S3WriterOptions
  /** Known again in the object's metadata, should the answer that it is complete be lost. */
  readonly #mark = randomUUID()
  #uploadId: string | undefined
  /** ETags of the parts sent. */
  readonly #sent: string[] = []
  #part = Buffer.alloc(0)
  #filled = 0
  /** Bytes of a call that failed which are in the part already, or sent. */
  #taken = 0

  constructor(options: S3WriterOptions) {
    this.#options = options
  }

  async append(bytes: Uint8Array): Promise<void> {
    while (this.#taken < bytes.length) {
      // Not when it has become full: the last part must not be empty, and what fits into one needs no upload.
      if (this.#filled === this.#capacity) await this.#send()
      this.#taken += this.#fill(bytes.subarray(this.#taken))
    }
    this.#taken = 0
  }

  async commit(): Promise<string> {
    if (this.#uploadId === undefined) return this.#options.put(this.#rest)
    if (this.#filled > 0) await this.#send()
    const etag = await this.#complete(this.#uploadId)
    this.#uploadId = undefined
    return etag
  }

  async discard(): Promise<void> {
    this.#part = Buffer.alloc(0)
    this.#filled = 0
    if (this.#uploadId === undefined) return
    const { connect, key } = this.#options
    try {
      await (await connect()).abortUpload(key, this.#uploadId)
    } catch {
      // Gone already, or the service is away: a bucket's rule for unfinished uploads removes it.
    }
  }

  get #capacity(): number {
    return partBytes(this.#sent.length + 1)
  }

  get #rest(): Uint8Array {
    return this.#part.subarray(0, this.#filled)
  }

  /** As much as fits; how much that is. Small objects never see a buffer of a whole part. */
  #fill(bytes: Uint8Array): number {
    const added = bytes.subarray(0, this.#capacity - this.#filled)
    const needed = this.#filled + added.length
    if (needed > this.#part.length) {
      const larger = Buffer.allocUnsafeSlow(Math.min(this.#capacity, Math.max(needed, 2 * this.#part.length)))
      larger.set(this.#rest)
      this.#part = larger
    }
    this.#part.set(added, this.#filled)
    this.#filled = needed
    return added.length
  }

  async #send(): Promise<void> {
    const { connect, key, contentType, onSent, raised } = this.#options
    const connection = await connect()
    try {
      this.#uploadId ??= await connection.createUpload(key, contentType, this.#mark)
      this.#sent.push(await connection.putPart(key, this.#uploadId, this.#sent.length + 1, this.#rest))
    } catch (error) {
      throw raised(error)
    }
    this.#filled = 0
    onSent()
  }

  async #complete(uploadId: string): Promise<string> {
    const { connect, key, raised } = this.#options
    const connection = await connect()
    let etag: string
    try {
      etag = await connection.completeUpload(key, uploadId, this.#sent)
    } catch (error) {
      const ours = failureOf(error).name === 'NoSuchUpload' ? await this.#etagOfOurs() : undefined
      if (ours === undefined) throw raised(error)
      return ours
    }
    // Ceph leaves it out of its answer. Whoever has replaced the object since has made it a version of the past.
    return etag === '' ? ((await this.#etagOfOurs()) ?? '') : etag
  }

  /** A completion whose answer was lost is sent again and then finds no upload any more, but the object that it made. */
  async #etagOfOurs(): Promise<string | undefined> {
    const { connect, key, raised } = this.#options
    try {
      const { etag, uploadMark } = await (await connect()).head(key)
      return uploadMark === this.#mark ? etag : undefined
    } catch (error) {
      throw raised(error)
    }
  }
}
