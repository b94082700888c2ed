import type { Readable } from 'node:stream'
import { backoffMs, pause, type Backoff } from '../base/backoff.ts'
import { InputError, PlaceError, SampleError, TransientError } from '../base/errors.ts'
import { compareKeys } from './keyOrder.ts'
import { requireWritableKey } from './objectKey.ts'
import type { S3Body, S3Connection, S3ConnectionOptions, S3ListRequest, S3Page } from './s3Connection.ts'
import { failureOf, isNoSuchObject, s3Error } from './s3Errors.ts'
import { listSideBySide, pagesOf } from './s3Listing.ts'
import { S3Writer } from './s3Writer.ts'
import type { GetOptions, ListOptions, ObjectInfo, ObjectWriter, PutOptions, Store } from './store.ts'
import { isTemporary, temporaryName } from './temporaryName.ts'

type Operation = 'list' | 'read' | 'write' | 'delete'

/** Bodies that break off are no errors to the SDK, which has handed them over by then. */
const bodyAttempts = 4
/** After so long the caller decides whether to go on: it may be watched for its silence. */
const lastBodyAttemptMs = 15_000
const conflictAttempts = 6
/** For what another moment mends. A service that is busy is waited for by the SDK, and then by the caller. */
const repeating: Backoff = { firstMs: 40, longestMs: 640 }

/** A prefix of a bucket as a Store. */
export class S3Store implements Store {
  readonly uri: string
  readonly endpoint: string | undefined
  readonly #bucket: string
  readonly #prefix: string
  readonly #options: S3ConnectionOptions
  #connection: Promise<S3Connection> | undefined
  /** What has succeeded before: a later refusal of the same is not the user's mistake. */
  readonly #worked = new Set<Operation>()
  /** The object read last: whether it can still be read tells a bad object from a bad place. */
  #readable: string | undefined
  #conditional: Promise<boolean> | undefined
  /** Ceph compares If-Match of a PUT with the bare ETag, so that the quotes that HTTP asks for never match. */
  #quotesEtags = true

  /** @param prefix empty or ending in `/` */
  constructor(bucket: string, prefix: string, options: S3ConnectionOptions = {}) {
    this.#bucket = bucket
    this.#prefix = prefix
    this.uri = `s3://${bucket}/${prefix}`
    this.endpoint = options.endpoint
    this.#options = options
  }

  async *list(options: ListOptions = {}): AsyncIterable<ObjectInfo> {
    const { prefix = '', after = '' } = options
    const startAfter = after === '' ? undefined : this.#prefix + after
    let last: string | undefined
    for await (const objects of listSideBySide(this.#fetchPage, { prefix: this.#prefix + prefix, after: startAfter })) {
      for (const { key: fullKey, etag, sizeBytes } of objects) {
        const key = fullKey.slice(this.#prefix.length)
        // Consoles make objects named `folder/` to show a folder.
        if (key === '' || key.endsWith('/') || isTemporary(key)) continue
        if (last !== undefined && compareKeys(last, key) >= 0) throw this.#unordered()
        last = key
        yield { key, etag, sizeBytes }
      }
    }
  }

  async *folders(prefix: string): AsyncIterable<string> {
    const whole = this.#prefix + prefix
    for await (const page of pagesOf(this.#fetchPage, { prefix: whole, delimiter: '/' })) {
      for (const folder of page.folders) {
        const name = folder.slice(whole.length, -1)
        if (name !== '') yield name
      }
    }
  }

  async head(key: string): Promise<ObjectInfo | undefined> {
    try {
      const { etag, sizeBytes } = await (await this.#connect()).head(this.#prefix + key)
      this.#worked.add('read')
      return { key, etag, sizeBytes }
    } catch (error) {
      if (isNoSuchObject(failureOf(error))) return undefined
      throw await this.#readError(error, key)
    }
  }

  async get(key: string, options: GetOptions = {}): Promise<{ info: ObjectInfo; bytes: Uint8Array } | undefined> {
    const { signal, range } = options
    const startedAt = performance.now()
    for (let attempt = 1; ; attempt++) {
      signal?.throwIfAborted()
      let answer: S3Body
      try {
        answer = await (await this.#connect()).get(this.#prefix + key, options)
      } catch (error) {
        signal?.throwIfAborted()
        if (isNoSuchObject(failureOf(error))) return undefined
        throw await this.#readError(error, key)
      }
      try {
        const { body, etag, sizeBytes, bodyBytes, bodyStart } = answer
        const bytes = await readBody(body, bodyBytes, signal)
        this.#worked.add('read')
        this.#readable = key
        const asked = range === undefined ? bytes : bytes.subarray(range.start - bodyStart, range.end - bodyStart)
        return { info: { key, etag, sizeBytes }, bytes: asked }
      } catch (error) {
        signal?.throwIfAborted()
        if (attempt === bodyAttempts || performance.now() - startedAt > lastBodyAttemptMs) {
          const doing = `cannot read ${this.uri}${key}`
          throw new TransientError('store-busy', `${doing}: its bytes break off halfway`, { cause: error })
        }
        await pause(backoffMs(repeating, attempt), { signal })
      }
    }
  }

  async put(key: string, bytes: Uint8Array | string, options: PutOptions = {}): Promise<string | false> {
    requireWritableKey(key, this.uri)
    // Only the probe tells how this service wants an ETag written.
    if (options.ifMatch !== undefined) await this.conditionalPut()
    return await this.#put(key, typeof bytes === 'string' ? Buffer.from(bytes) : bytes, options)
  }

  write(key: string, options: Pick<PutOptions, 'contentType'> = {}): ObjectWriter {
    requireWritableKey(key, this.uri)
    return new S3Writer({
      connect: () => this.#connect(),
      key: this.#prefix + key,
      contentType: options.contentType,
      put: async (bytes) => {
        const etag = await this.#put(key, bytes, options)
        if (etag === false) throw new Error('a PUT without a condition said that its condition does not hold')
        return etag
      },
      onSent: () => this.#worked.add('write'),
      raised: (error) => this.#error(error, 'write', key),
    })
  }

  async delete(key: string): Promise<void> {
    try {
      await (await this.#connect()).delete(this.#prefix + key)
      this.#worked.add('delete')
    } catch (error) {
      if (!isNoSuchObject(failureOf(error))) throw this.#error(error, 'delete', key)
    }
  }

  conditionalPut(): Promise<boolean> {
    this.#conditional ??= this.#probeConditions().catch((error: unknown) => {
      this.#conditional = undefined
      throw error
    })
    return this.#conditional
  }

  async check(access: 'read' | 'write'): Promise<void> {
    const connection = await this.#connect()
    try {
      await connection.list({ prefix: this.#prefix, limit: 1 })
    } catch (error) {
      throw this.#error(error, 'list', '', true)
    }
    if (access === 'read') return
    const key = this.#prefix + temporaryName()
    try {
      await connection.put({ Key: key, Body: Buffer.alloc(0) })
      await connection.delete(key)
    } catch (error) {
      throw this.#error(error, 'write', '', true)
    }
  }

  close(): void {
    void this.#connection?.then((connection) => connection.close())
  }

  #connect(): Promise<S3Connection> {
    this.#connection ??= import('./s3Connection.ts').then(
      (module) => new module.S3Connection(this.#bucket, this.#options),
    )
    return this.#connection
  }

  readonly #fetchPage = async (request: S3ListRequest): Promise<S3Page> => {
    try {
      const page = await (await this.#connect()).list(request)
      this.#worked.add('list')
      return page
    } catch (error) {
      throw this.#error(error, 'list', request.prefix.slice(this.#prefix.length))
    }
  }

  async #put(key: string, bytes: Uint8Array, options: PutOptions): Promise<string | false> {
    const request = {
      Key: this.#prefix + key,
      // A whole buffer, never a stream: streams are sent in signed chunks, which Ceph and Swift do not take.
      Body: bytes,
      ContentType: options.contentType,
      IfNoneMatch: options.ifAbsent === true ? '*' : undefined,
      IfMatch: this.#quotesEtags && options.ifMatch !== undefined ? `"${options.ifMatch}"` : options.ifMatch,
    }
    for (let attempt = 1; ; attempt++) {
      try {
        const etag = await (await this.#connect()).put(request)
        this.#worked.add('write')
        return etag
      } catch (error) {
        const failure = failureOf(error)
        const isConditional = options.ifAbsent === true || options.ifMatch !== undefined
        if (isConditional && (failure.status === 412 || failure.name === 'PreconditionFailed')) {
          return (failure.attempts > 1 || attempt > 1) && (await this.#isOurs(key, bytes))
        }
        // There was nothing to match.
        if (options.ifMatch !== undefined && isNoSuchObject(failure)) return false
        // 409: somebody else's conditional write is under way; who won is known in a moment.
        if (!isConditional || failure.status !== 409 || attempt === conflictAttempts) {
          throw this.#error(error, 'write', key)
        }
        await pause(backoffMs(repeating, attempt))
      }
    }
  }

  /**
   * A request whose answer was lost is sent again and then meets its own object. Had we taken that for somebody else's,
   * the owner of a lock would wait for itself.
   */
  async #isOurs(key: string, bytes: Uint8Array): Promise<string | false> {
    const present = await this.get(key)
    return present !== undefined && Buffer.compare(present.bytes, bytes) === 0 && present.info.etag
  }

  async #probeConditions(): Promise<boolean> {
    const key = temporaryName()
    const put = (text: string, options: PutOptions): Promise<string | false> =>
      this.#put(key, Buffer.from(text), options)
    try {
      const etag = await put('1', { ifAbsent: true })
      if (etag === false || (await put('2', { ifAbsent: true })) !== false) return false
      if ((await put('3', { ifMatch: '00000000000000000000000000000000' })) !== false) return false
      if ((await put('4', { ifMatch: etag })) !== false) return true
      this.#quotesEtags = false
      return (await put('5', { ifMatch: etag })) !== false
    } catch (error) {
      // 501 NotImplemented, 400 InvalidArgument: a service that knows of no such header and says so.
      const { status } = failureOf(error instanceof Error ? error.cause : undefined)
      if (status === 501 || status === 400) return false
      throw error
    } finally {
      await this.delete(key)
    }
  }

  #error(error: unknown, operation: Operation, key: string, checking = false): Error {
    return s3Error(error, {
      doing: `${operation} ${this.uri}${key}`,
      endpoint: this.endpoint,
      checking,
      worked: this.#worked.has(operation),
    })
  }

  /** Access refused to one object while others can be read is that object's fault, not the place's. */
  async #readError(error: unknown, key: string): Promise<Error> {
    const raised = this.#error(error, 'read', key)
    const other = this.#readable
    if (!(raised instanceof PlaceError) || failureOf(error).status !== 403 || other === undefined || other === key) {
      return raised
    }
    try {
      await (await this.#connect()).head(this.#prefix + other)
    } catch {
      return raised
    }
    return new SampleError('unavailable', `cannot read ${this.uri}${key}: access to this object is refused`, {
      cause: error,
    })
  }

  #unordered(): InputError {
    return new InputError(
      'bad-uri',
      `cannot use ${this.uri}: it lists its keys out of order (directory buckets do); use a general-purpose bucket`,
    )
  }
}

/** The body as one buffer; raises when it is not exactly as long as the header said. */
function readBody(body: Readable, sizeBytes: number, signal: AbortSignal | undefined): Promise<Uint8Array> {
  const stop = () => body.destroy()
  signal?.addEventListener('abort', stop, { once: true })
  return new Promise<Uint8Array>((resolve, reject) => {
    const bytes = Buffer.allocUnsafeSlow(sizeBytes)
    let filled = 0
    body.on('data', (chunk: Buffer) => {
      if (filled + chunk.length <= sizeBytes) chunk.copy(bytes, filled)
      filled += chunk.length
    })
    body.on('end', () => {
      if (filled === sizeBytes) resolve(bytes)
      else reject(new Error(`${filled} bytes came instead of ${sizeBytes}`))
    })
    body.on('error', reject)
    body.on('close', () => reject(new Error(`the connection closed after ${filled} of ${sizeBytes} bytes`)))
  }).finally(() => signal?.removeEventListener('abort', stop))
}
