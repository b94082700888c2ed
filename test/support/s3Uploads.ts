import { createHash, randomUUID } from 'node:crypto'

const smallestPartBytes = 5 << 20
const mostParts = 10_000

interface Upload {
  readonly key: string
  readonly headers: Readonly<Record<string, string>>
  readonly begunAt: Date
  readonly parts: Map<number, { readonly bytes: Buffer; readonly etag: string }>
}

/** S3's error code for what it refuses. */
export class UploadRefusal extends Error {}

/** The multipart uploads of a bucket that are neither completed nor aborted. */
export class Uploads {
  readonly #uploads = new Map<string, Upload>()

  /** Keys that something is being uploaded for. */
  get keys(): string[] {
    return [...this.#uploads.values()].map(({ key }) => key)
  }

  /** In the order of keys, then of ids. */
  list(prefix: string): { id: string; key: string; begunAt: Date }[] {
    return [...this.#uploads]
      .map(([id, { key, begunAt }]) => ({ id, key, begunAt }))
      .filter(({ key }) => key.startsWith(prefix))
      .sort((a, b) => (a.key === b.key ? (a.id < b.id ? -1 : 1) : a.key < b.key ? -1 : 1))
  }

  /** `headers` are what the object is to be served with. @returns the upload's id */
  create(key: string, headers: Readonly<Record<string, string>>): string {
    const id = randomUUID()
    this.#uploads.set(id, { key, headers, begunAt: new Date(), parts: new Map() })
    return id
  }

  /** @returns the part's ETag */
  put(key: string, id: string, number: number, bytes: Buffer): string {
    if (!Number.isInteger(number) || number < 1 || number > mostParts) throw new UploadRefusal('InvalidArgument')
    const etag = createHash('md5').update(bytes).digest('hex')
    this.#upload(key, id).parts.set(number, { bytes, etag })
    return etag
  }

  /** The object that the parts named in `xml` make. */
  complete(key: string, id: string, xml: string): { bytes: Buffer; etag: string; headers: Record<string, string> } {
    const upload = this.#upload(key, id)
    const named = [...xml.matchAll(/<Part>(.*?)<\/Part>/gs)].map(([, part = '']) => ({
      number: Number(/<PartNumber>(\d+)</.exec(part)?.[1]),
      etag: /<ETag>(?:"|&quot;)?([0-9a-f]+)/.exec(part)?.[1],
    }))
    if (named.length === 0) throw new UploadRefusal('MalformedXML')
    const parts = named.map(({ number, etag }, i) => {
      if (i > 0 && number <= (named[i - 1]?.number ?? 0)) throw new UploadRefusal('InvalidPartOrder')
      const part = upload.parts.get(number)
      if (part === undefined || part.etag !== etag) throw new UploadRefusal('InvalidPart')
      if (i < named.length - 1 && part.bytes.length < smallestPartBytes) throw new UploadRefusal('EntityTooSmall')
      return part
    })
    this.#uploads.delete(id)
    const digests = Buffer.concat(parts.map(({ etag }) => Buffer.from(etag, 'hex')))
    return {
      bytes: Buffer.concat(parts.map(({ bytes }) => bytes)),
      etag: `${createHash('md5').update(digests).digest('hex')}-${parts.length}`,
      headers: upload.headers,
    }
  }

  abort(key: string, id: string): void {
    this.#upload(key, id)
    this.#uploads.delete(id)
  }

  /** As a bucket's rule for unfinished uploads does. */
  abortAll(): void {
    this.#uploads.clear()
  }

  #upload(key: string, id: string): Upload {
    const upload = this.#uploads.get(id)
    if (upload?.key !== key) throw new UploadRefusal('NoSuchUpload')
    return upload
  }
}
