import { createHash } from 'node:crypto'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { setTimeout as delay } from 'node:timers/promises'
import { crc32 } from 'node:zlib'
import { encode, refuseSignature, type S3Credentials } from './s3Signature.ts'
import { UploadRefusal, Uploads } from './s3Uploads.ts'

export interface S3ServerOptions extends S3Credentials {
  /** Buckets that exist from the start. Default: one named `bucket`. */
  readonly buckets?: readonly string[]
  /** Most keys and folders that one page of a listing holds. Default: 1000, as with Amazon. */
  readonly pageSize?: number
  /** Default: any free one. */
  readonly port?: number
  /** Whether a multipart upload that is completed is answered without the object's ETag, as by Ceph. Default: no. */
  readonly isEtagOmitted?: boolean
  /**
   * What If-Match and If-None-Match of a PUT do: `ignored` as with some services, `refused` with 501, `bare` as with
   * Ceph, whose If-Match takes an ETag without quotes only. Default: obeyed.
   */
  readonly conditions?: 'obeyed' | 'ignored' | 'refused' | 'bare'
}

/** What the server knows of a request when it asks a fault's predicate. */
export interface S3Request {
  readonly method: string
  readonly bucket: string
  /** Empty for requests to the bucket itself, such as listings. */
  readonly key: string
  readonly query: URLSearchParams
  readonly headers: IncomingMessage['headers']
}

type FaultKind =
  | 'slow-down'
  | 'unavailable'
  | 'internal-error'
  | 'expired-token'
  | 'deny'
  | 'quota'
  | 'archived'
  | 'key-disabled'
  | 'redirect'
  | 'reset'
  | 'lose-answer'
  | 'error-in-200'
  | 'truncate'
  | 'stall'

export interface Fault {
  readonly when: (request: S3Request) => boolean
  /**
   * `reset` cuts the connection before anything is done, `lose-answer` after it was done; `error-in-200` says 200 and
   * then that nothing was done, as S3 does when a multipart upload takes long to complete; `truncate` sends half the body
   * and then cuts, `stall` sends half of it and then nothing more; a number waits so many milliseconds and goes on. A
   * function makes another service's answer of the one that there would be.
   */
  readonly what: FaultKind | number | ((answer: Answer) => Answer)
  /** How often it strikes before it is over. Default: for ever. */
  times?: number
}

export interface StoredObject {
  readonly bytes: Buffer
  readonly etag: string
  readonly contentType: string
  /** `x-amz-meta-…` and their values. */
  readonly metadata?: Readonly<Record<string, string>>
}

class Bucket {
  readonly uploads = new Uploads()
  readonly objects = new Map<string, StoredObject>()
  #sorted: string[] | undefined

  set(key: string, object: StoredObject): void {
    if (!this.objects.has(key)) this.#sorted = undefined
    this.objects.set(key, object)
  }

  delete(key: string): void {
    if (this.objects.delete(key)) this.#sorted = undefined
  }

  keys(): readonly string[] {
    this.#sorted ??= [...this.objects.keys()].sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)))
    return this.#sorted
  }
}

/** S3's answer other than success. */
class S3Refusal extends Error {
  readonly status: number
  readonly code: string

  constructor(status: number, code: string) {
    super(code)
    this.status = status
    this.code = code
  }
}

const refusals: Readonly<Record<string, [status: number, code: string]>> = {
  'slow-down': [503, 'SlowDown'],
  unavailable: [503, 'ServiceUnavailable'],
  'internal-error': [500, 'InternalError'],
  'expired-token': [400, 'ExpiredToken'],
  deny: [403, 'AccessDenied'],
  quota: [403, 'QuotaExceeded'],
  archived: [403, 'InvalidObjectState'],
  'key-disabled': [400, 'KMS.DisabledException'],
  redirect: [301, 'PermanentRedirect'],
}

export interface Answer {
  readonly status: number
  /** With `transfer-encoding` nothing says how long the body is. */
  readonly headers?: Record<string, string>
  readonly body?: string | Buffer
}

/**
 * A small strict S3 in memory, path style: it refuses what Amazon or Ceph would refuse (wrong signatures and checksums,
 * chunked uploads) and what headlight has no business to ask.
 */
export class S3Server {
  /** Strike in order; change them at any time. */
  readonly faults: Fault[] = []
  readonly buckets = new Map<string, Bucket>()
  /** How many requests of each kind came in, `GET`, `PUT`, `LIST`, … */
  readonly counts: Record<string, number> = {}
  readonly endpoint: string
  readonly #options: S3ServerOptions
  readonly #server: Server

  private constructor(server: Server, options: S3ServerOptions) {
    this.#server = server
    this.#options = options
    this.endpoint = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
    for (const bucket of options.buckets ?? ['bucket']) this.buckets.set(bucket, new Bucket())
    server.on('request', (request, response) => {
      void this.#serve(request, response)
    })
  }

  static async start(options: S3ServerOptions): Promise<S3Server> {
    const server = createServer()
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject).listen(options.port ?? 0, '127.0.0.1', resolve)
    })
    return new S3Server(server, options)
  }

  /** Objects of a bucket, by key; to look at, or to take some away behind the client's back. */
  objects(bucket = 'bucket'): Map<string, StoredObject> {
    return this.#bucket(bucket).objects
  }

  /** Keys that a multipart upload was begun for and neither completed nor aborted. */
  unfinished(bucket = 'bucket'): string[] {
    return this.#bucket(bucket).uploads.keys
  }

  /** Drops all multipart uploads, as a bucket's rule for unfinished ones does. */
  abortUnfinished(bucket = 'bucket'): void {
    this.#bucket(bucket).uploads.abortAll()
  }

  /** Puts an object without a request. */
  put(key: string, bytes: Buffer | string, bucket = 'bucket'): void {
    this.#bucket(bucket).set(key, stored(Buffer.from(bytes), 'application/octet-stream'))
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections()
    await new Promise((resolve) => this.#server.close(resolve))
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks: Buffer[] = []
    try {
      for await (const chunk of request) chunks.push(chunk as Buffer)
    } catch {
      return
    }
    const body = Buffer.concat(chunks)
    const url = new URL(request.url ?? '/', 'http://host')
    const [, bucket = '', ...rest] = url.pathname.split('/')
    const asked: S3Request = {
      method: request.method ?? '',
      bucket,
      key: decodeURIComponent(rest.join('/')),
      query: url.searchParams,
      headers: request.headers,
    }
    const fault = this.#strike(asked)
    if (typeof fault === 'number') await delay(fault)
    if (fault === 'reset') return void request.socket.destroy()
    let answer: Answer
    try {
      const refusal = typeof fault === 'string' ? refusals[fault] : undefined
      if (refusal !== undefined) throw new S3Refusal(...refusal)
      if (fault === 'error-in-200') throw new S3Refusal(200, 'InternalError')
      answer = this.#answer(request, asked, body)
      if (typeof fault === 'function') answer = fault(answer)
    } catch (error) {
      if (!(error instanceof S3Refusal)) throw error
      answer = { status: error.status, body: errorXml(error.code), headers: { 'content-type': 'application/xml' } }
    }
    if (fault === 'lose-answer') return void request.socket.destroy()
    const bytes = Buffer.from(answer.body ?? '')
    const length = answer.headers?.['transfer-encoding'] === undefined ? { 'content-length': String(bytes.length) } : {}
    response.writeHead(answer.status, { ...length, ...answer.headers })
    if (fault === 'stall') {
      response.write(bytes.subarray(0, bytes.length / 2))
    } else if (fault === 'truncate') {
      response.write(bytes.subarray(0, bytes.length / 2), () => request.socket.destroy())
    } else {
      response.end(request.method === 'HEAD' ? undefined : bytes)
    }
  }

  #strike(asked: S3Request): Fault['what'] | undefined {
    const fault = this.faults.find(({ when, times }) => times !== 0 && when(asked))
    if (fault?.times !== undefined) fault.times--
    return fault?.what
  }

  #answer(request: IncomingMessage, asked: S3Request, body: Buffer): Answer {
    const refused = refuseSignature(request, body, this.#options)
    if (refused !== undefined) throw new S3Refusal(refused === 'XAmzContentSHA256Mismatch' ? 400 : 403, refused)
    if (/aws-chunked/.test(asked.headers['content-encoding'] ?? '')) throw new S3Refusal(501, 'NotImplemented')
    verifyChecksums(asked.headers, body)
    const { method, key, query } = asked
    const kind = key === '' && method === 'GET' ? (query.has('uploads') ? 'LIST UPLOADS' : 'LIST') : method
    this.counts[kind] = (this.counts[kind] ?? 0) + 1
    if (key === '') {
      if (method === 'PUT') {
        this.buckets.set(asked.bucket, new Bucket())
        return { status: 200 }
      }
      const bucket = this.#bucket(asked.bucket)
      if (method === 'HEAD') return { status: 200 }
      if (method === 'GET' && query.get('list-type') === '2') {
        return {
          status: 200,
          headers: { 'content-type': 'application/xml' },
          body: listXml(bucket, query, this.#options.pageSize ?? 1_000),
        }
      }
      if (method === 'GET' && query.has('uploads')) {
        const body = uploadsXml(bucket.uploads, query, this.#options.pageSize ?? 1_000)
        return { status: 200, headers: { 'content-type': 'application/xml' }, body }
      }
      throw new S3Refusal(501, 'NotImplemented')
    }
    const bucket = this.#bucket(asked.bucket)
    const object = bucket.objects.get(key)
    switch (method) {
      case 'GET':
      case 'HEAD':
        if (object === undefined) throw new S3Refusal(404, 'NoSuchKey')
        return objectAnswer(object, asked.headers.range)
      case 'POST':
        return uploadAnswer(bucket, asked, body, this.#options)
      case 'PUT': {
        if (Buffer.byteLength(key) > 1_024) throw new S3Refusal(400, 'KeyTooLongError')
        if (query.has('uploadId')) return uploadAnswer(bucket, asked, body, this.#options)
        this.#verifyConditions(asked, object)
        const added = stored(body, asked.headers['content-type'] ?? 'binary/octet-stream')
        bucket.set(key, added)
        return { status: 200, headers: { etag: `"${added.etag}"` } }
      }
      case 'DELETE':
        if (query.has('uploadId')) return uploadAnswer(bucket, asked, body, this.#options)
        bucket.delete(key)
        return { status: 204 }
      default:
        throw new S3Refusal(501, 'NotImplemented')
    }
  }

  #verifyConditions(asked: S3Request, object: StoredObject | undefined): void {
    const { 'if-none-match': ifNoneMatch, 'if-match': ifMatch } = asked.headers
    if ((ifNoneMatch ?? ifMatch) === undefined || this.#options.conditions === 'ignored') return
    if (this.#options.conditions === 'refused') throw new S3Refusal(501, 'NotImplemented')
    if (ifNoneMatch !== undefined && ifNoneMatch !== '*') throw new S3Refusal(501, 'NotImplemented')
    if (ifNoneMatch === '*' && object !== undefined) throw new S3Refusal(412, 'PreconditionFailed')
    if (ifMatch !== undefined && object === undefined) throw new S3Refusal(404, 'NoSuchKey')
    const etag = this.#options.conditions === 'bare' ? object?.etag : `"${object?.etag}"`
    if (ifMatch !== undefined && ifMatch !== etag) throw new S3Refusal(412, 'PreconditionFailed')
  }

  #bucket(name: string): Bucket {
    const bucket = this.buckets.get(name)
    if (bucket === undefined) throw new S3Refusal(404, 'NoSuchBucket')
    return bucket
  }
}

export function startS3Server(options: S3ServerOptions): Promise<S3Server> {
  return S3Server.start(options)
}

function stored(bytes: Buffer, contentType: string): StoredObject {
  return { bytes, etag: createHash('md5').update(bytes).digest('hex'), contentType }
}

/** The object, or the part of it that `Range: bytes=0-9` asks for. */
function objectAnswer(object: StoredObject, range: string | undefined): Answer {
  const headers = { etag: `"${object.etag}"`, 'content-type': object.contentType, ...object.metadata }
  const size = object.bytes.length
  if (range === undefined) {
    return { status: 200, headers: { ...headers, 'content-length': String(size) }, body: object.bytes }
  }
  const [, first, last] = /^bytes=(\d+)-(\d+)$/.exec(range) ?? []
  if (first === undefined || last === undefined) throw new S3Refusal(501, 'NotImplemented')
  if (Number(first) >= size || Number(last) < Number(first)) throw new S3Refusal(416, 'InvalidRange')
  const body = object.bytes.subarray(Number(first), Number(last) + 1)
  const given = `bytes ${first}-${Number(first) + body.length - 1}/${size}`
  return { status: 206, headers: { ...headers, 'content-length': String(body.length), 'content-range': given }, body }
}

/** Creates, fills, completes or aborts a multipart upload. */
function uploadAnswer(
  bucket: Bucket,
  { method, key, query, headers }: S3Request,
  body: Buffer,
  options: S3ServerOptions,
): Answer {
  const id = query.get('uploadId') ?? ''
  const xml = { 'content-type': 'application/xml' }
  try {
    if (method === 'PUT') {
      const etag = bucket.uploads.put(key, id, Number(query.get('partNumber')), body)
      return { status: 200, headers: { etag: `"${etag}"` } }
    }
    if (method === 'DELETE') {
      bucket.uploads.abort(key, id)
      return { status: 204 }
    }
    if (query.has('uploads')) {
      const meta = Object.entries(headers).filter(([name]) => name.startsWith('x-amz-meta-'))
      const served = { 'content-type': headers['content-type'] ?? 'binary/octet-stream' }
      const given = bucket.uploads.create(key, {
        ...served,
        ...Object.fromEntries(meta.map(([n, v]) => [n, String(v)])),
      })
      const answer = `<InitiateMultipartUploadResult><UploadId>${given}</UploadId></InitiateMultipartUploadResult>`
      return { status: 200, headers: xml, body: answer }
    }
    const { bytes, etag, headers: served } = bucket.uploads.complete(key, id, body.toString())
    const { 'content-type': contentType = '', ...metadata } = served
    bucket.set(key, { bytes, etag, contentType, metadata })
    const named = options.isEtagOmitted === true ? '' : `<ETag>&quot;${etag}&quot;</ETag>`
    const answer = `<CompleteMultipartUploadResult>${named}</CompleteMultipartUploadResult>`
    return { status: 200, headers: xml, body: answer }
  } catch (error) {
    if (!(error instanceof UploadRefusal)) throw error
    throw new S3Refusal(error.message === 'NoSuchUpload' ? 404 : 400, error.message)
  }
}

function verifyChecksums(headers: S3Request['headers'], body: Buffer): void {
  const digest = (algorithm: string): string => createHash(algorithm).update(body).digest('base64')
  const expected: Record<string, () => string> = {
    'content-md5': () => digest('md5'),
    'x-amz-checksum-sha1': () => digest('sha1'),
    'x-amz-checksum-sha256': () => digest('sha256'),
    'x-amz-checksum-crc32': () => {
      const sum = Buffer.alloc(4)
      sum.writeUInt32BE(crc32(body))
      return sum.toString('base64')
    },
  }
  for (const [name, value] of Object.entries(headers)) {
    if (name !== 'content-md5' && !/^x-amz-checksum-(?!algorithm|mode)/.test(name)) continue
    const compute = expected[name]
    if (compute === undefined) throw new S3Refusal(501, 'NotImplemented')
    if (compute() !== value) throw new S3Refusal(400, 'BadDigest')
  }
}

/** ListObjectsV2. A token is the last key or folder of the page before. */
function listXml(bucket: Bucket, query: URLSearchParams, pageSize: number): string {
  const prefix = query.get('prefix') ?? ''
  const delimiter = query.get('delimiter') ?? ''
  const token = query.get('continuation-token')
  const after = token === null ? (query.get('start-after') ?? '') : Buffer.from(token, 'base64url').toString()
  const limit = Math.min(pageSize, Number(query.get('max-keys') ?? 1_000))
  const isUrl = query.get('encoding-type') === 'url'
  const written = (text: string): string => {
    // Amazon writes a space as `+`, everything else as the signature does, but leaves slashes.
    if (isUrl) return text.split('/').map(encode).join('/').replaceAll('%20', '+')
    // XML 1.0 has no way to write these.
    if (Array.from(text).some((character) => character < ' ')) throw new S3Refusal(400, 'InvalidArgument')
    return escapeXml(text)
  }

  const entries: string[] = []
  let last = ''
  let isTruncated = false
  for (const key of bucket.keys()) {
    if (!key.startsWith(prefix)) continue
    const end = delimiter === '' ? -1 : key.indexOf(delimiter, prefix.length)
    const name = end < 0 ? key : key.slice(0, end + delimiter.length)
    if (name === last || Buffer.compare(Buffer.from(name), Buffer.from(after)) <= 0) continue
    if (entries.length === limit) {
      isTruncated = true
      break
    }
    last = name
    const object = bucket.objects.get(key)
    entries.push(
      end < 0
        ? `<Contents><Key>${written(key)}</Key><LastModified>2026-01-01T00:00:00.000Z</LastModified><ETag>&quot;${object?.etag}&quot;</ETag><Size>${object?.bytes.length}</Size><StorageClass>STANDARD</StorageClass></Contents>`
        : `<CommonPrefixes><Prefix>${written(name)}</Prefix></CommonPrefixes>`,
    )
  }
  return [
    '<?xml version="1.0" encoding="UTF-8"?>\n<ListBucketResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/">',
    `<Prefix>${written(prefix)}</Prefix><KeyCount>${entries.length}</KeyCount><MaxKeys>${limit}</MaxKeys>`,
    isUrl ? '<EncodingType>url</EncodingType>' : '',
    `<IsTruncated>${isTruncated}</IsTruncated>`,
    isTruncated ? `<NextContinuationToken>${Buffer.from(last).toString('base64url')}</NextContinuationToken>` : '',
    ...entries,
    '</ListBucketResult>',
  ].join('')
}

/** ListMultipartUploads. */
function uploadsXml(uploads: Uploads, query: URLSearchParams, pageSize: number): string {
  const [keyMarker, idMarker] = [query.get('key-marker') ?? '', query.get('upload-id-marker') ?? '']
  const all = uploads.list(query.get('prefix') ?? '')
  const rest = all.filter(({ key, id }) => key > keyMarker || (key === keyMarker && id > idMarker && idMarker !== ''))
  const page = rest.slice(0, pageSize)
  const last = page.at(-1)
  const written = (key: string): string => key.split('/').map(encode).join('/').replaceAll('%20', '+')
  const entries = page.map(
    ({ key, id, begunAt }) =>
      `<Upload><Key>${written(key)}</Key><UploadId>${id}</UploadId><Initiated>${begunAt.toISOString()}</Initiated></Upload>`,
  )
  const next =
    last === undefined || page.length === rest.length
      ? '<IsTruncated>false</IsTruncated>'
      : `<IsTruncated>true</IsTruncated><NextKeyMarker>${written(last.key)}</NextKeyMarker><NextUploadIdMarker>${last.id}</NextUploadIdMarker>`
  return `<?xml version="1.0" encoding="UTF-8"?>\n<ListMultipartUploadsResult><EncodingType>url</EncodingType>${next}${entries.join('')}</ListMultipartUploadsResult>`
}

function escapeXml(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;')
}

function errorXml(code: string): string {
  return `<?xml version="1.0" encoding="UTF-8"?>\n<Error><Code>${code}</Code><Message>${code}, says the test server</Message></Error>`
}
