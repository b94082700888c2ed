import type { Readable } from 'node:stream'
import type { S3ConnectionOptions } from './s3Client.ts'
import { S3Connection } from './s3Connection.ts'
import { failureOf, isNoSuchObject, s3Error } from './s3Errors.ts'
import { temporaryName } from './temporaryName.ts'
import type { Access, ProbeFacts, StoreTrial, TriedAccess } from './trial.ts'

const actions: Readonly<Record<Access, string>> = {
  list: 's3:ListBucket',
  read: 's3:GetObject',
  write: 's3:PutObject',
  delete: 's3:DeleteObject',
  'give up uploads': 's3:AbortMultipartUpload',
  'find uploads': 's3:ListBucketMultipartUploads',
}
/** No object has it. */
const noEtag = '"00000000000000000000000000000000"'

/** A prefix of a bucket, tried by single requests: the store would wait, repeat, and not say which of them was refused. */
export class S3Trial implements StoreTrial {
  readonly uri: string
  readonly hasRightsByKey = true
  readonly probePattern = temporaryName('*')
  left: string | undefined
  readonly #bucket: string
  readonly #prefix: string
  readonly #connection: S3Connection
  readonly #probe: string

  private constructor(uri: string, bucket: string, prefix: string, connection: S3Connection) {
    this.uri = uri
    this.#bucket = bucket
    this.#prefix = prefix
    this.#connection = connection
    this.#probe = `${prefix}${temporaryName()}`
  }

  /** @param uri as a store gives it */
  static async open(uri: string, options: S3ConnectionOptions): Promise<S3Trial> {
    const [bucket = '', ...parts] = uri.slice('s3://'.length).split('/')
    return new S3Trial(uri, bucket, parts.join('/'), await S3Connection.open(bucket, options))
  }

  right(access: Access, pattern: string): string {
    const action = actions[access]
    // IAM knows no prefix for it.
    if (access === 'find uploads') return `${action} on ${this.#bucket}`
    return access === 'list'
      ? `${action} on ${this.#bucket}, prefix ${this.#prefix}${pattern}`
      : `${action} on ${this.#bucket}/${this.#prefix}${pattern}`
  }

  list(): Promise<string | undefined> {
    return this.#asked('list', '', async () => {
      const { objects } = await this.#connection.list({ prefix: this.#prefix, limit: 10 })
      const found = objects.find(({ key, sizeBytes }) => sizeBytes > 0 && !key.endsWith('/'))
      return found?.key.slice(this.#prefix.length)
    })
  }

  read(key: string): Promise<void> {
    return this.#asked('read', key, () => this.#read(this.#prefix + key))
  }

  writeProbe(): Promise<ProbeFacts> {
    return this.#asked('write', this.#name(this.#probe), async () => {
      const probe = `s3://${this.#bucket}/${this.#probe}`
      this.left = probe
      const put = (Body: string, condition: object) =>
        this.#connection.put({ Key: this.#probe, Body: Buffer.from(Body), ...condition })
      let isConditional: boolean
      try {
        await put('1', { IfNoneMatch: '*' }).catch((error: unknown) => {
          // Refused, and not merely without an answer.
          if ((failureOf(error).status ?? 500) < 500) this.left = undefined
          throw error
        })
        // The second is to be refused.
        isConditional = await put('2', { IfNoneMatch: '*' }).then(() => false, isUnmet)
      } catch (error) {
        if (!isUnknown(error)) throw error
        isConditional = false
        this.left = probe
      }
      await put('3', {})
      return { isConditional }
    })
  }

  readProbe(): Promise<void> {
    return this.#asked('read', this.#name(this.#probe), () => this.#read(this.#probe))
  }

  async deleteProbe(): Promise<void> {
    await this.#asked('delete', this.#name(this.#probe), () => this.#connection.delete(this.#probe))
    this.left = undefined
  }

  mayDo(access: TriedAccess, key: string): Promise<void> {
    const whole = this.#prefix + key
    return this.#asked(access, key, async () => {
      try {
        switch (access) {
          case 'write':
            // Refused for its condition, if it is not refused for want of the right. The caller has seen that conditions
            // are honoured; a service that forgets it for once would leave the object.
            await this.#connection.put({ Key: whole, Body: Buffer.from('probe'), IfMatch: noEtag })
            this.left = `s3://${this.#bucket}/${whole}`
            await this.#connection.delete(whole)
            this.left = undefined
            return
          case 'delete':
            return await this.#connection.delete(whole)
          case 'give up uploads':
            return await this.#connection.abortUpload(whole, 'no-such-upload')
          case 'find uploads':
            await this.#connection.openUploads(whole).next()
            return
        }
      } catch (error) {
        const failure = failureOf(error)
        const isNothing = isNoSuchObject(failure) || ['NoSuchUpload', 'InvalidArgument'].includes(failure.name)
        // A service that does not list uploads has no right to it either.
        const isNoRight = access === 'find uploads' && [400, 405, 501].includes(failure.status ?? 0)
        if (!isNothing && !isNoRight) isUnmet(error)
      }
    })
  }

  close(): void {
    this.#connection.close()
  }

  /** Of one byte: whether a key of KMS lets it be decrypted is told by no header. */
  async #read(key: string): Promise<void> {
    const { body } = await this.#connection.get(key, { range: { start: 0, end: 1 } })
    await drained(body)
  }

  async #asked<T>(access: Access, key: string, ask: () => Promise<T>): Promise<T> {
    try {
      return await ask()
    } catch (error) {
      const doing = `${access} ${this.uri}${key}`
      throw s3Error(error, { doing, endpoint: this.#connection.endpoint, checking: true, worked: false })
    }
  }

  #name(key: string): string {
    return key.slice(this.#prefix.length)
  }
}

function isUnmet(error: unknown): true {
  const { status, name } = failureOf(error)
  if (status === 412 || name === 'PreconditionFailed') return true
  throw error
}

/** A service that knows no conditions, and says so. */
function isUnknown(error: unknown): boolean {
  const { status } = failureOf(error)
  return status === 501 || status === 400
}

async function drained(body: Readable): Promise<void> {
  for await (const _chunk of body) {
    // Nothing is done with it.
  }
}
