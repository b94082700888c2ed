import { resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { InputError } from '../errors.ts'
import { type Logger, withoutPassword } from '../telemetry.ts'
import { FilesystemStore } from './filesystem.ts'
import type { Store } from './store.ts'

export interface OpenStoreOptions {
  /** URL of an S3 service other than Amazon's. Means nothing to folders. */
  readonly endpoint?: string | undefined
  readonly logger?: Logger | undefined
}

/**
 * The store that a URI names: `s3://bucket/prefix`, `file:///folder`, or a path. Opens no connection: `check` says
 * whether anything is there.
 *
 * Raises InputError `bad-uri`.
 */
export function openStore(uri: string, options: OpenStoreOptions = {}): Store {
  const scheme = /^([a-z][a-z0-9+.-]*):/i.exec(uri)?.[1]?.toLowerCase()
  if (uri.trim() === '') throw badUri(uri, 'it is empty')
  if (uri.includes('\0')) throw badUri(uri, 'it holds a NUL character')
  if (scheme === undefined) return new FilesystemStore(resolve(uri), options)
  if (scheme === 'file') return new FilesystemStore(folderOf(uri), options)
  throw badUri(uri, `headlight reads s3:// and file:// URIs and paths, not ${scheme}:`)
}

function folderOf(uri: string): string {
  try {
    return resolve(fileURLToPath(uri))
  } catch (cause) {
    throw badUri(uri, 'a file URI has three slashes and an absolute path, file:///folder', cause)
  }
}

function badUri(uri: string, why: string, cause?: unknown): InputError {
  return new InputError('bad-uri', `cannot open "${withoutPassword(uri)}": ${why}`, { cause })
}
