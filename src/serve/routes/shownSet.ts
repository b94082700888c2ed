import { InputError } from '../../base/errors.ts'
import type { Served } from './route.ts'

/** Makes sure that an address may name this result set. InputError `no-such-run` when not, or when there is none. */
export async function requireShown(served: Served, set: string): Promise<void> {
  const { output, onlySet } = served
  if (onlySet === null ? isFolderName(set) : set === onlySet) {
    await served.setOf(set)
    return
  }
  throw new InputError('no-such-run', `${output.uri} shows no result set ${set}; the front page lists them`)
}

/** Of one folder in the output, whatever it looks like: a name with a slash or of dots could lead elsewhere. */
function isFolderName(set: string): boolean {
  return set !== '' && !/^\.+$|[/\\\u0000-\u001f]/.test(set)
}
