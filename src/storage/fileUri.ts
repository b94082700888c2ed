import { resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { InputError } from '../base/errors.ts'

/** The absolute path that a `file://` URI names. Raises InputError `bad-uri`. */
export function pathOfFileUri(uri: string): string {
  try {
    // The URL parser would take `file:folder` for `/folder`.
    if (!/^file:\/\//i.test(uri)) throw new TypeError('two slashes follow the colon')
    return resolve(fileURLToPath(uri))
  } catch (cause) {
    const why = 'a file URI has three slashes and an absolute path, file:///folder'
    throw new InputError('bad-uri', `cannot open "${uri}": ${why}`, { cause })
  }
}
