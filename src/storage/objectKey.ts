import { SampleError } from '../base/errors.ts'
import { isTemporary } from './temporaryName.ts'

/**
 * Whether every driver can hold an object of this key: parts that are neither empty nor `.` nor `..`, so that it means
 * the same as a path, as a URL and as a name in a bucket; text that UTF-8 can write.
 */
export function isPortableKey(key: string): boolean {
  return (
    key.split('/').every((part) => part !== '' && part !== '.' && part !== '..') &&
    !key.includes('\0') &&
    !/\p{Surrogate}/u.test(key)
  )
}

/**
 * Raises SampleError `bad-key` for a key that a proxy between here and the service may take for one beside the store.
 * What else cannot be written (`a//b`) can be read where it is.
 */
export function requireReadableKey(key: string, uri: string): void {
  if (!key.split('/').some((part) => part === '.' || part === '..')) return
  throw new SampleError('bad-key', `cannot read ${JSON.stringify(key)} below ${uri}: it leads out of it; rename it`)
}

/** Raises SampleError `bad-key` for a key that no driver writes. */
export function requireWritableKey(key: string, uri: string): void {
  if (isPortableKey(key) && !isTemporary(key)) return
  throw new SampleError('bad-key', `cannot write ${JSON.stringify(key)} into ${uri}: it is no safe key; rename it`)
}
