import { resolve } from 'node:path'
import { InputError } from '../base/errors.ts'
import { withoutPassword, type Logger } from '../base/telemetry.ts'
import { FilesystemStore } from './filesystem.ts'
import { pathOfFileUri } from './fileUri.ts'
import { S3Store } from './s3.ts'
import type { S3ConnectionOptions } from './s3Client.ts'
import { serviceUrl } from './serviceUrl.ts'
import type { Store } from './store.ts'

/** Everything but the logger means nothing to folders. */
export interface OpenStoreOptions extends S3ConnectionOptions {
  readonly logger?: Logger | undefined
}

/**
 * The store that a URI names: `s3://bucket/prefix`, `file:///folder`, or a path. A prefix means the folder of that name,
 * with or without a slash at its end; in an `s3://` URI it stands as it is, nothing is percent-encoded. Opens no
 * connection: `check` says whether anything is there.
 *
 * Raises InputError `bad-uri`, and `bad-option` for an endpoint that is no URL.
 */
export function openStore(uri: string, options: OpenStoreOptions = {}): Store {
  if (uri.trim() === '') throw badUri(uri, 'it is empty')
  if (uri.includes('\0')) throw badUri(uri, 'it holds a NUL character')
  // `s3:/bucket` is no path that anybody means: taken for one it would be looked for here, or made.
  const scheme = (/^([a-z][a-z0-9+.-]*):\/\//i.exec(uri) ?? /^(s3|file|https?):/i.exec(uri))?.[1]?.toLowerCase()
  switch (scheme) {
    case undefined:
      return new FilesystemStore(resolve(uri), options)
    case 'file':
      return new FilesystemStore(pathOfFileUri(uri), options)
    case 's3':
      return openS3(uri, options)
    case 'http':
    case 'https':
      throw badUri(uri, 'name a bucket as s3://bucket/prefix and the service with --s3-endpoint')
    default:
      throw badUri(uri, `${scheme}:// is no store that headlight knows; give an s3:// or file:// URI or a path`)
  }
}

function openS3(uri: string, options: OpenStoreOptions): Store {
  if (!/^s3:\/\//i.test(uri)) throw badUri(uri, 'two slashes follow the colon; write s3://bucket/prefix')
  const [bucket = '', ...parts] = uri.slice('s3://'.length).split('/')
  if (bucket === '') throw badUri(uri, 'it names no bucket; write s3://bucket/prefix')
  // Amazon's rule, and what other services add to it: capitals, underscores, a tenant before a colon.
  if (!/^[a-z0-9][a-z0-9._:-]*$/i.test(bucket)) throw badUri(uri, 'its bucket has a character that no bucket may have')
  const prefix = parts.join('/')
  const endpoint = options.endpoint === undefined ? undefined : serviceUrl(options.endpoint)
  return new S3Store(bucket, prefix === '' || prefix.endsWith('/') ? prefix : `${prefix}/`, { ...options, endpoint })
}

function badUri(uri: string, why: string): InputError {
  return new InputError('bad-uri', `cannot open "${withoutPassword(uri)}": ${why}`)
}
