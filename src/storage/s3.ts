import { backoffMs, pause, type Backoff } from '../base/backoff.ts'
import { InputError, PlaceError, SampleError, TransientError } from '../base/errors.ts'
import type { Logger } from '../base/telemetry.ts'
import { together } from '../base/together.ts'
import { compareKeys } from './keyOrder.ts'
import { requireReadableKey, requireWritableKey } from './objectKey.ts'
import { readBody } from './s3Body.ts'
import type { S3ConnectionOptions } from './s3Client.ts'
import type { S3Body, S3Connection, S3Listed, S3ListRequest, S3Page } from './s3Connection.ts'
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
/** Longer than any upload takes. */
const staleUploadMs = 24 * 3_600_000
/** Objects asked for at a time where a listing does not say all of them. */
const headsAtOnce = 16
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
  /** The endpoint, also where it comes from the environment; known with the first connection. */
  #service: string | undefined
  readonly #logger: Logger | undefined
  /** Ceph compares If-Match of a PUT with the bare ETag, so that the quotes that HTTP asks for never match. */
  #quotesEtags = true

  /** @param prefix empty or ending in `/` */
  constructor(
    bucket: string,
    prefix: string,
    options: S3ConnectionOptions & { readonly logger?: Logger | undefined } = {},
  ) {
    this.#bucket = bucket
    this.#prefix = prefix
    this.uri = `s3://${bucket}/${prefix}`
    this.endpoint = options.endpoint
    this.#service = options.endpoint
    this.#logger = options.logger
    this.#options = options
  }

  async *list(options: ListOptions = {}): AsyncIterable<ObjectInfo> {
    const { prefix = '', after = '', onUnnamed } = options
    const startAfter = after === '' ? undefined : this.#prefix + after
    let last = after === '' ? undefined : after
    for await (const objects of listSideBySide(this.#fetchPage, { prefix: this.#prefix + prefix, after: startAfter })) {
      for (const { key: fullKey, etag, sizeBytes, isGarbled } of await this.#completed(objects)) {
        const key = fullKey.slice(this.#prefix.length)
        if (key === '' || key.endsWith('/')) {
          // Consoles make objects named `folder/` to show a folder. One with bytes is somebody's data.
          if (sizeBytes > 0) onUnnamed?.(key, [key.slice(0, -1)])
          continue
        }
        if (isTemporary(key)) continue
        const isBehind = last !== undefined && compareKeys(last, key) >= 0
        if (isGarbled === true) {
          // What is left of it never sorts after its true key, so those that follow are in order.
          if (isBehind) onUnnamed?.(key, [key])
          else yield { key: (last = key), etag, sizeBytes, isGarbled }
          continue
        }
        if (isBehind) throw this.#unordered()
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
    requireReadableKey(key, this.uri)
    try {
      const connection = await this.#connect()
      const { etag, sizeBytes } = await connection.head(this.#prefix + key)
      this.#worked.add('read')
      return { key, etag, sizeBytes: sizeBytes ?? (await listedSize(connection, this.#prefix + key)) }
    } catch (error) {
      if (isNoSuchObject(failureOf(error))) return undefined
      throw await this.#readError(error, key)
    }
  }

  async get(key: string, options: GetOptions = {}): Promise<{ info: ObjectInfo; bytes: Uint8Array } | undefined> {
    requireReadableKey(key, this.uri)
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
        return { info: { key, etag, sizeBytes: sizeBytes ?? bytes.length }, bytes: asked }
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

  async removeLeftovers(prefix: string, isHeld: (key: string) => boolean): Promise<void> {
    const isShared = !(await this.conditionalPut())
    try {
      const connection = await this.#connect()
      for await (const { key, id, begunAt } of connection.openUploads(this.#prefix + prefix)) {
        if (!isHeld(key.slice(this.#prefix.length))) continue
        // Without conditions two may hold the same: then only what is old is nobody's for sure.
        if (isShared && (begunAt === undefined || Date.now() - begunAt.getTime() < staleUploadMs)) continue
        await connection.abortUpload(key, id)
      }
    } catch (error) {
      // The right to list uploads, or the service's notion of them: a bucket's rule for unfinished uploads does it, too.
      this.#logger?.debug({ err: error }, 'uploads that earlier runs left open could not be removed')
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
    const list = async () => {
      try {
        await connection.list({ prefix: this.#prefix, limit: 1 })
      } catch (error) {
        throw this.#error(error, 'list', '', true)
      }
    }
    const write = async () => {
      const key = this.#prefix + temporaryName()
      try {
        await connection.put({ Key: key, Body: Buffer.alloc(0) })
        await connection.delete(key)
      } catch (error) {
        throw this.#error(error, 'write', '', true)
      }
    }
    await together([list(), access === 'write' ? write() : undefined])
  }

  close(): void {
    void this.#connection?.then(
      (connection) => connection.close(),
      () => undefined,
    )
  }

  #connect(): Promise<S3Connection> {
    this.#connection ??= import('./s3Connection.ts').then(async (module) => {
      const connection = await module.S3Connection.open(this.#bucket, this.#options)
      this.#service = connection.endpoint
      return connection
    })
    return this.#connection
  }

  /** A listing that lacks ETags or sizes would take every change for none: the objects are asked one by one. */
  async #completed(objects: readonly S3Listed[]): Promise<readonly S3Listed[]> {
    if (objects.every(({ etag }) => etag !== '')) return objects
    const all: S3Listed[] = []
    for (let i = 0; i < objects.length; i += headsAtOnce) {
      const some = objects.slice(i, i + headsAtOnce)
      all.push(...(await Promise.all(some.map((one) => this.#asked(one)))))
    }
    return all
  }

  /** The object as a HEAD shows it; as it was listed, where that fails: whoever reads it finds out why. */
  async #asked(listed: S3Listed): Promise<S3Listed> {
    if (listed.etag !== '') return listed
    try {
      const { etag, sizeBytes = listed.sizeBytes } = await (await this.#connect()).head(listed.key)
      return { ...listed, etag, sizeBytes }
    } catch (error) {
      const raised = this.#error(error, 'read', listed.key.slice(this.#prefix.length))
      if (raised instanceof TransientError) throw raised
      return listed
    }
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
      if (etag === false) return false
      // Both are to be refused, so that either may come first.
      const refused = await together([
        put('2', { ifAbsent: true }),
        put('3', { ifMatch: '00000000000000000000000000000000' }),
      ])
      if (refused.some((taken) => taken !== false)) return false
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
      endpoint: this.#service,
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

/** Of an object whose HEAD does not say how large it is. */
async function listedSize(connection: S3Connection, key: string): Promise<number> {
  const { objects } = await connection.list({ prefix: key, limit: 1 })
  return objects.find((object) => object.key === key)?.sizeBytes ?? 0
}
