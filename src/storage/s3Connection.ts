import type { Readable } from 'node:stream'
import {
  AbortMultipartUploadCommand,
  CompleteMultipartUploadCommand,
  CreateMultipartUploadCommand,
  DeleteObjectCommand,
  GetObjectCommand,
  HeadObjectCommand,
  ListMultipartUploadsCommand,
  ListObjectsV2Command,
  PutObjectCommand,
  UploadPartCommand,
  type ListMultipartUploadsCommandOutput,
  type PutObjectCommandInput,
  type S3Client,
} from '@aws-sdk/client-s3'
import { InputError } from '../base/errors.ts'
import { createS3Client, type S3ConnectionOptions } from './s3Client.ts'
import { listedKey, type ListedKey } from './s3Keys.ts'
import type { GetOptions } from './store.ts'

/** The SDK sends a request up to five times, each as patient as the last; a caller must hear sooner that nobody answers. */
const answerTimeoutMs = 45_000
/** Metadata of objects made by a multipart upload: which one. */
const uploadMarkName = 'headlight-upload'

/** What S3 says of an object in the headers of an answer. */
export interface S3Headers {
  /** Empty where the service names none. */
  readonly etag: string
  /** Undefined where the service does not say it, as with a body that comes in chunks. */
  readonly sizeBytes: number | undefined
}

/** An answer whose body is still to come. */
export interface S3Body extends S3Headers {
  readonly body: Readable
  readonly bodyBytes: number | undefined
  /** Of the object: where the body begins. 0 where a service has answered a range with all that there is. */
  readonly bodyStart: number
}

export interface S3ListRequest {
  readonly prefix: string
  readonly delimiter?: string | undefined
  readonly startAfter?: string | undefined
  readonly token?: string | undefined
  readonly limit?: number
}

export interface S3Upload {
  readonly key: string
  readonly id: string
  /** By the service's clock. */
  readonly begunAt: Date | undefined
}

/** `etag` is empty where the listing lacks it, or the size. */
export type S3Listed = { readonly etag: string; readonly sizeBytes: number } & Pick<ListedKey, 'key'> &
  Partial<ListedKey>

export interface S3Page {
  readonly objects: readonly S3Listed[]
  /** Keys up to and with the delimiter. */
  readonly folders: readonly string[]
  /** The name of some folder cannot be told: it is not among `folders`. */
  readonly lacksFolders?: boolean
  /** `undefined` on the last page. */
  readonly nextToken: string | undefined
}

/**
 * The requests that headlight makes, through the SDK's client. This file and `s3Client.ts` alone load the SDK, which costs a
 * process 20 MB and a quarter of a second: load it when a bucket is first used. Raises the SDK's errors.
 */
export class S3Connection {
  readonly #client: S3Client
  readonly #bucket: string
  readonly #answerTimeoutMs: number
  /** URL of the service, for messages; undefined for Amazon's own. */
  readonly endpoint: string | undefined

  private constructor(bucket: string, client: S3Client, endpoint: string | undefined, withinMs: number) {
    this.#bucket = bucket
    this.#client = client
    this.#answerTimeoutMs = withinMs
    this.endpoint = endpoint
  }

  static async open(bucket: string, options: S3ConnectionOptions): Promise<S3Connection> {
    const { client, endpoint } = await createS3Client(options)
    return new S3Connection(bucket, client, endpoint, options.answerTimeoutMs ?? answerTimeoutMs)
  }

  async list(request: S3ListRequest): Promise<S3Page> {
    const page = await this.#answered(undefined, (abortSignal) =>
      this.#client.send(
        new ListObjectsV2Command({
          Bucket: this.#bucket,
          Prefix: request.prefix,
          Delimiter: request.delimiter,
          StartAfter: request.startAfter,
          ContinuationToken: request.token,
          MaxKeys: request.limit,
          // XML cannot carry control characters.
          EncodingType: 'url',
        }),
        { abortSignal },
      ),
    )
    if (page.IsTruncated === true && page.NextContinuationToken === undefined) {
      throw new InputError('unreachable', 'cannot list: the S3 service says that there is more, but not how to go on')
    }
    const folders = (page.CommonPrefixes ?? []).map(({ Prefix }) => listedKey(Prefix ?? '', page.EncodingType))
    return {
      objects: (page.Contents ?? []).map(({ Key, ETag, Size }) => ({
        ...listedKey(Key ?? '', page.EncodingType),
        etag: Size === undefined ? '' : bareEtag(ETag),
        sizeBytes: Size ?? 0,
      })),
      folders: folders.filter(({ isGarbled }) => !isGarbled).map(({ key }) => key),
      lacksFolders: folders.some(({ isGarbled }) => isGarbled),
      // Pages may hold fewer keys than asked for, and none at all: only this tells the end.
      nextToken: page.IsTruncated === true ? page.NextContinuationToken : undefined,
    }
  }

  /** `uploadMark` is what `createUpload` was given. */
  async head(key: string): Promise<S3Headers & { readonly uploadMark: string | undefined }> {
    const command = new HeadObjectCommand({ Bucket: this.#bucket, Key: key })
    const answer = await this.#answered(undefined, (abortSignal) => this.#client.send(command, { abortSignal }))
    return { ...headersOf(answer), uploadMark: answer.Metadata?.[uploadMarkName] }
  }

  async get(key: string, { signal, range }: GetOptions): Promise<S3Body> {
    const command = new GetObjectCommand({
      Bucket: this.#bucket,
      Key: key,
      Range: range === undefined ? undefined : `bytes=${range.start}-${range.end - 1}`,
    })
    const answer = await this.#answered(signal, (abortSignal) => this.#client.send(command, { abortSignal }))
    // `bytes 0-9/100`
    const [, start, last, whole] = /^bytes (\d+)-(\d+)\/(\d+)$/.exec(answer.ContentRange ?? '') ?? []
    const bodyBytes = answer.ContentLength ?? (last === undefined ? undefined : Number(last) - Number(start) + 1)
    return {
      etag: bareEtag(answer.ETag),
      sizeBytes: whole === undefined ? bodyBytes : Number(whole),
      bodyBytes,
      bodyStart: Number(start ?? 0),
      // In Node the body always is one; the SDK's type allows for browsers.
      body: answer.Body as Readable,
    }
  }

  /** A request that is broken off when its answer is overdue, or when the caller's own signal says so. */
  async #answered<T>(signal: AbortSignal | undefined, send: (abortSignal: AbortSignal) => Promise<T>): Promise<T> {
    const timeout = new AnswerTimeout(this.#answerTimeoutMs, signal)
    try {
      return await send(timeout.signal)
    } catch (error) {
      throw timeout.explained(error)
    } finally {
      timeout.end()
    }
  }

  /** @returns the new ETag */
  async put(input: Omit<PutObjectCommandInput, 'Bucket'>): Promise<string> {
    return headersOf(await this.#client.send(new PutObjectCommand({ ...input, Bucket: this.#bucket }))).etag
  }

  async delete(key: string): Promise<void> {
    await this.#client.send(new DeleteObjectCommand({ Bucket: this.#bucket, Key: key }))
  }

  /** @returns the upload's id */
  async createUpload(key: string, contentType: string | undefined, mark: string): Promise<string> {
    const command = new CreateMultipartUploadCommand({
      Bucket: this.#bucket,
      Key: key,
      ContentType: contentType,
      Metadata: { [uploadMarkName]: mark },
    })
    const { UploadId } = await this.#client.send(command)
    if (UploadId !== undefined) return UploadId
    throw new InputError('unreachable', 'cannot write: the S3 service begins a multipart upload without naming it')
  }

  /** Parts count from 1. @returns the part's ETag */
  async putPart(key: string, uploadId: string, part: number, bytes: Uint8Array): Promise<string> {
    const named = { Bucket: this.#bucket, Key: key, UploadId: uploadId, PartNumber: part }
    return headersOf(await this.#client.send(new UploadPartCommand({ ...named, Body: bytes }))).etag
  }

  /** @returns the object's ETag */
  async completeUpload(key: string, uploadId: string, etags: readonly string[]): Promise<string> {
    const command = new CompleteMultipartUploadCommand({
      Bucket: this.#bucket,
      Key: key,
      UploadId: uploadId,
      MultipartUpload: { Parts: etags.map((etag, i) => ({ PartNumber: i + 1, ETag: `"${etag}"` })) },
    })
    return headersOf(await this.#client.send(command)).etag
  }

  async abortUpload(key: string, uploadId: string): Promise<void> {
    await this.#client.send(new AbortMultipartUploadCommand({ Bucket: this.#bucket, Key: key, UploadId: uploadId }))
  }

  /** Multipart uploads that are neither completed nor aborted, page by page. */
  async *openUploads(prefix: string): AsyncGenerator<S3Upload> {
    for (let from: { KeyMarker?: string; UploadIdMarker?: string } | undefined = {}; from !== undefined;) {
      const asked = { Bucket: this.#bucket, Prefix: prefix, EncodingType: 'url', ...from } as const
      const command = new ListMultipartUploadsCommand(asked)
      const page: ListMultipartUploadsCommandOutput = await this.#answered(undefined, (abortSignal) =>
        this.#client.send(command, { abortSignal }),
      )
      for (const { Key, UploadId, Initiated } of page.Uploads ?? []) {
        const { key, isGarbled } = listedKey(Key ?? '', page.EncodingType)
        if (UploadId !== undefined && !isGarbled) yield { key, id: UploadId, begunAt: Initiated }
      }
      const { NextKeyMarker, NextUploadIdMarker } = page
      from =
        page.IsTruncated === true && NextKeyMarker !== undefined && NextKeyMarker !== ''
          ? {
              KeyMarker: listedKey(NextKeyMarker, page.EncodingType).key,
              ...(NextUploadIdMarker !== undefined && { UploadIdMarker: NextUploadIdMarker }),
            }
          : undefined
    }
  }

  close(): void {
    this.#client.destroy()
  }
}

/** Aborts a request when its answer is overdue, or when the caller's own signal says so. */
class AnswerTimeout {
  readonly #abort = new AbortController()
  readonly #timer: NodeJS.Timeout
  readonly #caller: AbortSignal | undefined
  readonly #giveUp = () => this.#abort.abort()
  #isOver = false

  constructor(withinMs: number, caller: AbortSignal | undefined) {
    this.#caller = caller
    this.#timer = setTimeout(() => {
      this.#isOver = true
      this.#abort.abort()
    }, withinMs)
    if (caller?.aborted === true) this.#abort.abort()
    caller?.addEventListener('abort', this.#giveUp, { once: true })
  }

  get signal(): AbortSignal {
    return this.#abort.signal
  }

  /** What the SDK raised, or that nobody answered: the SDK calls that an abort, as if the caller had wanted it. */
  explained(error: unknown): unknown {
    if (!this.#isOver) return error
    const overdue = new Error('no answer came in time', { cause: error })
    overdue.name = 'TimeoutError'
    return overdue
  }

  end(): void {
    clearTimeout(this.#timer)
    this.#caller?.removeEventListener('abort', this.#giveUp)
  }
}

function headersOf(answer: { ETag?: string | undefined; ContentLength?: number | undefined }): S3Headers {
  return { etag: bareEtag(answer.ETag), sizeBytes: answer.ContentLength }
}

/** `"abc"` → `abc` */
function bareEtag(etag: string | undefined): string {
  return (etag ?? '').replace(/^(?:W\/)?"(.*)"$/, '$1')
}
